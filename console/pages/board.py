"""巡查台: is the patrol alive, hour by hour, and what must a person do now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from console.deps import Acting, AtHome, Visiting, back_to, render, require
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
    cells: tuple[Cell, ...]
    ok_at: datetime | None
    stale: bool
    """No success for two hours or more."""


def hours_until(now: datetime) -> list[datetime]:
    """The last 24 full hours, the present one included, oldest first."""
    return [hour_of(now) - timedelta(hours=back) for back in reversed(range(HOURS))]


def _cell(hour: datetime, *, seen: Sequence[Any], missed: int, first_at: datetime, now: datetime) -> Cell:
    when = f"{for_people(hour)[11:13]}时"
    if not seen and not missed:
        if hour + timedelta(hours=1) <= first_at:
            return Cell(state="before", told=f"{when}：尚未纳入巡查")
        current = hour == hour_of(now)
        return Cell(state="running" if current else "missed", told=f"{when}：" + ("本小时尚未巡查" if current else "没有巡查记录"))
    states = [SWEEP_OUTCOMES.get(sweep.outcome, "failed") for sweep in seen]
    best = next((state for state in _BEST_FIRST if state in states), "missed")
    bad = missed or any(state in ("walled", "failed") for state in states)
    new = sum(int(sweep.counts.get("sweep/new", 0)) for sweep in seen)
    counts: dict[str, int] = {}
    for sweep in seen:
        word = OUTCOME_WORDS.get(sweep.outcome, sweep.outcome)
        counts[word] = counts.get(word, 0) + 1
    told = "，".join(
        [f"{word} {count} 次" for word, count in counts.items()] + ([f"漏巡 {missed} 次"] if missed else []) + [f"新增内容 {new} 条"]
    )
    return Cell(state=best, mixed=bool(bad) and best in ("ok", "empty"), sweeps=len(seen), new=new, told=f"{when}：{told}")


def grid(*, facts: Sequence[Any], sweeps: Sequence[Any], missed: Sequence[Any], now: datetime) -> list[Line]:
    """One line a platform, 24 cells each, oldest hour first. An hour without a trace counts as missed: silence proves nothing."""
    hours = hours_until(now)
    by_place: dict[tuple[str, datetime], list[Any]] = {}
    for sweep in sweeps:
        by_place.setdefault((sweep.platform, hour_of(sweep.began_at)), []).append(sweep)
    gaps: dict[tuple[str, datetime], int] = {}
    for run in missed:
        place = (run.job.removeprefix("sweep:"), hour_of(run.due_at or run.began_at))
        gaps[place] = gaps.get(place, 0) + 1
    return [
        Line(
            platform=fact.platform,
            cells=tuple(
                _cell(
                    hour,
                    seen=by_place.get((fact.platform, hour), ()),
                    missed=gaps.get((fact.platform, hour), 0),
                    first_at=fact.first_at,
                    now=now,
                )
                for hour in hours
            ),
            ok_at=fact.ok_at,
            stale=fact.ok_at is None or now - fact.ok_at >= timedelta(hours=2),
        )
        for fact in facts
    ]


def _values(request: Request) -> dict[str, Any]:
    house = request.app.state.house
    now = house.clock()
    hours = hours_until(now)
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    with house.store.read() as conn:
        lines = grid(
            facts=papers.platform_facts(conn),
            sweeps=papers.sweeps_since(conn, since=hours[0]),
            missed=papers.missed_sweeps(conn, since=hours[0]),
            now=now,
        )
        counts = views.day_counts(conn, since=today, now=now)
        jobs = papers.job_facts(conn, since=now - timedelta(hours=24))
        open_alarms = alarms.open_alarms(conn)
    return {
        "now": now,
        "hours": hours,
        "lines": lines,
        "counts": counts,
        "jobs": jobs,
        "alarms": open_alarms,
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
