from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from console.deps import Patrolled
from console.pages.board import grid
from store import tables
from store.engine import Store
from tests.console import seed
from tests.console.conftest import Hand, Officer

Enter = Callable[[str], Officer]


def _plan(*, every_s: int = 1200, enabled: bool = True) -> Patrolled:
    return Patrolled(title="示例论坛", every_s=every_s, enabled=enabled)


def _sweep(at: datetime, outcome: str = "ok", new: int = 0) -> Any:
    return SimpleNamespace(platform="forum", began_at=at, outcome=outcome, counts={"sweep/new": new})


def _line(now: datetime, sweeps: list[Any], *, plan: Patrolled | None = None, missed: list[Any] | None = None) -> Any:
    good = [sweep.began_at for sweep in sweeps if sweep.outcome == "ok"]
    began = [sweep.began_at for sweep in sweeps]
    facts = [SimpleNamespace(platform="forum", first_at=min(began), last_at=max(began), ok_at=max(good, default=None))] if sweeps else []
    (line,) = grid(plans={"forum": plan or _plan()}, facts=facts, sweeps=sweeps, missed=missed or [], now=now)
    return line


def test_hour_without_a_trace_is_missed(fixed_now: datetime) -> None:
    line = _line(fixed_now, [_sweep(fixed_now - timedelta(hours=back)) for back in (0, 1, 3)])
    assert [cell.state for cell in line.cells][-4:] == ["ok", "missed", "ok", "ok"]
    assert {cell.state for cell in line.cells[:-4]} == {"before"}


def test_best_outcome_colours_the_hour_and_trouble_is_marked(fixed_now: datetime) -> None:
    at = fixed_now.replace(minute=0)
    line = _line(fixed_now, [_sweep(at, "failed"), _sweep(at + timedelta(minutes=2), "ok", 3)])
    assert (line.cells[-1].state, line.cells[-1].mixed, line.cells[-1].new) == ("ok", True, 3)
    assert "失败 1 次" in line.cells[-1].told


def test_wall_and_unknown_outcome_never_look_well(fixed_now: datetime) -> None:
    assert _line(fixed_now, [_sweep(fixed_now, "walled")]).cells[-1].state == "walled"
    assert _line(fixed_now, [_sweep(fixed_now, "something-new")]).cells[-1].state == "failed"


def test_missed_run_marks_an_hour_that_had_a_success(fixed_now: datetime) -> None:
    gap = SimpleNamespace(job="sweep:forum", began_at=fixed_now, due_at=fixed_now - timedelta(minutes=4), why="off")
    cell = _line(fixed_now, [_sweep(fixed_now)], missed=[gap]).cells[-1]
    assert (cell.state, cell.mixed) == ("ok", True)


def test_rare_platform_rests_between_its_sweeps(fixed_now: datetime) -> None:
    line = _line(fixed_now, [_sweep(fixed_now - timedelta(hours=back)) for back in (2, 8, 14, 20)], plan=_plan(every_s=6 * 3600))
    assert {cell.state for cell in line.cells[4:23]} == {"ok", "rest"}
    assert not line.stale


def test_planned_platform_that_never_ran_has_a_line(fixed_now: datetime) -> None:
    line = _line(fixed_now, [])
    assert line.stale
    assert {cell.state for cell in line.cells} == {"before"}


def test_switched_off_platform_has_none(fixed_now: datetime) -> None:
    assert grid(plans={"forum": _plan(enabled=False)}, facts=[], sweeps=[], missed=[], now=fixed_now) == []


def test_board_shows_the_day_alarms_and_what_to_do(officer: Enter, staffed: Store, clock: Hand) -> None:
    seed.add_queue(staffed, now=clock(), count=12)
    seed.add_day(staffed, now=clock())
    text = officer("wu").get("/board").text
    assert "需要人工处理" in text
    assert "不得绕过" in text
    assert "从未成功" in text
    assert "demo-captcha" in text
    assert text.count('class="cell ok') > 100
    assert "4 项告警待处理" in text


def test_empty_board_says_that_nothing_runs(officer: Enter) -> None:
    text = officer("wu").get("/board/body").text
    assert "没有未处理的告警" in text
    assert "巡查正常" not in text


def test_cleared_alarm_names_who_cleared_it(officer: Enter, staffed: Store, clock: Hand) -> None:
    seed.add_day(staffed, now=clock())
    assert officer("he").post("/alarms/clear", kind="wall", subject="demo-captcha").status_code == 403
    assert officer("wu").post("/alarms/clear", kind="wall", subject="demo-captcha").status_code == 303
    with staffed.read() as conn:
        assert conn.execute(select(tables.alarms.c.cleared_by).where(tables.alarms.c.kind == "wall")).scalar_one() == "wu"
