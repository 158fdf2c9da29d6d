"""When to look where: the policy that decides, minute by minute, which sources the requests of an hour are spent on.

A posting waits from its appearance to the visit that sees it. Where a source of rate r is visited every T hours, its postings wait
T/2 each, so the waiting of all is the sum of r T / 2, under the budget sum 1/T = requests an hour: the optimum visits with a
frequency that grows with the square root of the rate. Written as an index (the Lagrangian of the budget taken source by source), it
is: visit whichever source has the largest  w N^2 / (2 r c)  with N the postings believed to stand there unseen, r the rate now, w
the worth of a posting there (its hit rate) and c the requests a visit costs. In this form it holds at every hour of day and
through bursts as well, since N and r follow them.

Taken from Azar, Horvitz, Lubetzky, Peres, Shahaf (2018), "Tractable near-optimal policies for crawling", PNAS: the relaxation of one
budget for all into a price that every source is held against by itself, and with it an index that is cheap for any number of sources.
Taken from Kolobov, Peres, Lubetzky, Horvitz (2019), "Optimal freshness crawl under politeness constraints" and "Staying up to date
with online content changes using reinforcement learning for scheduling" (LambdaCrawl): importance as a factor, a penalty that grows
while a source stays unseen in place of "fresh or not", politeness of each host as a bound beside the budget, and rates learned from
the policy's own visits. Not taken: their closed forms for binary freshness, and their reinforcement learning.

Bounds that no index overrules: quiet hours, a host that asked to wait, the pace of a host, the least gap of a source. Promises
that go before the index: a source that nears its longest interval, and once a night everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from patrol.schedule_rates import HOUR_S, SHANGHAI_H, Floats, Ints, Rates

NIGHT_FROM_H, NIGHT_TO_H = 1.0, 6.0
"""When everything is swept once, Shanghai: few post then, so requests are free."""
PROMISED = 0.7
"""Share of a moment's requests that promises may take at the most: a budget too small for them must still answer a burst."""
WORTH = 0.05
"""New postings that a visit must be expected to bring, promises apart: one visit in twenty finding something is the least."""
LONG_H, LONG_COSTS = 0.75, 2.0
"""An hour that a posting waits beyond LONG_H counts for 1 + LONG_COSTS hours: the ad that nobody sees for long does its harm. On
simulated weeks this costs the mean nothing and takes a tenth off the 95th percentile."""


@dataclass(slots=True)
class Hosts:
    """Pace of each host: `gap_s` between two requests, Crawl-delay included, `tokens` requests that it allows by now."""

    gap_s: Floats
    most: Floats
    """Requests that may be saved up: one sweep's worth."""
    tokens: Floats = field(default_factory=lambda: np.zeros(0))
    blocked_until_s: Floats = field(default_factory=lambda: np.zeros(0))
    """A Retry-After, a wall, or the end of quiet hours."""

    def __post_init__(self) -> None:
        count = len(self.gap_s)
        self.tokens = self.tokens if len(self.tokens) else np.zeros(count)
        self.blocked_until_s = self.blocked_until_s if len(self.blocked_until_s) else np.zeros(count)

    def refill(self, passed_s: float) -> None:
        self.tokens = np.minimum(self.tokens + max(passed_s, 0.0) / np.maximum(self.gap_s, 1e-6), self.most)


@dataclass(slots=True)
class Board:
    """Everything the policy looks at, one row a source."""

    rates: Rates
    host: Ints
    hosts: Hosts
    worth: Floats
    """Of one posting there: 1 for the average source."""
    cost: Floats
    """Requests that one visit takes."""
    soonest_s: Floats
    longest_s: Floats
    not_before_s: Floats
    phase: Floats
    """When in the night each is swept, 0-1: spread, so that the night sweep is no stampede."""
    quiet: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    """Hosts x (from, to) hours of day in Shanghai; equal where a host has none."""
    long_costs: float = LONG_COSTS

    def awake(self, now_s: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Hosts that may be asked now."""
        awake = self.hosts.blocked_until_s <= now_s
        if len(self.quiet):
            hour = (now_s / HOUR_S + SHANGHAI_H) % 24.0
            begins, ends = self.quiet[:, 0], self.quiet[:, 1]
            inside = np.where(begins <= ends, (begins <= hour) & (hour < ends), (hour >= begins) | (hour < ends))
            awake = awake & ~inside
        return awake

    def ready(self, now_s: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Sources that politeness lets be visited now."""
        since = now_s - self.rates.last_s
        rested = np.isnan(since) | (since >= self.soonest_s) | (since < 0)
        return np.asarray(self.awake(now_s)[self.host] & rested & (self.not_before_s <= now_s))


def index(board: Board, now_s: float) -> Floats:
    """What a visit now is worth against its requests. Sources never visited are held for ones whose average time has come."""
    rates = board.rates
    pace = rates.pace(now_s)
    unseen = np.where(np.isnan(rates.last_s), np.maximum(pace, 1.0), rates.expected(now_s))
    hours = np.nan_to_num((now_s - rates.last_s) / HOUR_S)
    long = 1.0 + board.long_costs * np.maximum(1.0 - (LONG_H / np.maximum(hours, LONG_H)) ** 2, 0.0)
    value = board.worth * long * unseen * unseen / (2.0 * pace * board.cost)
    return np.where(unseen >= WORTH, value, -1.0)


def lateness(board: Board, now_s: float) -> Floats:
    """Seconds by which a promise is due, negative while none is: the longest interval, and the sweep of everything at night."""
    last = board.rates.last_s
    late = now_s - last - board.longest_s
    local = now_s / HOUR_S + SHANGHAI_H
    midnight_s = (np.floor(local / 24.0) * 24.0 - SHANGHAI_H) * HOUR_S
    begins = midnight_s + NIGHT_FROM_H * HOUR_S
    turn = begins + board.phase * (NIGHT_TO_H - NIGHT_FROM_H) * HOUR_S
    night = np.where(last < begins, now_s - turn, -1.0)
    return np.where(np.isnan(last), -1.0, np.maximum(late, night))


def choose(score: Floats, *, cost: Floats, host: Ints, tokens: Floats, requests: float) -> Ints:
    """Sources of the highest positive scores, within `requests` and every host's `tokens`, best first."""
    candidates = np.flatnonzero(score > 0)
    if not len(candidates) or requests <= 0:
        return np.zeros(0, dtype=np.int64)
    size = int(2 * requests / max(float(cost.min()), 1e-6)) + 64
    while True:
        part = candidates
        if size < len(candidates):
            part = candidates[np.argpartition(score[candidates], -size)[-size:]]
        part = part[np.argsort(-score[part], kind="stable")]
        part = part[_running(cost[part], host[part]) <= tokens[host[part]] + 1e-9]
        spent = np.cumsum(cost[part])
        if size >= len(candidates) or (len(spent) and spent[-1] >= requests):
            # The first goes though it alone costs more than is there: it would wait for ever.
            return np.asarray(part[(spent <= requests) | (np.arange(len(part)) == 0)])
        size *= 4


def _running(cost: Floats, host: Ints) -> Floats:
    """Requests that each candidate's host would have got by then, the candidates in order."""
    order = np.argsort(host, kind="stable")
    total = np.cumsum(cost[order])
    first = np.flatnonzero(np.diff(host[order], prepend=-1))
    before = np.repeat(total[first] - cost[order][first], np.diff(np.append(first, len(order))))
    result = np.empty(len(cost))
    result[order] = total - before
    return result


def pick(board: Board, now_s: float, *, requests: float) -> Ints:
    """Whom to visit now with so many requests: promises first, within their share, then by index. Never past politeness."""
    ready = board.ready(now_s)
    late = np.where(ready, lateness(board, now_s), -1.0)
    tokens = board.hosts.tokens
    promised = choose(late, cost=board.cost, host=board.host, tokens=tokens, requests=PROMISED * requests)
    tokens = tokens - np.bincount(board.host[promised], weights=board.cost[promised], minlength=len(tokens))
    score = np.where(ready, index(board, now_s), -1.0)
    score[promised] = -1.0
    left = requests - float(board.cost[promised].sum())
    rest = choose(score, cost=board.cost, host=board.host, tokens=tokens, requests=left)
    return np.concatenate([promised, rest])


def spend(board: Board, chosen: Ints) -> None:
    """Charge the hosts for visits that are made."""
    board.hosts.tokens -= np.bincount(board.host[chosen], weights=board.cost[chosen], minlength=len(board.hosts.tokens))


def intervals(board: Board, now_s: float, *, requests_per_hour: float) -> Floats:
    """Seconds between visits of each source at this hour's rates, were all hours like it: what the index comes to, for people to read.

    Found by halving: the price of a request at which the visits of an hour cost what there is.
    """
    pace = board.rates.pace(now_s)
    worthy = WORTH / pace * HOUR_S

    def at(price: float) -> Floats:
        free = np.sqrt(2.0 * price * board.cost / (pace * board.worth)) * HOUR_S
        return np.asarray(np.minimum(np.maximum(np.maximum(free, worthy), board.soonest_s), board.longest_s))

    low, high = 1e-9, 1e9
    for _ in range(80):
        price = (low * high) ** 0.5
        spent = float((board.cost * HOUR_S / at(price)).sum())
        low, high = (price, high) if spent > requests_per_hour else (low, price)
    return at(high)
