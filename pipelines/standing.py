"""Which weights judge, what a candidate would do beside them, and how much officers have taught: for `train status` and the page 模型."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from classifiers import manifest as manifests
from classifiers import promotion
from classifiers.dataset import PROMOS
from domain.errors import ModelUnavailable
from store import lessons, shadows
from store.engine import Store
from store.shadows import Beside

Source = Literal["packaged", "setting", "promoted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One set of weights. What is wrong with it stands in `fault`; then `version` is empty."""

    name: str
    """Empty for the weights that came with the program."""
    folder: Path
    version: str = ""
    made_at: str = ""
    rows: int = 0
    """It was trained on."""
    source: Source = "promoted"
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    live: Weights
    since: str
    """ISO; empty where nothing was ever promoted."""
    previous: tuple[Weights, ...]
    """What a rollback would bring back, the next one first."""
    candidate: Weights | None
    beside: Beside | None
    """None without a candidate that can judge."""
    flips: Sequence[Any]
    taught: dict[str, int]
    """See store.lessons.counts."""
    fault: str = ""
    """What is wrong with the pointers."""


def standing(store: Store, *, flips: int = 10) -> Standing:
    """How the weights stand on this machine. Every file is held against its manifest; nothing is loaded."""
    settings = store.settings
    home = promotion.home_of(settings.dir)
    pointers, fault = promotion.Pointers(), ""
    try:
        pointers = promotion.read(home)
    except ModelUnavailable as error:
        fault = str(error)
    live = weights_at(home, pointers.live)
    if settings.weights_dir is not None:
        live = _looked_at("", settings.weights_dir, source="setting")
    candidate = weights_at(home, pointers.candidate) if pointers.candidate else None
    if settings.candidate_dir is not None:
        candidate = _looked_at("", settings.candidate_dir, source="setting")
    with store.read() as conn:
        found = _beside(conn, candidate.version) if candidate and candidate.version else None
        fallen = shadows.flips(conn, candidate.version, limit=flips) if candidate and candidate.version else []
        taught = lessons.counts(conn)
    before = tuple(weights_at(home, name) for name in pointers.previous)
    return Standing(
        live=live, since=pointers.since, previous=before, candidate=candidate, beside=found, flips=fallen, taught=taught, fault=fault
    )


def _beside(conn: Any, model: str) -> Beside:
    """What the store counts, with the labels that officers gave: only here it is known what a label means."""
    found, given = shadows.beside(conn, model), shadows.labelled(conn, model)
    right, live_right = (
        sum((getattr(row, level) in shadows.OPENS) == (row.label in PROMOS) for row in given) for level in ("level", "live_level")
    )
    decided = found.decided + len(given)
    return replace(found, decided=decided, right=found.right + right, live_right=found.live_right + live_right)


def weights_at(home: Path, name: str) -> Weights:
    """The set of that name under HOME; the packaged one for an empty name."""
    return _looked_at(name, home / name) if name else _looked_at("", manifests.PACKAGED, source="packaged")


def _looked_at(name: str, folder: Path, *, source: Source = "promoted") -> Weights:
    try:
        found = manifests.read(folder)
        for file in found.files:
            found.bytes_of(file)
    except ModelUnavailable as error:
        return Weights(name=name, folder=folder, source=source, fault=str(error))
    made_at, data = str(found.facts.get("made_at") or ""), found.facts.get("data")
    count = data.get("count", 0) if isinstance(data, dict) else 0
    return Weights(name=name, folder=folder, version=found.version, made_at=made_at, rows=int(count), source=source)
