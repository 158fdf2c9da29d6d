"""`bench freshness`: one week of 20,000 sources under the policy of the daemon, beside equal turns and beside those who know the truth.

The policy is `patrol.schedule` itself; the bench only says what each visit found. `oracle` is the same index fed with the true rates
and the true rhythm: the optimum for one who knows all but what has not happened yet. `clairvoyant` is told besides of every burst
in the moment it begins and ends, which no visitor of pages can know.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from patrol.bench import result
from patrol.bench.freshworld import START_S, World, make_world
from patrol.schedule import LONG_COSTS, Board, Hosts, choose, pick, spend
from patrol.schedule_rates import HOUR_S, Floats, Ints, Learning, Rates, Rhythm

TICK_S = 60.0
LAST_DAY_H = 24.0
"""Postings of the last day are not measured: their visit may lie beyond the end."""
SOONEST_S = 60.0
LONGEST_S = 20 * HOUR_S
"""The longest interval of every source here; four hours are left to what makes a host wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Every visit of one week, by moment."""

    source: Ints
    hour: Floats


def board_of(world: World, *, rates: Rates) -> Board:
    """The policy's view of a world: its hosts' manners, and beliefs."""
    count = len(world.rate)
    return Board(
        rates=rates, host=world.host, hosts=Hosts(gap_s=world.gap_s, most=np.maximum(TICK_S / world.gap_s, 1.0) * 2), worth=np.ones(count),
        cost=np.ones(count), soonest_s=np.full(count, SOONEST_S), longest_s=np.full(count, LONGEST_S), not_before_s=np.zeros(count),
        phase=np.asarray((np.arange(count) * 0.6180339887498949) % 1.0, dtype=np.float64), quiet=world.quiet,
    )  # fmt: skip


def knowing(world: World, *, bursts: bool) -> Rates:
    """Beliefs that are the truth and are sure of it."""
    rates = Rates.new(world.kind, kinds=len(world.factor), learning=Learning(memory_h=1e12))
    rates.rhythm = Rhythm(seen=world.factor * 1e12, expected=np.full_like(world.factor, 1e12), factor=world.factor.copy())
    rates.shape, rates.exposure, rates.bursts = world.rate * 1e9, np.full(len(world.rate), 1e9), bursts
    return rates


class Turn:
    """Goes through a week minute by minute: what has appeared, whom the choice falls on, what they show."""

    def __init__(self, world: World, board: Board, *, requests_per_hour: float) -> None:
        self.world, self.board, self.requests_per_hour = world, board, requests_per_hour
        self.unseen = np.zeros(len(world.rate))
        self._at = self._turned = 0
        self._left = 0.0

    def run(self, chooser: Any) -> Week:
        """`chooser(now_s, requests)` names whom to visit; visits end with their minute."""
        ticks = int(self.world.hours * HOUR_S / TICK_S)
        sources, hours = [], []
        for tick in range(1, ticks + 1):
            now_h = tick * TICK_S / HOUR_S
            now_s = START_S + now_h * HOUR_S
            self._appear(now_h)
            self._manners(now_h)
            self._left += self.requests_per_hour * TICK_S / HOUR_S
            chosen = chooser(now_s, self._left)
            spend(self.board, chosen)
            self._left = min(self._left - len(chosen), self.requests_per_hour / 60)
            self.board.rates.observe(chosen, now_s=now_s, found=self.unseen[chosen])
            self.unseen[chosen] = 0.0
            sources.append(chosen)
            hours.append(np.full(len(chosen), now_h))
        return Week(source=np.concatenate(sources), hour=np.concatenate(hours))

    def _appear(self, now_h: float) -> None:
        end = int(np.searchsorted(self.world.posting_h, now_h, side="right"))
        self.unseen += np.bincount(self.world.posting_source[self._at : end], minlength=len(self.unseen))
        self._at = end

    def _manners(self, now_h: float) -> None:
        """Hosts earn their pace; one that is busy says when to come again."""
        self.board.hosts.refill(TICK_S)
        busy = self.world.busy
        for host, _begins, ends in busy[(busy[:, 1] <= now_h) & (now_h < busy[:, 2])]:
            self.board.hosts.blocked_until_s[int(host)] = START_S + ends * HOUR_S


def waits(world: World, week: Week) -> Floats:
    """Hours from each posting's appearance to the visit that sees it; infinite where none came."""
    span = world.hours + 1.0
    keys = np.sort(week.source * span + week.hour)
    wanted = world.posting_source * span + world.posting_h
    at = np.searchsorted(keys, wanted, side="left")
    found = keys[np.minimum(at, len(keys) - 1)]
    same = (at < len(keys)) & (np.floor(found / span) == world.posting_source)
    return np.where(same, found - wanted, np.inf)


def impolite(world: World, week: Week) -> int:
    """Visits that broke a host's manners, counted from the visits alone: in quiet hours, while it is busy, faster than its pace."""
    host, local = world.host[week.source], week.hour % 24.0
    begins, ends = world.quiet[host, 0], world.quiet[host, 1]
    broken = int(((begins <= local) & (local < ends)).sum())
    for which, start, end in world.busy:
        broken += int(((host == int(which)) & (week.hour >= start) & (week.hour < end)).sum())
    minute = np.round(week.hour * 60).astype(np.int64) - 1
    saved = np.maximum(TICK_S / world.gap_s, 1.0) * 2
    for span, allowed in ((1, np.ceil(saved)), (60, np.ceil(HOUR_S / world.gap_s + saved))):
        slots, counts = np.unique(host * 100_000 + minute // span, return_counts=True)
        broken += int(np.maximum(counts - allowed[slots // 100_000], 0).sum())
    return broken


def figures_of(world: World, week: Week) -> dict[str, float]:
    """Waits in minutes over all postings but those of the last day."""
    hours = waits(world, week)
    counted = world.posting_h <= world.hours - LAST_DAY_H
    minutes = hours[counted] * 60
    burst = minutes[world.posting_in_burst[counted]]
    return {
        "median": float(np.median(minutes)), "mean": float(minutes.mean()), "p95": float(np.percentile(minutes, 95)),
        "burst_median": float(np.median(burst)), "burst_mean": float(burst.mean()), "late": int((minutes > 24 * 60).sum()),
        "longest": float(minutes.max()),
    }  # fmt: skip


def ours(world: World, *, requests_per_hour: float, bursts: bool = True, hours_of_day: bool = True) -> Week:
    """A week under the policy, from knowing nothing."""
    rates = Rates.new(world.kind, kinds=len(world.factor))
    rates.bursts, rates.hours_of_day = bursts, hours_of_day
    board = board_of(world, rates=rates)
    return Turn(world, board, requests_per_hour=requests_per_hour).run(lambda now_s, requests: pick(board, now_s, requests=requests))


def uniform(world: World, *, requests_per_hour: float) -> Week:
    """A week of equal turns: whoever was not visited for longest."""
    board = board_of(world, rates=Rates.new(world.kind, kinds=len(world.factor)))

    def chooser(now_s: float, requests: float) -> Ints:
        since = np.where(np.isnan(board.rates.last_s), 1e9, now_s - board.rates.last_s)
        return choose(
            np.where(board.ready(now_s), since, -1.0), cost=board.cost, host=board.host, tokens=board.hosts.tokens, requests=requests
        )  # fmt: skip

    return Turn(world, board, requests_per_hour=requests_per_hour).run(chooser)


def oracle(world: World, *, requests_per_hour: float, long_costs: float = 0.0, bursts: bool = True) -> Week:
    """A week under the index with true rates and rhythm. It answers a burst once a visit shows it, or (`bursts` False) never."""
    rates = knowing(world, bursts=bursts)
    truth = (rates.shape.copy(), rates.exposure.copy(), rates.rhythm)
    board = board_of(world, rates=rates)
    board.long_costs = long_costs

    def chooser(now_s: float, requests: float) -> Ints:
        rates.shape[:], rates.exposure[:] = truth[0], truth[1]  # it has nothing to learn
        return pick(board, now_s, requests=requests)

    return Turn(world, board, requests_per_hour=requests_per_hour).run(chooser)


class Told(Rates):
    """Beliefs that follow every burst in the moment it begins and ends."""

    def follow(self, world: World) -> None:
        self.world, self.truly_unseen, self.at_s = world, np.zeros(len(world.rate)), START_S

    def step(self, now_s: float) -> None:
        self.truly_unseen += self.pace(now_s) * (now_s - self.at_s) / HOUR_S
        self.at_s = now_s

    def pace(self, now_s: float) -> Floats:
        world, now_h = self.world, (now_s - START_S) / HOUR_S
        on = (world.burst_from_h <= now_h) & (now_h < world.burst_to_h)
        extra = np.bincount(world.burst_source[on], weights=world.burst_rate[on], minlength=len(world.rate))
        return np.asarray(world.rate * np.maximum(self.rhythm.now(self.kind, now_s), 0.02) + extra)

    def expected(self, now_s: float) -> Floats:
        return self.truly_unseen


def clairvoyant(world: World, *, requests_per_hour: float) -> Week:
    """A week under the index of one who is told of every burst when it begins and ends."""
    known = knowing(world, bursts=False)
    rates = Told(
        kind=known.kind, shape=known.shape, exposure=known.exposure, last_s=known.last_s, bursting=known.bursting,
        burst_shape=known.burst_shape, burst_hours=known.burst_hours, rhythm=known.rhythm, learning=Learning(longest_gap_h=0.0),
    )  # fmt: skip
    rates.follow(world)
    board = board_of(world, rates=rates)
    board.long_costs = 0.0

    def chooser(now_s: float, requests: float) -> Ints:
        rates.step(now_s)
        chosen = pick(board, now_s, requests=requests)
        rates.truly_unseen[chosen] = 0.0
        return chosen

    return Turn(world, board, requests_per_hour=requests_per_hour).run(chooser)


def bench_freshness(
    *, seed: int, tail: str, sources: int = 20_000, requests_per_hour: float = 20_000, ablations: bool = False
) -> dict[str, Any]:
    """The object that `bench freshness --json` prints; the same for the same seed, `bench_s` apart."""
    began = time.monotonic()
    world = make_world(seed=seed, sources=sources, tail=tail)
    week = ours(world, requests_per_hour=requests_per_hour)
    mine, equal = figures_of(world, week), figures_of(world, uniform(world, requests_per_hour=requests_per_hour))
    # The optimum of the mean is whichever of the two is better: the cost of long waits makes up for bursts that nobody expects.
    known = [
        figures_of(world, oracle(world, requests_per_hour=requests_per_hour, long_costs=costs)) for costs in (0.0, LONG_COSTS)
    ]  # fmt: skip
    best = min(known, key=lambda one: one["mean"])
    figures: dict[str, float | int] = {
        "seed": seed, "sources": sources, "postings": len(world.posting_h), "visits": len(week.source),
        "burst_share": float(world.posting_in_burst.mean()), "median_delay_min": mine["median"], "mean_delay_min": mine["mean"],
        "p95_delay_min": mine["p95"], "longest_delay_min": mine["longest"], "burst_median_delay_min": mine["burst_median"],
        "unseen_over_24h": int(mine["late"]), "impolite_visits": impolite(world, week), "oracle_mean_delay_min": best["mean"],
        "oracle_median_delay_min": best["median"],
        "uniform_median_delay_min": equal["median"],
    }  # fmt: skip
    ratios = {"to_uniform": mine["median"] / equal["median"], "to_oracle": mine["mean"] / best["mean"]}
    if ablations:
        _ablate(world, mine, figures, ratios, requests_per_hour=requests_per_hour)
    figures["bench_s"] = time.monotonic() - began
    return {**result("freshness", figures=figures, ratios=ratios), "tail": tail}


def _ablate(
    world: World, mine: dict[str, float], figures: dict[str, float | int], ratios: dict[str, float], *, requests_per_hour: float
) -> None:
    """What each part is worth: the same week without it."""
    weeks = {
        "no_bursts": ours(world, requests_per_hour=requests_per_hour, bursts=False),
        "no_rhythm": ours(world, requests_per_hour=requests_per_hour, hours_of_day=False),
        "clairvoyant": clairvoyant(world, requests_per_hour=requests_per_hour),
    }
    for name, week in weeks.items():
        found = figures_of(world, week)
        figures |= {f"{name}_median_delay_min": found["median"], f"{name}_mean_delay_min": found["mean"]}
        figures |= {f"{name}_p95_delay_min": found["p95"], f"{name}_burst_median_delay_min": found["burst_median"]}
        ratios[f"to_{name}"] = mine["mean"] / found["mean"]
