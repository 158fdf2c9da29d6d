"""The world of `bench freshness`: sources of heavy-tailed rates with days, nights and bursts, on hosts with manners, for one week.

Everything is drawn from one seed. Nothing here knows the policy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from patrol.schedule_rates import HOUR_S, Floats, Ints

WEEK_H = 168
START_S = 20787 * 86400.0 - 8 * HOUR_S
"""A Monday, 00:00 in Shanghai."""
TAILS = ("pareto1.2", "pareto1.6", "lognormal")
MEAN_RATE = 0.5
"""Postings an hour of the mean source: half a posting a request of the budget."""
MOST_RATE = 120.0
CURVES = (
    (2, 1, 1, 1, 1, 2, 5, 9, 12, 13, 13, 12, 10, 11, 13, 13, 12, 11, 9, 8, 8, 7, 5, 3),  # news: office hours
    (5, 3, 2, 1, 1, 1, 2, 4, 6, 7, 8, 8, 9, 8, 8, 8, 8, 9, 10, 13, 15, 16, 14, 9),  # forum: evening
    (1, 1, 1, 1, 1, 1, 4, 10, 16, 17, 16, 12, 8, 10, 14, 14, 12, 9, 5, 3, 3, 2, 2, 1),  # classifieds: two peaks
    (8, 6, 4, 3, 2, 2, 3, 5, 7, 8, 8, 9, 10, 9, 8, 8, 8, 9, 10, 11, 12, 13, 13, 11),  # microblog: late
)
"""Weights of the hours of day, a kind each. Composed, after the ordinary shape of office and leisure hours."""
BURST_EVERY_H = 120.0
BURST_LASTS_H = 1.5
OUT_OF_NOWHERE = 0.1
"""Share of bursts that are a campaign's flood and have no regard to how sleepy the board was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is true. Postings are sorted by moment; hours count from the start."""

    rate: Floats
    kind: Ints
    factor: Floats
    host: Ints
    gap_s: Floats
    quiet: Floats
    busy: Floats
    """Rows (host, from hour, to hour): the host answers 429 and names when to come again."""
    posting_source: Ints
    posting_h: Floats
    posting_in_burst: np.ndarray[tuple[int], np.dtype[np.bool_]]
    burst_source: Ints
    burst_from_h: Floats
    burst_to_h: Floats
    burst_rate: Floats
    hours: int


def draw_rates(generator: np.random.Generator, *, sources: int, tail: str) -> Floats:
    """Postings an hour, mean MEAN_RATE. Raises ValueError for an unknown tail."""
    if tail == "lognormal":
        raw = generator.lognormal(0.0, 2.0, sources)
    elif tail.startswith("pareto"):
        raw = 1.0 + generator.pareto(float(tail.removeprefix("pareto")), sources)
    else:
        raise ValueError(f"tail: {tail!r} is none of {', '.join(TAILS)}")
    rate = raw * MEAN_RATE / raw.mean()
    for _ in range(20):  # cut at what a page can show, and bring the mean back
        rate = np.minimum(rate, MOST_RATE)
        rate *= MEAN_RATE / rate.mean()
    return np.asarray(np.minimum(rate, MOST_RATE))


def _usual(generator: np.random.Generator, *, rate: Floats, kind: Ints, factor: Floats, hours: int) -> tuple[Ints, Floats]:
    """Sources and moments of the postings outside bursts: a Poisson process of each hour's rate."""
    sources, moments = [], []
    for hour in range(hours):
        found = np.repeat(np.arange(len(rate)), generator.poisson(rate * factor[kind, hour % 24]))
        sources.append(found)
        moments.append(hour + generator.random(len(found)))
    return np.concatenate(sources), np.concatenate(moments)


def _hosts(generator: np.random.Generator, *, sources: int, hosts: int) -> tuple[Ints, Floats, Floats, Floats]:
    size = 1.0 / np.arange(1, hosts + 1) ** 0.8
    host = generator.choice(hosts, size=sources, p=size / size.sum())
    count = np.bincount(host, minlength=hosts)
    # Great hosts take more; 1 to 10 s between requests, but never so slow that every source could not be seen thrice a day.
    gap_s = np.minimum(generator.choice([1.0, 2.0, 3.0, 5.0, 10.0], size=hosts), 8 * HOUR_S / np.maximum(count, 1))
    quiet = np.zeros((hosts, 2))
    quiet[generator.random(hosts) < 0.02] = (2.0, 6.0)
    when = generator.random(hosts // 10) * (WEEK_H - 2)
    lasts = generator.choice([0.25, 0.5, 1.0], len(when))
    busy = np.stack([generator.integers(0, hosts, len(when)).astype(float), when, when + lasts], axis=1)
    return host, gap_s, quiet, busy


def make_world(*, seed: int, sources: int, tail: str, hosts: int = 1000, hours: int = WEEK_H) -> World:
    """The week, or so many hours, that this seed gives."""
    generator = np.random.default_rng(seed)
    rate = draw_rates(generator, sources=sources, tail=tail)
    kind = generator.integers(0, len(CURVES), sources)
    factor = np.array(CURVES, dtype=float)
    factor /= factor.mean(axis=1, keepdims=True)
    host, gap_s, quiet, busy = _hosts(generator, sources=sources, hosts=hosts)
    source, moment = _usual(generator, rate=rate, kind=kind, factor=factor, hours=hours)
    bursts = np.repeat(np.arange(sources), generator.poisson(hours / BURST_EVERY_H, sources))
    begins = generator.random(len(bursts)) * hours
    ends = np.minimum(begins + np.maximum(generator.exponential(BURST_LASTS_H, len(bursts)), 0.3), hours)
    extra = rate[bursts] * generator.uniform(10, 40, len(bursts))
    flood = generator.random(len(bursts)) < OUT_OF_NOWHERE
    extra = np.minimum(np.where(flood, np.maximum(extra, generator.uniform(10, 30, len(bursts))), extra), 2 * MOST_RATE)
    count = generator.poisson(extra * (ends - begins))
    inside = np.repeat(np.arange(len(bursts)), count)
    there = begins[inside] + generator.random(len(inside)) * (ends - begins)[inside]
    every, moments = np.concatenate([source, bursts[inside]]), np.concatenate([moment, there])
    order = np.argsort(moments, kind="stable")
    return World(
        rate=rate, kind=kind, factor=factor, host=host, gap_s=gap_s, quiet=quiet, busy=busy,
        posting_source=every[order], posting_h=moments[order], posting_in_burst=(np.arange(len(every)) >= len(source))[order],
        burst_source=bursts, burst_from_h=begins, burst_to_h=ends, burst_rate=extra, hours=hours,
    )  # fmt: skip
