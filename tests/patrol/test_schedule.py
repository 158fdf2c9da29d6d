"""The policy: politeness is never overruled, promises are kept, rates and bursts are learned from visits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from patrol.bench.freshness import Week, board_of, figures_of, impolite, oracle, ours, uniform, waits
from patrol.bench.freshworld import START_S, TAILS, World, draw_rates, make_world
from patrol.schedule import Board, Hosts, choose, index, intervals, lateness, pick
from patrol.schedule_rates import HOUR_S, Floats, Learning, Rates, Rhythm, log_gamma

NOON_S = START_S + 12 * HOUR_S


def board(count: int, *, hosts: int = 1, gap_s: float = 1.0, rate: float = 0.5) -> Board:
    rates = Rates.new(np.zeros(count, dtype=np.int64), kinds=1, prior_rate=rate)
    rates.last_s[:] = NOON_S - HOUR_S
    return Board(
        rates=rates, host=np.arange(count, dtype=np.int64) % hosts,
        hosts=Hosts(gap_s=np.full(hosts, gap_s), most=np.full(hosts, 1e6), tokens=np.full(hosts, 1e6)), worth=np.ones(count),
        cost=np.ones(count), soonest_s=np.full(count, 120.0), longest_s=np.full(count, 20 * HOUR_S), not_before_s=np.zeros(count),
        phase=np.linspace(0, 0.99, count),
    )  # fmt: skip


def test_log_gamma_is_that_of_the_standard_library() -> None:
    given = np.array([0.01, 0.3, 0.5, 1.0, 2.5, 40.0, 3000.0])
    assert np.allclose(log_gamma(given), [math.lgamma(one) for one in given], rtol=1e-8, atol=1e-8)


def test_more_is_visited_sooner() -> None:
    found = board(3)
    found.rates.shape = np.array([100.0, 1000.0, 10.0])
    found.rates.exposure[:] = 100.0
    assert pick(found, NOON_S, requests=3).tolist() == [1, 0, 2]


def test_intervals_follow_the_square_root_of_the_rate_and_spend_the_budget() -> None:
    found = board(4, rate=1.0)
    found.rates.shape, found.rates.exposure = np.array([100.0, 400.0, 1600.0, 100.0]), np.full(4, 100.0)
    found.worth[3] = 4.0
    every = intervals(found, NOON_S, requests_per_hour=4.0)
    assert np.allclose(every[0] / every, [1, 2, 4, 2], rtol=1e-3)
    assert (HOUR_S / every).sum() == pytest.approx(4.0, rel=1e-3)


def test_pick_spends_no_more_than_there_is() -> None:
    assert len(pick(board(100), NOON_S, requests=7)) == 7
    assert len(pick(board(100), NOON_S, requests=0)) == 0


def test_a_visit_dearer_than_the_budget_of_a_moment_still_goes() -> None:
    found = board(2)
    found.cost[:] = 50.0
    assert len(pick(found, NOON_S, requests=10)) == 1


def test_pace_of_a_host_is_not_overruled() -> None:
    found = board(100, hosts=2)
    found.hosts.tokens = np.array([3.0, 0.5])
    chosen = pick(found, NOON_S, requests=50)
    assert np.bincount(found.host[chosen], minlength=2).tolist() == [3, 0]


@pytest.mark.parametrize("bound", ["blocked", "quiet", "soonest", "not_before"])
def test_bounds_hold_even_against_a_starving_source(bound: str) -> None:
    found = board(5)
    found.rates.last_s[:] = NOON_S - 30 * HOUR_S
    if bound == "blocked":
        found.hosts.blocked_until_s[:] = NOON_S + 1
    elif bound == "quiet":
        found.quiet = np.array([[11.5, 13.0]])
    elif bound == "soonest":
        found.soonest_s[:] = 31 * HOUR_S
    else:
        found.not_before_s[:] = NOON_S + 1
    assert len(pick(found, NOON_S, requests=5)) == 0


@pytest.mark.parametrize(("quiet", "asleep"), [((22.0, 6.0), False), ((22.0, 13.0), True), ((0.0, 0.0), False), ((12.0, 12.5), True)])
def test_quiet_hours_may_go_over_midnight(quiet: tuple[float, float], asleep: bool) -> None:
    found = board(1)
    found.quiet = np.array([quiet])
    assert found.ready(NOON_S)[0] != asleep


def test_a_starving_source_goes_before_a_busy_one() -> None:
    found = board(2)
    found.rates.shape = np.array([1e6, 0.001])
    found.rates.exposure[:] = 100.0
    found.rates.last_s[1] = NOON_S - 21 * HOUR_S
    assert pick(found, NOON_S, requests=2)[0] == 1


def test_promises_leave_room_for_a_burst() -> None:
    found = board(100)
    found.rates.last_s[:90] = NOON_S - 25 * HOUR_S
    found.rates.shape[:90], found.rates.exposure[:90] = 0.01, 10.0
    found.rates.last_s[90:] = NOON_S - 600
    found.rates.bursting[95], found.rates.burst_shape[95], found.rates.burst_hours[95] = 1.0, 60.0, 1.0
    assert 95 in pick(found, NOON_S, requests=20)


def test_everything_is_swept_in_the_night() -> None:
    found = board(50)
    found.rates.shape[:] = 1e-6  # nothing is expected of them
    found.rates.last_s[:] = START_S
    visited = set()
    for minute in range(60, 361):
        now_s = START_S + minute * 60
        chosen = pick(found, now_s, requests=2)
        found.rates.last_s[chosen] = now_s
        visited |= set(chosen.tolist())
    assert visited == set(range(50))
    assert (lateness(found, START_S + 6.1 * HOUR_S) <= 0).all()


def test_rate_is_learned_from_visits() -> None:
    rates = Rates.new(np.zeros(2, dtype=np.int64), kinds=1)
    rates.hours_of_day = False
    both = np.array([0, 1])
    generator = np.random.default_rng(1)
    for hour in range(60):
        rates.observe(both, now_s=NOON_S + hour * HOUR_S, found=generator.poisson([6.0, 0.05]).astype(float))
    assert rates.base[0] == pytest.approx(6.0, rel=0.2)
    assert rates.base[1] < 0.15


def test_the_first_visit_is_a_backlog_and_teaches_nothing() -> None:
    rates = Rates.new(np.zeros(1, dtype=np.int64), kinds=1)
    before = rates.base.copy()
    rates.observe(np.array([0]), now_s=NOON_S, found=np.array([500.0]))
    assert rates.base == before
    assert rates.last_s[0] == NOON_S


@pytest.mark.parametrize("gap_h", [-5.0, 40.0, 24.0 * 365])
def test_a_clock_that_jumped_teaches_nothing(gap_h: float) -> None:
    rates = Rates.new(np.zeros(1, dtype=np.int64), kinds=1)
    rates.observe(np.array([0]), now_s=NOON_S, found=np.array([0.0]))
    before = rates.base.copy()
    rates.observe(np.array([0]), now_s=NOON_S + gap_h * HOUR_S, found=np.array([3.0]))
    assert rates.base == before


def calm_then(found: float) -> Rates:
    """A source that posts one an hour, and then this in a quarter of an hour."""
    rates = Rates.new(np.zeros(1, dtype=np.int64), kinds=1)
    rates.hours_of_day = False
    for hour in range(48):
        rates.observe(np.array([0]), now_s=NOON_S + hour * HOUR_S, found=np.array([1.0]))
    rates.observe(np.array([0]), now_s=NOON_S + 47.25 * HOUR_S, found=np.array([found]))
    return rates


def test_a_burst_is_seen_answered_within_minutes_and_forgotten() -> None:
    rates = calm_then(12.0)
    assert rates.bursting[0] > 0.8
    assert rates.base[0] == pytest.approx(1.0, abs=0.2), "what a burst brings is not what the source usually posts"
    found = board(1000, rate=1.0)
    found.rates.shape, found.rates.exposure = np.full(1000, 100.0), np.full(1000, 100.0)
    now_s = NOON_S + 47.25 * HOUR_S
    for name in ("shape", "exposure", "bursting", "burst_shape", "burst_hours", "last_s"):
        getattr(found.rates, name)[0] = getattr(rates, name)[0]
    every = intervals(found, now_s, requests_per_hour=1000)
    assert every[0] < 12 * 60 < 50 * 60 < every[1]
    assert intervals(found, now_s + 12 * HOUR_S, requests_per_hour=1000)[0] > 50 * 60


def test_one_more_than_usual_is_no_burst() -> None:
    assert calm_then(1.0).bursting[0] < 0.2


def test_rhythm_of_a_kind_is_learned() -> None:
    rhythm = Rhythm.flat(1)
    kind = np.zeros(1, dtype=np.int64)
    for day in range(20):
        for hour in range(24):
            begins = START_S + (24 * day + hour) * HOUR_S
            busy = 40.0 if 9 <= hour < 18 else 4.0
            rhythm.learn(
                kind, since_s=np.array([begins]), until_s=begins + HOUR_S, rate=np.array([17.5]), found=np.array([busy]), worth=40.0
            )
    assert rhythm.factor[0, 12] > 5 * rhythm.factor[0, 3]
    assert rhythm.factor.mean() == pytest.approx(1.0)


def test_rhythm_passes_as_much_as_its_hours_add_up_to() -> None:
    generator = np.random.default_rng(4)
    rhythm = Rhythm.known(generator.random((2, 24)) * 50, np.full((2, 24), 25.0), worth=1.0)
    kind = np.array([0, 1])
    begins, ends = START_S + 5.25 * HOUR_S, START_S + 40.5 * HOUR_S
    steps = np.arange(begins, ends, 30.0)
    slow = [sum(rhythm.factor[one, int((step - START_S) / HOUR_S % 24)] for step in steps) * 30 / HOUR_S for one in kind]
    assert np.allclose(rhythm.passed(kind, ends) - rhythm.passed(kind, begins), slow, rtol=1e-3)


@examples(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 60), hosts=st.integers(1, 8), requests=st.floats(0, 200), tokens=st.floats(0, 30))
def test_choice_keeps_every_bound(seed: int, count: int, hosts: int, requests: float, tokens: float) -> None:
    generator = np.random.default_rng(seed)
    score, cost = generator.normal(size=count), generator.uniform(0.5, 9, count)
    host = generator.integers(0, hosts, count)
    allowed = generator.uniform(0, tokens, hosts) if tokens else np.zeros(hosts)
    chosen = choose(score, cost=cost, host=host, tokens=allowed, requests=requests)
    assert len(set(chosen.tolist())) == len(chosen)
    assert (score[chosen] > 0).all()
    assert (np.bincount(host[chosen], weights=cost[chosen], minlength=hosts) <= allowed + 1e-6).all()
    assert cost[chosen].sum() <= requests + 1e-6 or len(chosen) == 1


# --- the bench's world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(seed=7, sources=300, tail="pareto1.2", hosts=20, hours=60)


@pytest.fixture(scope="module")
def equal_turns(world: World) -> Week:
    return uniform(world, requests_per_hour=300)


def test_a_small_week_is_fresher_than_equal_turns_and_close_to_the_optimum(world: World, equal_turns: Week) -> None:
    week = ours(world, requests_per_hour=300)
    mine, equal = figures_of(world, week), figures_of(world, equal_turns)
    known = figures_of(world, oracle(world, requests_per_hour=300))
    assert mine["median"] < 0.6 * equal["median"]
    assert known["mean"] * 0.95 < mine["mean"] < 1.35 * known["mean"], "it learns for a day of these two"
    assert mine["late"] == 0
    assert impolite(world, week) == 0
    assert len(week.source) <= 300 * 60 + 60


def test_waits_are_those_to_the_next_visit_of_the_same_source(world: World, equal_turns: Week) -> None:
    week = equal_turns
    found = waits(world, week)
    generator = np.random.default_rng(3)
    for at in generator.integers(0, len(found), 40):
        later = week.hour[(week.source == world.posting_source[at]) & (week.hour >= world.posting_h[at])]
        slow = later.min() - world.posting_h[at] if len(later) else np.inf
        assert found[at] == pytest.approx(slow, abs=1e-6)


def test_impolite_visits_would_be_counted(world: World, equal_turns: Week) -> None:
    week = equal_turns
    rude = replace(week, source=np.tile(week.source[:200], 20), hour=np.full(4000, 3.0))
    assert impolite(world, rude) > 0
    asleep = replace(world, quiet=np.tile([0.0, 23.99], (20, 1)))
    assert impolite(asleep, week) > 1000


@pytest.mark.parametrize("tail", TAILS)
def test_rates_have_their_mean_and_a_heavy_tail(tail: str) -> None:
    rate: Floats = draw_rates(np.random.default_rng(2), sources=20_000, tail=tail)
    assert rate.mean() == pytest.approx(0.5, rel=0.02)
    assert np.sort(rate)[-200:].sum() / rate.sum() > 0.08, "one source in a hundred posts far more than its share"


def test_the_same_seed_gives_the_same_week() -> None:
    weeks = [ours(make_world(seed=5, sources=120, tail="lognormal", hosts=10, hours=6), requests_per_hour=120) for _ in range(2)]
    assert np.array_equal(weeks[0].source, weeks[1].source)


def test_the_index_is_sure_of_sources_never_visited() -> None:
    found = board(2)
    found.rates.last_s[:] = np.nan
    assert (index(found, NOON_S) > 0).all()
    assert (
        board_of(make_world(seed=1, sources=10, tail="lognormal", hosts=3), rates=Rates.new(np.zeros(10, dtype=np.int64), kinds=1))
        .ready(NOON_S)
        .all()
    )
    assert Learning().longest_gap_h > 24
