"""巡查台: is the patrol alive, hour by hour, and what must a person do now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from console.deps import Acting, AtHome, House, Patrolled, Visiting, back_to, render, require
from console.words import ALARM_KINDS, OUTCOME_WORDS, SWEEP_CELLS, SWEEP_OUTCOMES
from domain.clock import SHANGHAI, for_people, hour_of
from store import alarms, papers, views

router = APIRouter()
HOURS = 24
_BEST_FIRST = ("ok", "empty", "walled", "failed", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One platform in one hour."""

    state: str
    """ok, empty, walled, failed, missed, running, or before (not patrolled yet)."""
    mixed: bool = False
    """Some sweeps of the hour went well and others did not."""
    sweeps: int = 0
    new: int = 0
    told: str = ""
    """The whole story in a line, for the tooltip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    platform: str
    title: str
    cells: tuple[Cell, ...]
    ok_at: datetime | None
    stale: bool
    """No success for two hours or two rhythms, the longer of them."""


def hours_until(now: datetime) -> list[datetime]:
    """The last 24 full hours, the present one included, oldest first."""
    return [hour_of(now) - timedelta(hours=back) for back in reversed(range(HOURS))]


def _idle(hour: datetime, *, before: datetime | None, first_at: datetime | None, every_s: int, now: datetime) -> Cell:
    """A cell without a trace. `before` is the last sweep that began before the hour's end."""
    when, end = f"{for_people(hour)[11:13]}时", hour + timedelta(hours=1)
    if first_at is None or end <= first_at:
        return Cell(state="before", told=f"{when}：尚未纳入巡查")
    if hour == hour_of(now):
        return Cell(state="running", told=f"{when}：本小时尚未巡查")
    # Half a rhythm of grace: a sweep that takes its time is no gap.
    if every_s > 3600 and before is not None and end - before <= timedelta(seconds=1.5 * every_s):
        return Cell(state="rest", told=f"{when}：按计划本小时不巡查")
    return Cell(state="missed", told=f"{when}：没有巡查记录")


def _cell(hour: datetime, *, seen: Sequence[Any], missed: int) -> Cell:
    """A cell of an hour in which something was tried, or was due and noted as missed."""
    states = [SWEEP_OUTCOMES.get(sweep.outcome, "failed") for sweep in seen]
    best = next((state for state in _BEST_FIRST if state in states), "missed")
    bad = missed > 0 or any(state in ("walled", "failed") for state in states)
    new = sum(int(sweep.counts.get("sweep/new", 0)) for sweep in seen)
    words = Counter(OUTCOME_WORDS.get(sweep.outcome, sweep.outcome) for sweep in seen)
    told = [f"{word} {count} 次" for word, count in words.items()] + ([f"漏巡 {missed} 次"] if missed else []) + [f"新增内容 {new} 条"]
    story = f"{for_people(hour)[11:13]}时：{'，'.join(told)}"
    return Cell(state=best, mixed=bad and best in ("ok", "empty"), sweeps=len(seen), new=new, told=story)


def grid(
    *, plans: Mapping[str, Patrolled], facts: Sequence[Any], sweeps: Sequence[Any], missed: Sequence[Any], now: datetime
) -> list[Line]:
    """One line a platform, 24 cells each, oldest hour first.

    An hour without a trace counts as missed: silence proves nothing. A platform that is planned and was never swept has a
    line too; one that is switched off has none once its last day is over.
    """
    hours = hours_until(now)
    by_place: dict[tuple[str, datetime], list[Any]] = {}
    begun: dict[str, list[datetime]] = {}
    for sweep in sweeps:
        by_place.setdefault((sweep.platform, hour_of(sweep.began_at)), []).append(sweep)
        begun.setdefault(sweep.platform, []).append(sweep.began_at)
    gaps = Counter((run.job.removeprefix("sweep:"), hour_of(run.due_at or run.began_at)) for run in missed)
    known = {fact.platform: fact for fact in facts}
    planned = {name for name, plan in plans.items() if plan.enabled}
    lines = []
    for name in sorted(planned | {name for name, fact in known.items() if not plans or fact.last_at >= hours[0]}):
        fact, every_s = known.get(name), plans[name].every_s if name in plans else 3600
        cells = []
        for hour in hours:
            seen, gap = by_place.get((name, hour), []), gaps[name, hour]
            before = max((at for at in begun.get(name, ()) if at < hour + timedelta(hours=1)), default=None)
            first_at = fact.first_at if fact else None
            idle = _idle(hour, before=before, first_at=first_at, every_s=every_s, now=now)
            cells.append(_cell(hour, seen=seen, missed=gap) if seen or gap else idle)
        ok_at = fact.ok_at if fact else None
        stale = ok_at is None or now - ok_at >= timedelta(seconds=max(7200, 2 * every_s))
        lines.append(Line(platform=name, title=plans[name].title if name in plans else name, cells=tuple(cells), ok_at=ok_at, stale=stale))
    return lines


def _values(request: Request) -> dict[str, Any]:
    house: House = request.app.state.house
    now = house.clock()
    hours = hours_until(now)
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    with house.store.read() as conn:
        lines = grid(
            plans=house.platforms,
            facts=papers.platform_facts(conn),
            sweeps=papers.sweeps_since(conn, since=hours[0] - timedelta(hours=HOURS)),
            missed=papers.missed_sweeps(conn, since=hours[0]),
            now=now,
        )
        return {
            "now": now,
            "hours": hours,
            "lines": lines,
            "counts": views.day_counts(conn, since=today, now=now),
            "jobs": papers.job_facts(conn, since=now - timedelta(hours=24)),
            "alarms": alarms.open_alarms(conn),
            "kinds": ALARM_KINDS,
            "cells": SWEEP_CELLS,
        }


@router.get("/board")
def show(request: Request, visitor: Visiting) -> Response:
    return render(request, "board.html", visitor, **_values(request))


@router.get("/board/body")
def refresh(request: Request, visitor: Visiting) -> Response:
    """The moving part alone."""
    return render(request, "board_body.html", visitor, **_values(request))


@router.post("/alarms/clear")
def clear(
    house: AtHome, visitor: Acting, kind: Annotated[str, Form(max_length=64)], subject: Annotated[str, Form(max_length=500)]
) -> Response:
    """Mark an alarm as dealt with; if its cause stands, the next run opens it again."""
    require(visitor, "alarms")
    now = house.clock()
    with house.store.write() as conn:
        done = alarms.clear(conn, kind=kind, subject=subject, by=visitor.name, now=now)
    if done:
        views.note(house.store, officer=visitor.name, action="alarm.cleared", subject=f"alarm:{kind}:{subject}"[:200], now=now)
    return back_to("/board", said="cleared")
