"""The schedule of one data folder: beliefs out of the store onto the board, errands off it, and what visits found back into both."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import RowMapping

from crawlers.platform import PlatformFile
from patrol.schedule import Board, Hosts, pick, spend
from patrol.schedule_rates import Floats, Learning, Rates, Rhythm
from patrol.work import Work
from store import alarms, sources

SOONEST_S = 120.0
"""Least time between two visits of one source: a burst is answered within minutes, and nobody is asked every second."""
SAVED_S = 300.0
"""Requests not spent are saved for so long: after a pause the patrol goes on at its pace, and makes up for nothing in a rush."""
NEW_RATE = 0.5
"""Postings an hour believed of a source before any has been seen."""
RETRY_S, RETRY_MOST_S = 600.0, 6 * 3600.0
WORTH_LEAST, WORTH_MOST, WORTH_POSTINGS = 0.25, 4.0, 20.0
"""The hit rate of a source moves what its postings are worth so far at the most, and weighs once so many were seen."""
CLOCK_SLACK_S = 3600.0
STARVED_S = 3600.0
"""A promise that is late by more than its interval and this is an alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One sweep to be made: a platform and its due sources, numbers and addresses (with {query} still in them)."""

    platform: str
    sources: tuple[tuple[int, str], ...]


def belief(learning: Learning | None = None) -> dict[str, float]:
    """Columns of `sources` for one that nobody has visited."""
    one = learning or Learning()
    return {
        "shape": one.prior_shape, "exposure": one.prior_shape / NEW_RATE, "burst_shape": one.burst_shape,
        "burst_hours": one.burst_shape / one.burst_least,
    }  # fmt: skip


def templates(platform: PlatformFile) -> tuple[str, ...]:
    """Addresses of its sources: its entries, or, where queries rotate, its addresses with {query} in them."""
    if not platform.rotates:
        return platform.entries
    given = tuple(address for api in platform.api for address in api.start) or platform.start or (platform.home,)
    return tuple(dict.fromkeys(given))


def _quiet_h(quiet: str | None) -> tuple[float, float]:
    if quiet is None:
        return 0.0, 0.0
    begins, _, ends = quiet.partition("-")
    hours = [int(one[:2]) + int(one[3:]) / 60 for one in (begins, ends)]
    return hours[0], hours[1]


def _epoch(moment: datetime | None, *, missing: float = math.nan) -> float:
    return missing if moment is None else moment.timestamp()


def _worth(rows: Sequence[Mapping[str, Any]]) -> Floats:
    """Of a posting of each source: its hit rate to that of all, held back while few postings were seen."""
    found, hits = np.array([row["found"] for row in rows], dtype=float), np.array([row["hits"] for row in rows], dtype=float)
    usual = (hits.sum() + 1.0) / (found.sum() + 50.0)
    rate = (hits + usual * WORTH_POSTINGS) / (np.maximum(found, hits) + WORTH_POSTINGS)
    return np.asarray(np.clip(rate / usual, WORTH_LEAST, WORTH_MOST))


def board_of(
    rows: Sequence[RowMapping],
    platforms: Mapping[str, PlatformFile],
    *,
    manners: Mapping[str, Any],
    rhythms: Mapping[str, Any],
    pace: float,
) -> Board:
    """The policy's view of these sources. `pace` divides every interval."""
    names = sorted({row["platform"] for row in rows})
    kinds = sorted({platforms[name].kind for name in names})
    host = np.array([names.index(row["platform"]) for row in rows], dtype=np.int64)
    kind = np.array([kinds.index(platforms[row["platform"]].kind) for row in rows], dtype=np.int64)
    rates = Rates.new(kind, kinds=max(1, len(kinds)), prior_rate=NEW_RATE)
    for name in ("shape", "exposure", "bursting", "burst_shape", "burst_hours"):
        setattr(rates, name, np.array([row[name] for row in rows], dtype=float))
    rates.last_s = np.array([_epoch(row["last_at"]) for row in rows], dtype=float)
    for index, name in enumerate(kinds):
        if name in rhythms:
            rates.rhythm.seen[index], rates.rhythm.expected[index] = rhythms[name]
    rates.rhythm = Rhythm.known(rates.rhythm.seen, rates.rhythm.expected, worth=rates.learning.rhythm_memory)
    delay = [max(platforms[name].pace.delay_s, manners[name]["crawl_delay_s"] if name in manners else 0.0, 0.05) for name in names]
    blocked = [_epoch(manners[name]["blocked_until"], missing=0.0) if name in manners else 0.0 for name in names]
    most = np.array([platforms[name].budget.pages for name in names], dtype=float)
    longest = np.array([platforms[row["platform"]].every_s for row in rows], dtype=float) / pace
    cost = np.array([max(row["requests"], 1.0) for row in rows])
    phase = np.array([(row["id"] * 0.6180339887498949) % 1.0 for row in rows])
    return Board(
        rates=rates, host=host, hosts=Hosts(gap_s=np.array(delay), most=most, tokens=most.copy(), blocked_until_s=np.array(blocked)),
        worth=_worth([dict(row) for row in rows]), cost=cost, soonest_s=np.minimum(SOONEST_S / pace, longest),
        longest_s=longest, not_before_s=np.array([_epoch(row["not_before"], missing=0.0) for row in rows]), phase=phase,
        quiet=np.array([_quiet_h(platforms[name].quiet) for name in names]).reshape(-1, 2),
    )  # fmt: skip


class Planner:
    """Keeps the board between two looks. All methods may be called from any thread.

    `tick` is a monotonic clock in seconds: requests are earned by it, whatever the wall clock does.
    """

    def __init__(self, work: Work, *, pace: float = 1.0, tick: Callable[[], float] = time.monotonic) -> None:
        self.work, self.pace, self._tick = work, pace, tick
        self._lock = threading.RLock()
        self._refilled = tick()
        self._requests = 0.0
        self._starved = False
        self.rows: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.board: Board | None = None

    @property
    def platforms(self) -> dict[str, PlatformFile]:
        """Those that the schedule decides about."""
        return {name: one for name, one in self.work.platforms.items() if one.enabled and one.schedule == "auto"}

    def sync(self) -> int:
        """Enter the sources of the platforms as they are now, and lay out the board anew: how many sources are new."""
        with self._lock:
            now = self.work.clock()
            found = {one.id: templates(one) for one in self.work.platforms.values() if one.enabled}
            with self.work.store.write() as connection:
                new = sources.enter(connection, found, belief=belief(), now=now)
            self._load()
            return new

    def _load(self) -> None:
        mine = self.platforms
        with self.work.store.read() as connection:
            rows = [row for row in sources.active(connection) if row["platform"] in mine]
            manners, rhythms = sources.manners(connection), sources.rhythms(connection)
        before = {row["id"]: index for index, row in enumerate(self.rows)}
        held = self.board
        self.rows, self.names = [dict(row) for row in rows], sorted({row["platform"] for row in rows})
        self.board = board_of(rows, mine, manners=manners, rhythms=rhythms, pace=self.pace) if rows else None
        if self.board is not None and held is not None:  # errands that are under way are not sent twice
            for index, row in enumerate(self.rows):
                if row["id"] in before:
                    self.board.not_before_s[index] = max(self.board.not_before_s[index], held.not_before_s[before[row["id"]]])
        self._steady(self.work.clock().timestamp())

    def _steady(self, now_s: float) -> None:
        """A clock that was set back must not leave sources visited in a future, or hosts blocked for ever."""
        if self.board is None:
            return
        board = self.board
        board.rates.last_s = np.where(board.rates.last_s > now_s + CLOCK_SLACK_S, now_s, board.rates.last_s)
        for moments in (board.not_before_s, board.hosts.blocked_until_s):
            moments[moments > now_s + 86400.0 + CLOCK_SLACK_S] = 0.0

    def errands(self, *, busy: Collection[str], slots: int) -> list[Errand]:
        """Up to `slots` sweeps to set out on now, of platforms that are not `busy`. Their requests are charged."""
        with self._lock:
            now = self.work.clock()
            now_s, passed = now.timestamp(), self._earn()
            if self.board is None or slots <= 0:
                return []
            board = self.board
            self._steady(now_s)
            board.hosts.refill(passed)
            held = board.hosts.tokens.copy()
            for name in busy:
                if name in self.names:
                    board.hosts.tokens[self.names.index(name)] = 0.0
            chosen = pick(board, now_s, requests=self._requests)
            board.hosts.tokens = held
            order = list(dict.fromkeys(int(board.host[index]) for index in chosen))[:slots]
            errands = []
            for host in order:
                mine = chosen[board.host[chosen] == host]
                spend(board, mine)
                self._requests -= float(board.cost[mine].sum())
                board.not_before_s[mine] = np.maximum(board.not_before_s[mine], now_s + board.soonest_s[mine])
                errands.append(
                    Errand(platform=self.names[host], sources=tuple((self.rows[i]["id"], self.rows[i]["url"]) for i in mine.tolist()))
                )
            return errands

    def _earn(self) -> float:
        moment = self._tick()
        passed, self._refilled = moment - self._refilled, moment
        hourly = float(self.work.settings.requests_per_hour)
        most = max(hourly * SAVED_S / 3600.0, float(self.board.cost.max()) if self.board is not None else 1.0)
        self._requests = min(self._requests + passed * hourly / 3600.0, most)
        return passed

    def learn(self) -> int:
        """Take in what visits found since the last time, and write it down: how many visits."""
        with self._lock, self.work.store.write() as connection:
            hits = sources.credit_hits(connection)
            visits = sources.unlearned(connection)
            if not visits:
                if hits:
                    self._load_worth(sources.active(connection))
                return 0
            board, index = self.board, {row["id"]: number for number, row in enumerate(self.rows)}
            changed: dict[int, dict[str, Any]] = {}
            for visit in visits:
                at = index.get(visit["source_id"])
                if board is not None and at is not None:
                    changed[at] = self._take(board, at, visit)
                else:
                    sources.count_visit(connection, visit)
            sources.keep_learned(connection, list(changed.values()), visits=[visit["id"] for visit in visits])
            if board is not None:
                kinds = sorted({self.work.platforms[name].kind for name in self.names if name in self.work.platforms})
                if len(kinds) == len(board.rates.rhythm.seen):
                    learned = zip(kinds, board.rates.rhythm.seen.tolist(), board.rates.rhythm.expected.tolist(), strict=True)
                    sources.keep_rhythms(connection, {kind: (seen, expected) for kind, seen, expected in learned})
                self._load_worth(sources.active(connection) if hits else ())
            return len(visits)

    def _load_worth(self, rows: Sequence[RowMapping]) -> None:
        if self.board is None:
            return
        hits = {row["id"]: row["hits"] for row in rows}
        for row in self.rows:
            row["hits"] = hits.get(row["id"], row["hits"])
        self.board.worth = _worth(self.rows)

    def _take(self, board: Board, at: int, visit: RowMapping) -> dict[str, Any]:
        """Learn from one visit; the source's row as it is to be written."""
        row, rates, which = self.rows[at], board.rates, np.array([at])
        moment_s = visit["at"].timestamp()
        if visit["reached"]:
            rates.observe(which, now_s=moment_s, found=np.array([float(visit["found"])]))
            row["failures"], row["visits"], row["found"] = 0, row["visits"] + 1, row["found"] + visit["found"]
            row["requests"] = 0.7 * row["requests"] + 0.3 * visit["requests"] if row["visits"] > 1 else float(visit["requests"])
            self._requests -= visit["requests"] - board.cost[at]  # what was charged was a guess
            board.cost[at] = max(row["requests"], 1.0)
            row["not_before"] = None
        else:
            row["failures"] += 1
            wait = min(RETRY_S * 2.0 ** min(row["failures"] - 1, 10), RETRY_MOST_S) / self.pace
            row["not_before"] = self.work.clock() + timedelta(seconds=wait)
            board.not_before_s[at] = row["not_before"].timestamp()
        last = rates.last_s[at]
        row["last_at"] = None if np.isnan(last) else datetime.fromtimestamp(float(last), UTC)
        kept = {name: row[name] for name in ("last_at", "not_before", "failures", "visits", "found", "requests")}
        beliefs = {name: float(getattr(rates, name)[at]) for name in ("shape", "exposure", "bursting", "burst_shape", "burst_hours")}
        return {"number": row["id"], **kept, **beliefs}

    def heed(self, platform: str, *, outcome: str, counts: Mapping[str, int]) -> None:
        """Take in how a sweep ended: a Crawl-delay, a Retry-After, a wall. The platform is left alone for as long as it asks."""
        with self._lock:
            now = self.work.clock()
            with self.work.store.write() as connection:
                known = sources.manners(connection).get(platform)
                values = heeded(dict(known) if known else None, outcome=outcome, counts=counts, now=now)
                sources.keep_manners(connection, platform, **values)
            if self.board is None or platform not in self.names:
                return
            host = self.names.index(platform)
            self.board.hosts.blocked_until_s[host] = _epoch(values["blocked_until"], missing=0.0)
            own = self.work.platforms[platform].pace.delay_s if platform in self.work.platforms else 0.0
            self.board.hosts.gap_s[host] = max(own, values["crawl_delay_s"], 0.05)

    def alarm_starved(self) -> int:
        """Raise an alarm while promises cannot be kept, clear it when they can: how many sources wait too long."""
        with self._lock:
            if self.board is None:
                return 0
            board, now_s = self.board, self.work.clock().timestamp()
            late = now_s - board.rates.last_s - 2 * board.longest_s - STARVED_S / self.pace
            count = int(((late > 0) & board.ready(now_s)).sum())
        if bool(count) != self._starved:
            self._starved = bool(count)
            with self.work.store.write() as connection:
                if count:
                    settings = self.work.settings
                    short = f"每小时请求数 {settings.requests_per_hour} 或并行轮次 {settings.sweeps_at_once} 不足"
                    text = f"{count} 个入口久未巡查：{short}"
                    alarms.raise_alarm(connection, kind="starved", subject="schedule", text=text, now=self.work.clock())
                else:
                    alarms.clear(connection, kind="starved", subject="schedule", by="machine:schedule", now=self.work.clock())
        return count


WALL_S, WALL_MOST_S = 3600.0, 86400.0
"""From a first wall to the next try, doubled each time: a site that says no is not asked again and again."""


def heeded(known: Mapping[str, Any] | None, *, outcome: str, counts: Mapping[str, int], now: datetime) -> dict[str, Any]:
    """The row of `manners` after a sweep that ended so."""
    delay = counts.get("sweep/crawl_delay_s", 0)
    values: dict[str, Any] = {
        "crawl_delay_s": float(delay) if delay or counts.get("sweep/pages") else float(known["crawl_delay_s"] if known else 0.0),
        "blocked_until": None, "why": "", "walls": 0,
    }  # fmt: skip
    wait = counts.get("sweep/come_again_s", 0)
    if outcome == "walled":
        values["walls"] = (known["walls"] if known else 0) + 1
        pause = max(wait, min(WALL_S * 2.0 ** min(values["walls"] - 1, 10), WALL_MOST_S))
        values["blocked_until"], values["why"] = now + timedelta(seconds=pause), "asked_to_wait" if wait else "wall"
    elif wait:
        values["blocked_until"], values["why"] = now + timedelta(seconds=wait), "asked_to_wait"
    return values
