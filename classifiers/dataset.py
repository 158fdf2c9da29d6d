"""Labelled texts in one schema: loading, weighting, near-duplicate groups, and splits that never cut a group.

A line of a labelled file is a JSON object: `text`, `label` (one of LABELS), `scheme` (a slug, or null) or `schemes`, and
where known `source`, `group` (near-duplicates; `cluster` in evaluation sets), `pair`, `sure` (1 or 0), `readers` (1 or 2).
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    pair: str = ""
    note: str = ""

    @property
    def suspected(self) -> bool:
        return self.label in PROMOS


def read(path: Path) -> list[Row]:
    """Rows of a labelled file, plain or `.xz`, in its order. Raises ConfigFault with all faulty lines at once."""
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, line in enumerate(_lines(path), 1):
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


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
            yield from file
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
        note=str(data.get("note") or data.get("why") or ""),
    )


def composed(folder: Path = COMPOSED) -> list[Row]:
    """All composed rows; `group` ties the lines of a block of the file and both sides of each pair."""
    rows: list[Row] = []
    for path in sorted(folder.glob("*.jsonl")):
        part = read(path)
        leader = _tied(part)
        for number, row in enumerate(part):
            rows.append(
                Row(
                    text=row.text,
                    label=row.label,
                    schemes=row.schemes,
                    source=f"composed/{path.stem}",
                    group=f"{path.stem}:{leader[number]}",
                    composed=True,
                    pair=f"{path.stem}:{row.pair}" if row.pair else "",
                    note=row.note,
                )
            )
    return rows


def _tied(part: Sequence[Row]) -> list[int]:
    """For each line the number of the block that stands for all blocks tied to it by pairs."""
    parent = list(range(len(part) // BLOCK + 1))

    def top(block: int) -> int:
        while parent[block] != block:
            block = parent[block]
        return block

    first: dict[str, int] = {}
    for number, row in enumerate(part):
        if row.pair:
            here, there = top(number // BLOCK), top(first.setdefault(row.pair, number // BLOCK))
            parent[max(here, there)] = min(here, there)
    return [top(number // BLOCK) for number in range(len(part))]


def fold_of(group: str, *, folds: int, salt: str = "") -> int:
    """The fold a group belongs to, 0 to folds - 1: the same on every machine, whatever rows come or go."""
    return int.from_bytes(hashlib.sha256(f"{salt}/{group}".encode()).digest()[:8], "big") % folds


def held_out(row: Row) -> bool:
    """Whether a row is kept from all training: about 5 % of the composed rows, whole blocks and pairs at a time."""
    return row.composed and fold_of(row.group, folds=20, salt="held") == 0


def split(rows: Iterable[Row], *, folds: int, fold: int, salt: str = "cv") -> tuple[list[Row], list[Row]]:
    """(kept, put aside) with all rows of a group on one side."""
    kept: list[Row] = []
    aside: list[Row] = []
    for row in rows:
        (aside if fold_of(row.group, folds=folds, salt=salt) == fold else kept).append(row)
    return kept, aside


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Rows with the first of each text that reads the same, white space and case aside."""
    seen: set[str] = set()
    kept = []
    for row in rows:
        key = "".join(row.text.lower().split())
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


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
