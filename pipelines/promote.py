"""Promote (启用权重): a candidate judges beside, comes into force, goes back. Each is an officer's act, audited before it takes effect.

Written first, done second: a kill in between leaves an act on record that did nothing, never one that nobody finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from classifiers import gate, labelled, promotion
from classifiers import manifest as manifests
from classifiers.evaluate import judge_of, words
from classifiers.figures import figures
from classifiers.promotion import Pointers
from domain.errors import JudgeFault, ModelUnavailable, StoreFault
from domain.identity import sha256
from store import audit, powers, shadows
from store.engine import Store

MAY_PROMOTE = ("approver", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One figure of one pinned set, asked of one judge with the candidate's weights."""

    set: str
    judge: str
    figure: str
    measured: float
    bound: float
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What came of an act."""

    was: str
    """Name of the set before; empty for the weights that came with the program."""
    now: str
    version: str
    held: tuple[Held, ...] = ()

    @property
    def lost(self) -> tuple[Held, ...]:
        return tuple(one for one in self.held if not one.ok)


def propose(store: Store, folder: Path, *, officer: str, now: datetime) -> Act:
    """Let the set in `folder` judge beside what is in force. It is copied: what is done to the folder later changes nothing.

    Raises ModelUnavailable for a set that is missing, altered or cannot judge, and NotPermitted without the role.
    """
    home = _home(store, officer, into_force=False)
    if store.settings.candidate_dir is not None:
        raise StoreFault(f"weights: WANGXUN_CANDIDATE_DIR names {store.settings.candidate_dir}, and that judges beside; unset it first")
    with promotion.alone(home):
        pointers = promotion.read(home)
        name = promotion.take_in(folder, home)
        version = manifests.read(home / name).version
        _point(store, officer, "weights.propose", pointers, _with(pointers, candidate=name), detail={"version": version}, now=now)
    with store.write() as conn:
        shadows.forget(conn, but=version)
    return Act(was=pointers.candidate, now=name, version=version)


def withdraw(store: Store, *, officer: str, now: datetime) -> Act:
    """Let no candidate judge beside any longer. Its words stay until the next one."""
    home = _home(store, officer, into_force=False)
    with promotion.alone(home):
        pointers = promotion.read(home)
        _point(store, officer, "weights.withdraw", pointers, _with(pointers, candidate=""), detail={}, now=now)
    return Act(was=pointers.candidate, now="", version="")


def promote(
    store: Store,
    folder: Path | None,
    *,
    officer: str,
    reason: str | None,
    now: datetime,
    floors: Path | None = None,
    files: Sequence[Path] = (),
) -> Act:
    """Bring a set into force, the candidate where no folder is given; what was in force is kept for `roll_back`.

    The set is held against the gate first: the sets that Wangxun carries, and pinned `files`. Raises JudgeFault where a figure is lost
    and no reason given, ModelUnavailable for a set that cannot judge, StoreFault where a setting names the weights.
    """
    home = _home(store, officer, into_force=True)
    with promotion.alone(home):
        pointers = promotion.read(home)
        name = promotion.take_in(folder or _candidate(store, pointers), home)
        if name == pointers.live:
            raise StoreFault(f"weights {name}: are in force already; see: wangxun train status")
        held = tuple(hold(home / name, rules_dir=store.settings.rules_dir, floors=floors, files=files))
        lost = [one for one in held if not one.ok]
        if lost and not (reason or "").strip():
            shown = "，".join(f"{one.set}/{one.judge}/{one.figure} {one.measured:.4f} ({one.bound:.4f})" for one in lost[:5])
            raise JudgeFault(f'weights {name}: {len(lost)} figures of the gate are lost: {shown}; give --allow-regression "REASON"')
        version = manifests.read(home / name).version
        detail = {
            "version": version,
            "manifest": sha256((home / name / manifests.NAME).read_bytes()),
            "gate": len(held),
            "lost": [f"{one.set}/{one.judge}/{one.figure}" for one in lost],
            "reason": (reason or "").strip()[:500],
        }
        after = promotion.promoted(pointers, name, since=now.isoformat(timespec="seconds"))
        _point(store, officer, "weights.promote", pointers, after, detail=detail, now=now)
        promotion.prune(home, after)
    return Act(was=pointers.live, now=name, version=version, held=held)


def roll_back(store: Store, *, officer: str, reason: str, now: datetime) -> Act:
    """Bring back what was in force before. Raises ModelUnavailable where nothing was, or it cannot judge any more."""
    if not reason.strip():
        raise StoreFault("weights: no reason given; write why they are taken back")
    home = _home(store, officer, into_force=True)
    with promotion.alone(home):
        pointers = promotion.read(home)
        after = promotion.rolled_back(pointers, since=now.isoformat(timespec="seconds"))
        version = promotion.checked(home / after.live if after.live else None).version
        detail = {"version": version, "reason": reason.strip()[:500]}
        _point(store, officer, "weights.rollback", pointers, after, detail=detail, now=now)
        promotion.prune(home, after)
    return Act(was=pointers.live, now=after.live, version=version)


def hold(folder: Path, *, rules_dir: Path | None, floors: Path | None = None, files: Sequence[Path] = ()) -> list[Held]:
    """Every pinned figure, of judges that have weights, with the weights in `folder`: what `wangxun evaluate --gate` asks."""
    known = gate.read(floors or gate.FLOORS)
    found = []
    for path in (*gate.carried(known).values(), *files):
        file = labelled.read(path)
        name = gate.name_of(known, file)
        for mode, pinned in gate.pinned(known, name, None).items():
            if mode != "keyword":  # the rules alone are the same with any weights
                said = words(file.rows, judge_of(mode, rules_dir=rules_dir, weights_dir=folder))
                found += [_held(name, mode, one) for one in gate.check(pinned, figures(file.rows, said))]
    return found


def _held(name: str, judge: str, one: gate.Verdict) -> Held:
    return Held(set=name, judge=judge, figure=one.figure, measured=one.measured, bound=one.bound, ok=one.ok)


def _home(store: Store, officer: str, *, into_force: bool) -> Path:
    """Where the sets lie, once it is sure that the officer may, and that pointing at one would bring it into force."""
    settings = store.settings
    with store.read() as conn:
        powers.require(conn, officer, *MAY_PROMOTE)
    if into_force and settings.weights_dir is not None:
        raise StoreFault(f"weights: WANGXUN_WEIGHTS_DIR names {settings.weights_dir}, and that judges; unset it, then promote that folder")
    return promotion.home_of(settings.dir)


def _candidate(store: Store, pointers: Pointers) -> Path:
    if store.settings.candidate_dir is not None:
        return store.settings.candidate_dir
    if not pointers.candidate:
        raise StoreFault("weights: there is no candidate; name a folder, or set one: wangxun train candidate FOLDER")
    return promotion.home_of(store.settings.dir) / pointers.candidate


def _with(pointers: Pointers, *, candidate: str) -> Pointers:
    return Pointers(live=pointers.live, previous=pointers.previous, candidate=candidate, since=pointers.since)


def _point(store: Store, officer: str, action: str, before: Pointers, after: Pointers, *, detail: dict[str, Any], now: datetime) -> None:
    """Write the act into the audit log, then let the pointers say so; where they cannot, a second row says that nothing came of it."""
    names = {"live": [before.live, after.live], "candidate": [before.candidate, after.candidate]}
    with store.write() as conn:
        audit.append(conn, actor=officer, action=action, subject="weights", at=now, detail={**names, **detail})
    try:
        promotion.write(promotion.home_of(store.settings.dir), after)
    except ModelUnavailable as error:
        with store.write() as conn:
            audit.append(conn, actor=officer, action=f"{action}_failed", subject="weights", at=now, detail={"why": str(error)[:300]})
        raise
