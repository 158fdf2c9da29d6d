"""What a visit teaches: how often a source posts, at which hours its kind posts, and whether it is bursting. Arrays, one row a source.

The rate of a source is a Gamma posterior over postings an hour of rhythm (an hour of an average hour of day), forgotten
exponentially towards a prior that the sources of all kinds share; so a new source begins as an average one and is known after a
few visits. The hours of day are learned for each kind together: one source posts too little to show its own. A burst is a second,
hidden state: Bayes' rule after each visit weighs "as always" against "posts far more than always", and the weight fades as long as
nobody looks.

Taken from the sources named in `patrol.schedule`: rates are learned from the visits that the policy makes anyhow (Kolobov et al.
2019 learn change rates so). Hours of day and bursts are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_S = 3600.0
SHANGHAI_H = 8.0
EPSILON = 1e-9
RHYTHM_POSTINGS = 400_000.0
"""Of one kind; beyond it all that was seen counts half, so that a kind may change its habits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How fast is learned. Chosen on simulated weeks of three rate tails (`wangxun bench freshness`): flat around these values."""

    memory_h: float = 14 * 24.0
    """After so many hours of rhythm a visit counts 1/e."""
    prior_shape: float = 0.5
    """Of the Gamma that rates of sources come from: most post little, few post much."""
    rhythm_memory: float = 40.0
    """Postings of every hour of day that the flat rhythm is worth until a kind's own is known."""
    burst_every_h: float = 120.0
    burst_lasts_h: float = 1.5
    burst_times: float = 15.0
    """A burst is expected to post so many times as much as always, and burst_least an hour at least."""
    burst_least: float = 3.0
    burst_shape: float = 1.2
    longest_gap_h: float = 30.0
    """Nothing is learned from a longer gap: the machine was off or the clock jumped, and old postings have left the page."""


@dataclass(slots=True)
class Rhythm:
    """Postings by hour of day in Shanghai, each kind's mean 1: `factor` is kinds x 24."""

    seen: Floats
    expected: Floats
    factor: Floats
    _sum: Floats = field(init=False)

    def __post_init__(self) -> None:
        self._cumulate()

    @classmethod
    def flat(cls, kinds: int) -> Rhythm:
        return cls(seen=np.zeros((kinds, 24)), expected=np.zeros((kinds, 24)), factor=np.ones((kinds, 24)))

    @classmethod
    def known(cls, seen: Floats, expected: Floats, *, worth: float) -> Rhythm:
        """The rhythm that such counts say, flat as far as they say little."""
        factor = (seen + worth) / (expected + worth)
        return cls(seen=seen, expected=expected, factor=factor / factor.mean(axis=1, keepdims=True))

    def _cumulate(self) -> None:
        self._sum = np.concatenate([np.zeros((len(self.factor), 1)), np.cumsum(self.factor, axis=1)], axis=1)

    def passed(self, kind: Ints, moment_s: Floats | float) -> Floats:
        """Hours of rhythm from an arbitrary beginning to `moment_s` (epoch); differences are what counts."""
        local = np.nan_to_num(np.asarray(moment_s, dtype=np.float64)) / HOUR_S + SHANGHAI_H
        day = np.floor(local / 24.0)
        within = local - 24.0 * day
        hour = np.minimum(within.astype(np.int64), 23)
        return np.asarray(day * self._sum[kind, 24] + self._sum[kind, hour] + (within - hour) * self.factor[kind, hour])

    def now(self, kind: Ints, moment_s: float) -> Floats:
        """The factor of this hour, sliding to that of the next: what a visit now will find in the time after it."""
        local = moment_s / HOUR_S + SHANGHAI_H
        hour = int(local % 24.0)
        share = local % 1.0
        return np.asarray((1 - share) * self.factor[kind, hour] + share * self.factor[kind, (hour + 1) % 24])

    def learn(self, kind: Ints, *, since_s: Floats, until_s: float, rate: Floats, found: Floats, worth: float) -> None:
        """Spread `found` over the hours between, as the rhythm known so far expects; then mend the rhythm."""
        hours = np.arange(24.0)
        start = np.asarray(since_s, dtype=np.float64) / HOUR_S + SHANGHAI_H
        end = until_s / HOUR_S + SHANGHAI_H
        base = 24.0 * np.floor(start / 24.0)
        overlap = np.zeros((len(start), 24))
        for day in (0.0, 24.0):
            low = (base + day)[:, None] + hours[None, :]
            overlap += np.clip(np.minimum(end, low + 1.0) - np.maximum(start[:, None], low), 0.0, 1.0)
        expected = overlap * self.factor[kind] * rate[:, None]
        share = expected / np.maximum(expected.sum(axis=1, keepdims=True), EPSILON)
        old = self.expected.sum(axis=1, keepdims=True) > RHYTHM_POSTINGS
        self.seen, self.expected = np.where(old, self.seen / 2, self.seen), np.where(old, self.expected / 2, self.expected)
        np.add.at(self.seen, kind, share * found[:, None])
        np.add.at(self.expected, kind, overlap * rate[:, None])
        self.factor = (self.seen + worth) / (self.expected + worth)
        self.factor /= self.factor.mean(axis=1, keepdims=True)
        self._cumulate()


def log_gamma(x: Floats) -> Floats:
    """Of positive numbers, to 1e-8: Stirling's series beyond 7, reached by the recurrence. numpy has none."""
    shifted, correction = x + 7.0, np.zeros_like(x)
    for step in range(7):
        correction += np.log(x + step)
    inverse = 1.0 / shifted
    series = inverse * (1 / 12.0 - inverse**2 * (1 / 360.0 - inverse**2 / 1260.0))
    return np.asarray((shifted - 0.5) * np.log(shifted) - shifted + 0.9189385332046727 + series - correction)


def log_predictive(found: Floats, *, shape: Floats, rate: Floats, hours: Floats) -> Floats:
    """Log chance of `found` postings in `hours` under a Gamma(shape, rate) belief, but for a term that both hypotheses share."""
    ahead = log_gamma(shape + found) - log_gamma(shape)
    return np.asarray(ahead + shape * np.log(rate / (rate + hours)) + found * np.log(np.maximum(hours, EPSILON) / (rate + hours)))


@dataclass(slots=True)
class Rates:
    """Beliefs about every source; `observe` after visits, `expected` and `pace` before choosing."""

    kind: Ints
    shape: Floats
    exposure: Floats
    """Gamma posterior: `shape / exposure` postings an hour of rhythm."""
    last_s: Floats
    """Moment of the last visit, epoch; NaN before the first."""
    bursting: Floats
    """Belief just after the last visit that a burst was on, 0-1."""
    burst_shape: Floats
    burst_hours: Floats
    rhythm: Rhythm
    learning: Learning = field(default_factory=Learning)
    prior_rate: float = 0.5
    """Postings an hour of a source that nobody has seen yet: the mean of the others."""
    bursts: bool = True
    hours_of_day: bool = True

    @classmethod
    def new(cls, kind: Ints, *, kinds: int, prior_rate: float = 0.5, learning: Learning | None = None) -> Rates:
        count, chosen = len(kind), learning or Learning()
        return cls(
            kind=kind, shape=np.full(count, chosen.prior_shape), exposure=np.full(count, chosen.prior_shape / prior_rate),
            last_s=np.full(count, np.nan), bursting=np.zeros(count), burst_shape=np.full(count, chosen.burst_shape),
            burst_hours=np.full(count, chosen.burst_shape / chosen.burst_least), rhythm=Rhythm.flat(kinds), learning=chosen,
            prior_rate=prior_rate,
        )  # fmt: skip

    @property
    def base(self) -> Floats:
        """Postings an average hour, bursts apart."""
        return np.asarray(self.shape / self.exposure)

    def pace(self, now_s: float) -> Floats:
        """Postings an hour that each source is believed to post now."""
        base = self.base
        if self.hours_of_day:
            base = base * np.maximum(self.rhythm.now(self.kind, now_s), 0.02)
        if self.bursts:
            since = np.nan_to_num((now_s - self.last_s) / HOUR_S)
            fading = self.bursting * np.exp(-np.maximum(since, 0.0) / self.learning.burst_lasts_h)
            base = base + fading * self.burst_shape / self.burst_hours
        return np.asarray(np.maximum(base, EPSILON))

    def expected(self, now_s: float) -> Floats:
        """Postings believed to stand there unseen; without meaning for sources never visited."""
        since = np.maximum(np.nan_to_num((now_s - self.last_s) / HOUR_S), 0.0)
        passed = self.rhythm.passed(self.kind, now_s) - self.rhythm.passed(self.kind, self.last_s) if self.hours_of_day else since
        found = self.base * np.maximum(passed, 0.0)
        if self.bursts:
            lasts = self.learning.burst_lasts_h
            found = found + self.bursting * self.burst_shape / self.burst_hours * lasts * (1.0 - np.exp(-since / lasts))
        return np.asarray(found)

    def observe(self, chosen: Ints, *, now_s: float, found: Floats) -> None:
        """Take in a visit of each of `chosen` at `now_s` that found so many new postings. A first visit's count is a backlog."""
        since = (now_s - self.last_s[chosen]) / HOUR_S
        usable = (since > 0) & (since <= self.learning.longest_gap_h)  # NaN compares false
        rows = chosen[usable]
        if len(rows):
            self._learn(rows, now_s=now_s, found=found[usable], since=since[usable])
        self.last_s[chosen] = now_s

    def _learn(self, rows: Ints, *, now_s: float, found: Floats, since: Floats) -> None:
        one, kind, last = self.learning, self.kind[rows], self.last_s[rows]
        hours = self.rhythm.passed(kind, now_s) - self.rhythm.passed(kind, last) if self.hours_of_day else since
        hours = np.maximum(hours, 1e-3)
        odd = self._burst(rows, found=found, hours=hours, since=since) if self.bursts else np.zeros(len(rows))
        base = self.base[rows]
        if self.hours_of_day:
            calm = (odd < 0.5) & (since <= 6.0)
            self.rhythm.learn(
                kind[calm], since_s=last[calm], until_s=now_s, rate=base[calm], found=found[calm], worth=one.rhythm_memory
            )  # fmt: skip
        # What a burst brought says nothing of the usual: it counts for the burst, not for the base.
        usual = (1.0 - odd) * found + odd * np.minimum(found, base * hours)
        kept = np.exp(-hours / one.memory_h)
        self.shape[rows] = kept * self.shape[rows] + (1 - kept) * one.prior_shape + usual
        self.exposure[rows] = kept * self.exposure[rows] + (1 - kept) * one.prior_shape / self.prior_rate + hours

    def _burst(self, rows: Ints, *, found: Floats, hours: Floats, since: Floats) -> Floats:
        """Belief that a burst was on in the time before this visit; and the new belief that it still is."""
        one = self.learning
        base = self.base[rows]
        usual = np.maximum(one.burst_times * base, one.burst_least)
        fading = np.exp(-since / one.burst_lasts_h)
        starts = 1.0 - np.exp(-since / one.burst_every_h)
        prior = np.clip(self.bursting[rows] + (1 - self.bursting[rows]) * starts, 1e-6, 1 - 1e-6)
        known = self.bursting[rows] > 0.5
        shape = np.where(known, self.burst_shape[rows], one.burst_shape)
        rate = np.where(known, self.burst_hours[rows], one.burst_shape / usual)
        # A burst fills the part of the gap that a burst lasts; the base goes on beneath it.
        lasted = one.burst_lasts_h * (1.0 - fading)
        calm = log_predictive(found, shape=self.shape[rows], rate=self.exposure[rows], hours=hours)
        busy = log_predictive(found, shape=shape, rate=rate, hours=lasted + hours * base * rate / shape)
        odds = np.clip(busy - calm + np.log(prior / (1 - prior)), -50, 50)
        belief = 1.0 / (1.0 + np.exp(-odds))
        extra = np.maximum(found - base * hours, 0.0)
        self.burst_shape[rows] = np.where(belief > 0.5, 0.5 * shape + extra, one.burst_shape)
        self.burst_hours[rows] = np.where(belief > 0.5, 0.5 * rate + lasted, one.burst_shape / usual)
        # Seen in a long gap, it may be over already.
        still = np.where(known, 1.0, lasted / np.maximum(since, EPSILON))
        self.bursting[rows] = belief * still
        return np.asarray(belief)
