"""What officers see of the schedule: every source with its rate, its interval, its last and next visit, and why then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from patrol.schedule import NIGHT_FROM_H, NIGHT_TO_H, intervals, lateness
from patrol.schedule_plan import Planner
from patrol.schedule_rates import HOUR_S, SHANGHAI_H
from patrol.work import Work
from store import runs, sources

WHY = {
    "new": "新入口，尚在了解其发布频率",
    "burst": "正在集中发布，加密巡查",
    "starved": "已到最长间隔，优先巡查",
    "night": "夜间全面巡查",
    "quiet": "静默时段",
    "waiting": "对方要求稍后再来",
    "wall": "遇到验证码或登录墙，暂停",
    "failing": "上次没有取到，稍后再试",
    "rate": "按发布频率",
    "fixed": "固定间隔",
}
"""Why a source is visited when it is -> what an officer reads."""
NEW_VISITS = 3
"""Visits before a source's rate is its own and not that of all."""


def _moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def quiet_ends_s(quiet: Sequence[float], moment_s: float) -> float:
    """`moment_s`, or where it lies in quiet hours (from, to, Shanghai) the moment they end."""
    begins, ends = quiet
    hour = (moment_s / HOUR_S + SHANGHAI_H) % 24.0
    inside = begins <= hour < ends if begins <= ends else hour >= begins or hour < ends
    return moment_s + ((ends - hour) % 24.0) * HOUR_S if inside and begins != ends else moment_s


def shown(work: Work) -> list[dict[str, Any]]:
    """One row a source, by next visit: platform, url, rate_per_h, interval_s, last_at, next_at, why, visits, found, hits."""
    planner = Planner(work)
    planner.sync()
    rows = _planned(planner, work) + _fixed(work)
    return sorted(rows, key=lambda row: (row["next_at"], row["platform"], row["url"]))


def _planned(planner: Planner, work: Work) -> list[dict[str, Any]]:
    board = planner.board
    if board is None:
        return []
    now_s = work.clock().timestamp()
    every = intervals(board, now_s, requests_per_hour=work.settings.requests_per_hour)
    late, base, rates = lateness(board, now_s), board.rates.base, board.rates
    since = np.nan_to_num((now_s - rates.last_s) / HOUR_S)
    bursting = rates.bursting * np.exp(-np.maximum(since, 0.0) / rates.learning.burst_lasts_h)
    with work.store.read() as connection:
        manners = sources.manners(connection)
    found = []
    for at, row in enumerate(planner.rows):
        host = int(board.host[at])
        asked = dict(manners[row["platform"]]) if row["platform"] in manners else {}
        due_s = now_s if np.isnan(rates.last_s[at]) else max(now_s, float(rates.last_s[at] + every[at]))
        due_s, why = _bound(row, due_s, now_s=now_s, late=float(late[at]), bursting=float(bursting[at]))
        for bound_s, reason in (
            (float(board.not_before_s[at]), "failing"),
            (float(board.hosts.blocked_until_s[host]), "wall" if asked.get("why") == "wall" else "waiting"),
            (quiet_ends_s(board.quiet[host], due_s), "quiet"),
        ):
            if bound_s > due_s:
                due_s, why = bound_s, reason
        found.append(
            {
                "platform": row["platform"], "url": row["url"], "rate_per_h": round(float(base[at]), 3),
                "interval_s": round(float(every[at])),
                "last_at": row["last_at"], "next_at": _moment(due_s), "why": why, "visits": row["visits"], "found": row["found"],
                "hits": row["hits"],
            }
        )  # fmt: skip
    return found


def _bound(row: Mapping[str, Any], due_s: float, *, now_s: float, late: float, bursting: float) -> tuple[float, str]:
    """When a source is due by its promises and its rate, and which of them it is."""
    local = now_s / HOUR_S + SHANGHAI_H
    if late > 0:
        night = NIGHT_FROM_H <= local % 24.0 < NIGHT_TO_H
        return now_s, "night" if night else "starved"
    if bursting > 0.5:
        return due_s, "burst"
    return due_s, "new" if row["visits"] < NEW_VISITS else "rate"


def _fixed(work: Work) -> list[dict[str, Any]]:
    """Sources of platforms that keep their interval."""
    fixed = {name: one for name, one in work.platforms.items() if one.enabled and one.schedule == "fixed"}
    now, found = work.clock(), []
    with work.store.read() as connection:
        rows = [row for row in sources.active(connection) if row["platform"] in fixed]
        last = {name: runs.last_success(connection, job=f"sweep:{name}") for name in fixed}
    for row in rows:
        every_s = fixed[row["platform"]].every_s
        before = last[row["platform"]]
        due = max(now, before + timedelta(seconds=every_s)) if before else now
        found.append(
            {
                "platform": row["platform"], "url": row["url"], "rate_per_h": None, "interval_s": every_s,
                "last_at": row["last_at"] or before,
                "next_at": due, "why": "fixed", "visits": row["visits"], "found": row["found"], "hits": row["hits"],
            }
        )  # fmt: skip
    return found
