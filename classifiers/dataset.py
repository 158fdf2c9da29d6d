"""Labelled texts in one schema: loading, weighting, near-duplicate groups, and splits that never cut a group.

A line of a labelled file is a JSON object: `text`, `label` (one of LABELS), `scheme` (a slug, or null) or `schemes`, and
where known `source`, `group` (near-duplicates; `cluster` in evaluation sets), `pair`, `sure` (1 or 0), `readers` (1 or 2),
`register` (such as sms or leaflet), `evasion` (a list or one word), `date` (YYYY-MM-DD, when it was published).
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from classifiers import near
from classifiers.pseudonyms import exchanged
from domain.errors import ConfigFault, Fault

LABELS = (
    "fundraising_promo",
    "illegal_finance_promo",
    "adlaw_defect",
    "legit_finance",
    "education",
    "news",
    "complaint",
    "other_ad",
    "other",
)
PROMOS = frozenset(LABELS[:2])
"""What `suspected` means in all figures."""
SCHEMES = (
    "wealth_mgmt",
    "p2p",
    "equity_original_shares",
    "private_fund",
    "crypto",
    "nft",
    "rebate",
    "pyramid",
    "eldercare",
    "prepaid",
    "real_estate",
    "coop_farming",
    "fx_metal",
    "film",
    "education_training",
    "collectibles",
    "health_products",
    "franchise_device",
    "loan",
    "debt_relief",
    "insurance_surrender",
    "state_project",
    "mutual_aid",
    "stock_tips",
    "cashout_debt_mule",
)
"""Order of the scheme head's outputs; a new scheme goes to the end."""
SCHEME_ALIASES = {"metaverse": "nft"}
COMPOSED = Path(__file__).parent / "data" / "composed"
BLOCK = 8
"""Neighbouring lines of a composed file that stay together: a negative often mirrors the promo next to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled text."""

    text: str
    label: str
    schemes: tuple[str, ...] = ()
    source: str = ""
    group: str = ""
    """Near-duplicates and pairs share one; never empty after loading."""
    sure: bool = True
    readers: int = 1
    """How many people read it to label it; 0 for a row that is labelled by its source alone."""
    composed: bool = False
    tied: bool = False
    """Whether its group holds a composed row: then it is held out when they are."""
    pair: str = ""
    register: str = ""
    evasion: tuple[str, ...] = ()
    date: str = ""
    """YYYY-MM-DD; empty where it is not known."""
    note: str = ""

    @property
    def suspected(self) -> bool:
        return self.label in PROMOS


def read(path: Path) -> list[Row]:
    """Rows of a labelled file, plain or `.xz`, in its order. Raises ConfigFault with all faulty lines at once."""
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        try:
            rows.append(_row(json.loads(line), number=number, stem=path.name.split(".")[0]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found = str(error) or type(error).__name__
            faults.append(Fault(str(path), number, found, "give text, label and scheme as classifiers/dataset.py says"))
    if faults:
        raise ConfigFault(faults)
    return rows


def lines(path: Path) -> Iterator[bytes]:
    try:
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
            yield from file
    except EOFError as error:
        raise ConfigFault([Fault(str(path), 1, "breaks off in the middle of the packed data", "fetch it again")]) from error
    except (OSError, lzma.LZMAError) as error:
        raise ConfigFault([Fault(str(path), 1, f"cannot be read: {error}", "name a JSON Lines file, plain or .xz")]) from error


def _row(data: dict[str, Any], *, number: int, stem: str) -> Row:
    text, label = data["text"], data["label"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError("text is empty")
    if label not in LABELS:
        raise ValueError(f"label is {label!r}, none of {', '.join(LABELS)}")
    named = data.get("schemes") or ([data["scheme"]] if data.get("scheme") else [])
    schemes = tuple(SCHEME_ALIASES.get(slug, slug) for slug in named)
    strange = [slug for slug in schemes if slug not in SCHEMES]
    if strange:
        raise ValueError(f"scheme is {strange[0]!r}, which is in no list")
    return Row(
        text=text,
        label=label,
        schemes=schemes,
        source=str(data.get("source") or stem),
        group=str(data.get("group") or data.get("cluster") or f"{stem}:{number}"),
        sure=bool(data.get("sure", 1)),
        readers=int(data.get("readers", 1)),
        pair=str(data.get("pair") or ""),
        register=str(data.get("register") or ""),
        evasion=_words(data.get("evasion")),
        date=date.fromisoformat(data["date"]).isoformat() if data.get("date") else "",
        note=str(data.get("note") or data.get("why") or ""),
    )


def _words(value: object) -> tuple[str, ...]:
    """Words as a list or as one word."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def composed(folder: Path = COMPOSED) -> list[Row]:
    """All composed rows; `group` ties the lines of a block of the file and both sides of each pair."""
    rows: list[Row] = []
    for path in sorted(folder.glob("*.jsonl")):
        part = read(path)
        leader = _tied(part)
        for number, row in enumerate(part):
            group, pair = f"{path.stem}:{leader[number]}", f"{path.stem}:{row.pair}" if row.pair else ""
            rows.append(replace(row, source=f"composed/{path.stem}", group=group, pair=pair, composed=True, tied=True))
    return rows


def _tied(part: Sequence[Row]) -> list[int]:
    """For each line the number of the block that stands for all blocks tied to it by pairs."""
    ties = near.Ties(len(part))
    ties.tie_equal(str(number // BLOCK) for number in range(len(part)))
    ties.tie_equal(row.pair for row in part)
    return [top // BLOCK for top in ties.tops()]


def prepared(rows: Iterable[Row]) -> list[Row]:
    """Rows as they may be learned from: personal data exchanged where a text is not composed, groups united, doubles dropped."""
    exchange = (row if row.composed else replace(row, text=exchanged(row.text)) for row in rows)
    return distinct(united(list(exchange)))


def united(rows: Sequence[Row]) -> list[Row]:
    """The rows with one group for all that must stay together: of one group, of one pair, or near-duplicates, whatever their sources.

    A united group bears the least of its names, of a composed row where there is one: so what was held out stays held out.
    """
    ties = near.Ties(len(rows))
    ties.tie_equal(row.group for row in rows)
    ties.tie_equal(row.pair for row in rows)
    for number, first in enumerate(near.clusters([row.text for row in rows])):
        ties.tie(number, first)
    tops = ties.tops()
    names: dict[int, tuple[bool, str]] = {}
    for row, top in zip(rows, tops, strict=True):
        own = (not row.composed, row.group)
        names[top] = min(names.get(top, own), own)
    return [replace(row, group=names[top][1], tied=not names[top][0]) for row, top in zip(rows, tops, strict=True)]


def fold_of(group: str, *, folds: int, salt: str = "") -> int:
    """The fold a group belongs to, 0 to folds - 1: the same on every machine, whatever rows come or go."""
    return int.from_bytes(hashlib.sha256(f"{salt}/{group}".encode()).digest()[:8], "big") % folds


def held_out(row: Row) -> bool:
    """Whether a row is kept from all training: about 5 % of the composed rows, whole groups at a time."""
    return (row.composed or row.tied) and fold_of(row.group, folds=20, salt="held") == 0


def split(rows: Iterable[Row], *, folds: int, fold: int, salt: str = "cv") -> tuple[list[Row], list[Row]]:
    """(kept, put aside) with all rows of a group on one side."""
    kept: list[Row] = []
    aside: list[Row] = []
    for row in rows:
        (aside if fold_of(row.group, folds=folds, salt=salt) == fold else kept).append(row)
    return kept, aside


def split_by_time(rows: Sequence[Row], *, since: str) -> tuple[list[Row], list[Row]]:
    """(to learn from, to test on): groups all of whose dated rows are of `since`, YYYY-MM-DD, or later are tested on.

    A group goes whole: what was already written before `since` is not new after it. Groups without a date are learned from.
    """
    date.fromisoformat(since)
    first: dict[str, str] = {}
    for row in rows:
        if row.date:
            first[row.group] = min(first.get(row.group, row.date), row.date)
    late = {group for group, day in first.items() if day >= since}
    return [row for row in rows if row.group not in late], [row for row in rows if row.group in late]


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Rows without those that read the same as another: of equal ones the one with the most readers, then the first, in its place.

    Folded, without white space; a number reads like any other where the label is the same too, since in a pair the number may tell.
    """
    given = list(rows)
    keys = [{text, (near.numberless(text), row.label)} for text, row in zip(near.folded([row.text for row in given]), given, strict=True)]
    seen: set[object] = set()
    kept = []
    for number in sorted(range(len(given)), key=lambda number: -given[number].readers):
        if seen.isdisjoint(keys[number]):
            kept.append(number)
        seen |= keys[number]
    return [given[number] for number in sorted(kept)]


def weights(
    rows: Sequence[Row], *, two_readers: float = 3.0, unsure: float = 0.6, unread: float = 0.4, composed_row: float = 1.0
) -> list[float]:
    """How much each row counts: two readers more, an unsure label less, near-duplicates of one real group little more than one row."""
    size = Counter(row.group for row in rows if not row.composed)
    found = []
    for row in rows:
        weight = composed_row if row.composed else float(size[row.group] ** -0.6)
        weight *= two_readers if row.readers >= 2 else 1.0 if row.readers else unread
        found.append(weight if row.sure else weight * unsure)
    return found


def digest(rows: Iterable[Row]) -> str:
    """sha256 over texts and labels in order: what a manifest says a model was trained on."""
    total = hashlib.sha256()
    for row in rows:
        total.update(f"{row.label}\x1f{','.join(row.schemes)}\x1f{row.text}\x1e".encode("utf-8", "surrogatepass"))
    return total.hexdigest()
