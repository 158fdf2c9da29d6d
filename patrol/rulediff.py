"""`wangxun rules diff`: what two rule packs make of the same texts. Which change level, and by which rules."""

from __future__ import annotations

import io
import json
import lzma
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from classifiers.base import Classifier
from classifiers.dataset import PROMOS
from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from domain.errors import ConfigFault, Fault, PatrolError
from domain.model import Assessment, Document, Level, Opinion
from rules.loader import PACKAGED, RuleSet

LEVELS = tuple(level.value for level in Level)
BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One text of the data file; `suspected` None where it has no label."""

    line: int
    text: str
    label: str = ""
    suspected: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One text that the two packs see differently. Weights in log-odds."""

    line: int
    text: str
    label: str
    old_level: str
    new_level: str
    old_score: float
    new_score: float
    gained: dict[str, float] = field(default_factory=dict)
    lost: dict[str, float] = field(default_factory=dict)
    shifted: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Compared:
    """The whole comparison. `rules`: rule -> texts that it matches, old and new, where they differ."""

    old: str
    new: str
    texts: int = 0
    labelled: int = 0
    transitions: dict[str, int] = field(default_factory=dict)
    """`review>alert` -> texts, unchanged ones too."""
    changes: list[Change] = field(default_factory=list)
    rules: dict[str, tuple[int, int]] = field(default_factory=dict)
    quality: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """`old` and `new` -> precision and recall at review and at alert; empty without labels."""

    def as_json(self, *, limit: int) -> dict[str, Any]:
        """Everything, with the first `limit` changes."""
        found = asdict(self)
        return {**found, "changed": len(self.changes), "changes": found["changes"][:limit]}


@contextmanager
def pack_folder(name: str, *, base: Path | None) -> Iterator[Path]:
    """The folder that `name` means: a folder, `packaged`, or a revision of the git that holds `base` (or the packaged rules).

    Raises PatrolError where it is none of these.
    """
    if name == "packaged":
        yield PACKAGED
        return
    if Path(name).is_dir():
        yield Path(name)
        return
    held = base or PACKAGED
    try:
        done = subprocess.run(["git", "-C", str(held), "archive", "--format=tar", name, "."], capture_output=True, check=False)
    except OSError as error:
        raise PatrolError(f"{name}: no such folder, and git is not there to ask ({error.strerror}); give a folder or `packaged`") from error
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        told = f"{name}: neither a folder nor a git revision of {held} ({why[-1] if why else 'git says no'})"
        raise PatrolError(f"{told}; give a folder, `packaged`, or something like HEAD~3")
    with tempfile.TemporaryDirectory(prefix="wangxun-rules-") as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
            packed.extractall(folder, filter="data")
        yield Path(folder)


def read(path: Path) -> list[Given]:
    """The texts of a file: JSON Lines (`text`, optional `label`) or one text a line; `.xz` too. Raises ConfigFault with every fault."""
    try:
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        lines = data.decode("utf-8").splitlines()
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise ConfigFault([Fault(str(path), 1, f"cannot be read: {error}", "name a file of lines in UTF-8, plain or .xz")]) from error
    first = next((line for line in lines if line.strip()), "")
    if not first.lstrip().startswith("{"):
        return [Given(line=number, text=line) for number, line in enumerate(lines, 1) if line.strip()]
    found: list[Given] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_given(json.loads(line), number=number))
        except (ValueError, KeyError, TypeError) as error:
            faults.append(
                Fault(str(path), number, f"{type(error).__name__}: {error}", "give an object with `text`, and `label` where known")
            )
    if faults:
        raise ConfigFault(faults)
    return found


def _given(data: Any, *, number: int) -> Given:
    text, label = data["text"], data.get("label")
    if not isinstance(text, str):
        raise ValueError("text is no text")
    suspected = None if label is None else label in PROMOS if isinstance(label, str) else bool(label)
    return Given(line=number, text=text, label="" if label is None else str(label), suspected=suspected)


def compare(
    old: RuleSet, new: RuleSet, given: Sequence[Given], *, neural: Classifier | None = None, step: Callable[[int], None] = lambda _: None
) -> Compared:
    """What both packs make of the texts, by rules alone or with one `neural` classifier beside them; `step` is told of progress."""
    judges = [Judge(keyword=KeywordClassifier(pack), neural=None, ruleset=pack) for pack in (old, new)]
    found = Compared(old=old.digest, new=new.digest, texts=len(given), labelled=sum(one.suspected is not None for one in given))
    levels: tuple[list[str], list[str]] = ([], [])
    transitions: Counter[str] = Counter()
    touched: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for start in range(0, len(given), BATCH):
        part = given[start : start + BATCH]
        documents = [Document(text=one.text) for one in part]
        heard = neural.judge(documents) if neural is not None else None
        before, after = (_judged(judge, documents, heard) for judge in judges)
        for one, was, now in zip(part, before, after, strict=True):
            transitions[f"{was.level.value}>{now.level.value}"] += 1
            for side, result in enumerate((was, now)):
                levels[side].append(result.level.value)
                touched[side].update({match.rule for match in result.matches})
            if was.level is not now.level:
                found.changes.append(_change(one, was, now))
        step(len(part))
    found.transitions = dict(sorted(transitions.items()))
    found.changes.sort(key=_gravity)
    rules = _differing(old, new)
    found.rules = {rule: (touched[0][rule], touched[1][rule]) for rule in rules if touched[0][rule] != touched[1][rule]}
    if found.labelled:
        found.quality = {side: _quality(given, own) for side, own in zip(("old", "new"), levels, strict=True)}
    return found


def _differing(old: RuleSet, new: RuleSet) -> list[str]:
    """Rules whose file, weight or lists are not the same in both packs: what the others match changes only where a text falls silent."""
    before, after = ({rule.id: (rule, pack.weight(rule)) for rule in pack.rules} for pack in (old, new))
    same_lists = old.lexicon == new.lexicon
    return sorted(rule for rule in before.keys() | after.keys() if not same_lists or before.get(rule) != after.get(rule))


def _judged(judge: Judge, documents: Sequence[Document], heard: Sequence[Opinion] | None) -> list[Assessment]:
    if heard is None or judge.keyword is None:
        return judge.judge(documents)
    return [judge.assess(pair) for pair in zip(judge.keyword.judge(documents), heard, strict=True)]


def _change(one: Given, was: Assessment, now: Assessment) -> Change:
    before, after = _weights(was), _weights(now)
    return Change(
        line=one.line, text=one.text, label=one.label, old_level=was.level.value, new_level=now.level.value,
        old_score=was.score, new_score=now.score,
        gained={rule: after[rule] for rule in sorted(after.keys() - before.keys())},
        lost={rule: before[rule] for rule in sorted(before.keys() - after.keys())},
        shifted={rule: (before[rule], after[rule]) for rule in sorted(before.keys() & after.keys()) if before[rule] != after[rule]},
    )  # fmt: skip


def _weights(one: Assessment) -> dict[str, float]:
    return {match.rule: match.weight for match in one.matches}


def _gravity(change: Change) -> tuple[bool, int, float]:
    """Those that come into the queue or leave it first, then the longer way, then the larger step."""
    way = abs(LEVELS.index(change.old_level) - LEVELS.index(change.new_level))
    crosses = Level(change.old_level).opens_hit != Level(change.new_level).opens_hit
    return not crosses, -way, -abs(change.new_score - change.old_score)


def _quality(given: Sequence[Given], levels: Sequence[str]) -> dict[str, float | None]:
    """Precision and recall over the labelled texts, at review and above and at alert."""
    found: dict[str, float | None] = {}
    labelled = [(one.suspected, level) for one, level in zip(given, levels, strict=True) if one.suspected is not None]
    for name, wanted in (("review", ("review", "alert")), ("alert", ("alert",))):
        right = sum(bool(suspected) and level in wanted for suspected, level in labelled)
        flagged, there = sum(level in wanted for _, level in labelled), sum(bool(suspected) for suspected, _ in labelled)
        found[f"precision_{name}"] = round(right / flagged, 4) if flagged else None
        found[f"recall_{name}"] = round(right / there, 4) if there else None
    return found
