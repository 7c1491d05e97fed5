"""The ramp against modelled links: it must come near the best fixed count without knowing the link."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.ramp import FAR_CONNECTIONS, INITIAL_CONNECTIONS, QUICK_SETUP, WORTH_SECONDS, Ramp
from tests.core.links import MB, Fixed, Link, best_fixed, run

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS = (1, 2, 3)
CEILINGS = (1, 2, 4, 8, 16, 64)


def by_time(*rates: tuple[float, float]) -> Callable[[float], float]:
    """A bottleneck that takes each rate at its moment."""
    return lambda now: [rate for since, rate in rates if since <= now][-1]


def steady(rate: float) -> Callable[[float], float]:
    return by_time((0, rate))


NEAR = [
    Link("a cap per connection", noise=0.2),
    Link("a shared bottleneck", rates=(50 * MB,), bottleneck=steady(20 * MB), noise=0.2),
    Link("a cap, and a bottleneck past 10", bottleneck=steady(21 * MB), noise=0.2),
    Link("a cap, and a bottleneck past 5", bottleneck=steady(9.5 * MB), noise=0.2),
    Link("unequal connections", rates=(4 * MB, 4 * MB, 4 * MB, 0.2 * MB), noise=0.2),
    Link("turned away past 1", refuse_past=1, noise=0.2),
    Link("turned away past 3", refuse_past=3, noise=0.2),
    Link("turned away past 6", refuse_past=6, noise=0.2),
    Link("turned away past 12", refuse_past=12, noise=0.2),
    Link("a bottleneck that sinks", bottleneck=by_time((0, 60 * MB), (8, 20 * MB)), noise=0.2),
]
COLLAPSING = [Link(f"collapse past {n}", collapse_past=n, noise=0.2) for n in (1, 2, 3, 4, 5, 6, 7, 10, 14, 24)]
FAR = [
    Link("a cap, 60 ms away", rtt=0.06, noise=0.2),
    Link("a bottleneck, 60 ms away", rates=(50 * MB,), bottleneck=steady(20 * MB), rtt=0.06, noise=0.2),
    Link("unequal, 60 ms away", rates=(4 * MB, 4 * MB, 4 * MB, 0.2 * MB), rtt=0.06, noise=0.2),
    Link("turned away past 4, 60 ms away", refuse_past=4, rtt=0.06, noise=0.2),
]
#: Four doublings of four round trips each, or a search among levels that each need a slow start: not in 10 s.
SLOW_TO_LEARN = [
    Link("a cap, 200 ms away", rtt=0.2, noise=0.2),
    Link("collapse past 4, 20 ms away", collapse_past=4, rtt=0.02, noise=0.2),
    Link("collapse past 6, 30 ms away", collapse_past=6, rtt=0.03, noise=0.2),
]


def efficiency(link: Link, ceiling: int, seconds: float, seed: int) -> float:
    """What the ramp delivers, as a part of what the best fixed count would have."""
    best, _ = best_fixed(link, ceiling, seconds, seed)
    return run(link, Ramp(ceiling), seconds=seconds, seed=seed).received / best


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ceiling", CEILINGS)
@pytest.mark.parametrize("link", NEAR + FAR, ids=lambda link: link.name)
def test_ten_seconds_bring_90_percent_of_the_best_fixed_count(link: Link, ceiling: int, seed: int) -> None:
    assert efficiency(link, ceiling, 10.0, seed) >= 0.9


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ceiling", CEILINGS)
@pytest.mark.parametrize("link", COLLAPSING + SLOW_TO_LEARN, ids=lambda link: link.name)
def test_half_a_minute_brings_90_percent_where_the_top_must_be_searched_or_comes_slowly(
    link: Link, ceiling: int, seed: int
) -> None:
    assert efficiency(link, ceiling, 30.0, seed) >= 0.9


def test_a_short_download_pays_at_most_6_percent_for_starting_small() -> None:
    link = Link("4 MB/s each", rates=(4 * MB,))
    fixed = run(link, Fixed(16), size=100 * MB).seconds
    assert run(link, Ramp(16), size=100 * MB).seconds <= 1.06 * fixed


def test_a_short_download_over_unequal_connections_pays_at_most_6_percent() -> None:
    link = Link("one in four is slow", rates=(4 * MB, 4 * MB, 4 * MB, 0.2 * MB))
    fixed = run(link, Fixed(16), size=100 * MB).seconds
    assert run(link, Ramp(16), size=100 * MB).seconds <= 1.06 * fixed


def test_a_full_shared_bottleneck_stops_the_growth() -> None:
    link = Link("shared", rates=(50 * MB,), bottleneck=steady(20 * MB))
    assert max(limit for _, limit in run(link, Ramp(64), seconds=60.0).limits) <= 2 * INITIAL_CONNECTIONS + 2


def test_a_bottleneck_that_lifts_is_noticed_long_before_the_next_probe() -> None:
    link = Link("lifting", bottleneck=by_time((0, 20 * MB), (15, 100 * MB)), noise=0.2)
    result = run(link, Ramp(64), seconds=30.0, seed=1)
    assert result.limit_at(14.9) <= 20
    assert result.limit_at(20.0) >= 45


def test_a_plateau_is_probed_by_a_small_step_and_ever_more_rarely() -> None:
    link = Link("shared", rates=(50 * MB,), bottleneck=steady(20 * MB))
    late = [(at, limit) for at, limit in run(link, Ramp(64), seconds=60.0).limits if at > 5]
    (first, up), (_, back), (second, again), (_, held) = late
    assert back == held < up == again <= back * 5 // 4
    assert second - first >= 20


def test_a_link_that_slows_down_by_itself_keeps_its_connections() -> None:
    link = Link("sinking", bottleneck=by_time((0, 100 * MB), (10, 1 * MB)), noise=0.2)
    result = run(link, Ramp(16), seconds=60.0, seed=1)
    assert {result.limit_at(second) for second in range(11, 60)} == {16}


def test_a_collapse_is_left_within_half_a_second_and_not_tried_again() -> None:
    link = Link("collapse past 8", collapse_past=8)
    result = run(link, Ramp(16), seconds=50.0)
    beyond = [at for at, limit in result.limits if limit > 14]
    assert len(beyond) == 1
    assert result.limit_at(beyond[0] + 0.5) <= 8
    assert result.limit_at(50.0) == 8


def test_a_collapse_that_slow_start_made_look_like_growth_is_left() -> None:
    link = Link("collapse past 4, 20 ms away", collapse_past=4, rtt=0.02)
    result = run(link, Ramp(8), seconds=10.0)
    assert max(limit for _, limit in result.limits) == 8
    assert result.limit_at(5.0) == 4


def test_a_collapse_far_away_is_left_although_its_second_step_seemed_to_pay_too() -> None:
    link = Link("collapse past 4, 100 ms away", collapse_past=4, rtt=0.1)
    result = run(link, Ramp(16), seconds=10.0)
    assert max(limit for _, limit in result.limits) == 16
    assert result.limit_at(10.0) == 4


def test_a_ceiling_reached_at_the_start_may_be_past_the_collapse_too() -> None:
    result = run(Link("collapse past 2", collapse_past=2), Ramp(4), seconds=10.0)
    assert result.limits[0] == (0.0, 4)
    assert result.limit_at(5.0) == 2


def test_a_healthy_level_is_checked_against_a_lower_one_once() -> None:
    result = run(Link("a cap per connection"), Ramp(16), seconds=120.0)
    reached = next(at for at, limit in result.limits if limit == 16)
    (down, lower), (back, held) = [(at, limit) for at, limit in result.limits if at > reached]
    assert lower == 12
    assert held == 16
    assert 10.0 <= down - reached <= 12.0
    assert back - down <= 0.7


def test_a_bottleneck_that_comes_and_goes_is_used_while_it_is_wide() -> None:
    link = Link("every 3 s", bottleneck=lambda now: (60 if int(now / 3) % 2 else 15) * MB, noise=0.2)
    assert efficiency(link, 64, 60.0, seed=1) >= 0.9


@pytest.mark.parametrize("seed", range(10))
def test_noise_does_not_make_a_short_download_pay_more(seed: int) -> None:
    link = Link("4 MB/s each, noisy", rates=(4 * MB,), noise=0.2)
    fixed = run(link, Fixed(16), size=100 * MB, seed=seed).seconds
    assert run(link, Ramp(16), size=100 * MB, seed=seed).seconds <= 1.06 * fixed


@pytest.mark.parametrize("rtt", [0.03, 0.06])
def test_a_short_download_from_afar_pays_at_most_12_percent(rtt: float) -> None:
    link = Link("4 MB/s each, far", rates=(4 * MB,), rtt=rtt, noise=0.2)
    for seed in range(5):
        fixed = run(link, Fixed(16), size=100 * MB, seed=seed).seconds
        assert run(link, Ramp(16), size=100 * MB, seed=seed).seconds <= 1.12 * fixed


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cap_of_4_costs_at_most_8_refusals_a_minute(seed: int) -> None:
    result = run(Link("503 past 4", refuse_past=4, noise=0.2), Ramp(16), seconds=60.0, seed=seed)
    assert result.refused <= 8
    assert not [at for at in result.refused_at if result.refused_at[0] < at < result.refused_at[0] + 30]
    assert result.limit_at(60.0) == 4


def test_a_refused_level_stays_closed_for_twice_as_long_each_time() -> None:
    result = run(Link("503 past 4", refuse_past=4), Ramp(16), seconds=300.0)
    first, second, third, fourth = sorted(set(result.refused_at))
    assert 30 <= second - first < 45
    assert 60 <= third - second < 75
    assert 120 <= fourth - third < 135


def test_a_burst_of_refusals_is_one_event() -> None:
    ramp = Ramp(16)
    for _ in range(12):
        ramp.on_refused(1.0, working=3)
    assert ramp.limit == 3
    feed(ramp, start=1.0, seconds=29.0, per_connection=1 * MB)
    assert ramp.limit == 3
    feed(ramp, start=30.0, seconds=20.0, per_connection=1 * MB)
    assert ramp.limit > 3


def test_connections_that_flow_after_a_refusal_are_kept() -> None:
    ramp = Ramp(16)
    ramp.on_tick(0.0, flowing=0, opening=4, received=0)
    ramp.on_refused(0.05, working=1)
    assert ramp.limit == 1
    ramp.on_tick(0.10, flowing=3, opening=0, received=MB)
    assert ramp.limit == 3


def test_an_origin_that_turned_all_away_is_climbed_again_once_it_answers() -> None:
    ramp = Ramp(16)
    ramp.on_refused(0.0, working=0)
    assert ramp.limit == 1
    feed(ramp, start=1.1, seconds=0.8, per_connection=1 * MB)
    assert ramp.limit == 1
    feed(ramp, start=2.1, seconds=2.0, per_connection=1 * MB)
    assert ramp.limit == 16


@pytest.mark.parametrize(("ceiling", "first"), [(16, FAR_CONNECTIONS), (8, 8), (5, 5)])
def test_a_far_origin_gets_more_at_once_for_each_step_costs_round_trips(ceiling: int, first: int) -> None:
    ramp = Ramp(ceiling)
    ramp.on_first_answer(2 * QUICK_SETUP)
    assert ramp.limit == first
    near = Ramp(ceiling)
    near.on_first_answer(QUICK_SETUP / 2)
    assert near.limit == min(INITIAL_CONNECTIONS, ceiling)


@pytest.mark.parametrize(("seconds_left", "tries"), [(WORTH_SECONDS / 2, False), (WORTH_SECONDS * 2, True)])
def test_nothing_is_tried_any_more_when_little_is_left(seconds_left: float, tries: bool) -> None:
    ramp = Ramp(8)
    total = feed(ramp, start=0.0, seconds=0.5, per_connection=MB)
    assert ramp.limit == 8
    limits = set()
    for tick in range(200):
        ramp.on_tick(0.55 + tick * 0.05, flowing=8, opening=0, received=int(total), left=int(8 * MB * seconds_left))
        total += 8 * MB * 0.05
        limits.add(ramp.limit)
    assert (limits != {8}) is tries


@pytest.mark.parametrize(("seconds_left", "tries"), [(WORTH_SECONDS / 2, False), (WORTH_SECONDS * 2, True)])
def test_a_step_that_paid_little_is_kept_when_little_is_left(seconds_left: float, tries: bool) -> None:
    """Four brought 8 MB/s and eight bring 10: to look for the top in between would cost more than it could bring."""
    ramp, limits, total = Ramp(8), set(), 0.0
    for tick in range(60):
        rate = 8 * MB if ramp.limit == INITIAL_CONNECTIONS else 10 * MB * ramp.limit / 8
        total += rate * 0.05
        left = int(rate * seconds_left)
        ramp.on_tick(tick * 0.05, flowing=ramp.limit, opening=0, received=int(total), left=left)
        limits.add(ramp.limit)
    assert limits - {INITIAL_CONNECTIONS, 8} == ({6} if tries else set())


@pytest.mark.parametrize(("together", "least", "most"), [(6 * MB, -0.1, 0.1), (1000 * MB, 0.9, 1.1)])
def test_it_knows_what_its_last_change_brought(together: float, least: float, most: float) -> None:
    """Each brings 2 MB/s, but all of them no more than `together`."""
    assert Ramp(8).gain is None
    ramp, total = Ramp(8), 0.0
    for tick in range(120):
        total += min(2 * MB * ramp.limit, together) * 0.05
        ramp.on_tick(tick * 0.05, flowing=ramp.limit, opening=0, received=int(total))
    assert ramp.gain is not None
    assert least <= ramp.gain <= most


def test_one_silent_connection_stops_nobody() -> None:
    ramp = Ramp(16)
    feed(ramp, start=0.0, seconds=0.5, per_connection=1 * MB, silent=1)
    assert ramp.limit == 16


def test_a_rate_that_connections_past_the_limit_still_bring_decides_nothing() -> None:
    ramp = Ramp(16)
    for tick in range(20):
        ramp.on_tick(tick * 0.05, flowing=INITIAL_CONNECTIONS + 2, opening=0, received=tick * MB)
    assert ramp.limit == INITIAL_CONNECTIONS


def test_many_silent_connections_hold_the_ramp_for_seconds_only() -> None:
    ramp = Ramp(16)
    feed(ramp, start=0.0, seconds=2.5, per_connection=1 * MB, silent=2)
    assert ramp.limit == INITIAL_CONNECTIONS
    feed(ramp, start=2.5, seconds=1.0, per_connection=1 * MB, silent=2)
    assert ramp.limit > INITIAL_CONNECTIONS


def test_fewer_connections_than_allowed_decide_nothing() -> None:
    ramp = Ramp(16)
    for tick in range(200):
        ramp.on_tick(tick * 0.05, flowing=2, opening=0, received=tick * MB)
    assert ramp.limit == INITIAL_CONNECTIONS


def test_an_hour_of_sleep_amid_a_proof_is_not_a_collapse() -> None:
    ramp = Ramp(16)
    total = feed(ramp, start=0.0, seconds=0.4, per_connection=1 * MB)
    assert ramp.limit == 16
    for tick in range(20):
        total = feed(ramp, start=3600.0 + tick * 0.1, seconds=0.05, per_connection=1 * MB, total=total)
        assert ramp.limit == 16


@pytest.mark.parametrize(("ceiling", "initial"), [(0, 4), (4, 0), (-1, 4)])
def test_a_ramp_without_room_is_a_mistake(ceiling: int, initial: int) -> None:
    with pytest.raises(ValueError, match="at least one connection"):
        Ramp(ceiling, initial=initial)


TICKS = st.tuples(st.floats(-1, 5), st.integers(0, 80), st.integers(0, 80), st.integers(0, 10 * MB))
REFUSALS = st.tuples(st.floats(-1, 40), st.integers(0, 80))


@given(st.integers(1, 64), st.integers(1, 64), st.lists(st.one_of(TICKS, REFUSALS), max_size=200))
def test_the_limit_stays_between_1_and_the_ceiling_whatever_happens(
    ceiling: int, initial: int, happenings: list[tuple[float, int, int, int] | tuple[float, int]]
) -> None:
    ramp = Ramp(ceiling, initial=initial)
    now, received = 0.0, 0
    for happening in happenings:
        now += happening[0]
        if len(happening) == 4:
            received += happening[3]
            ramp.on_tick(now, flowing=happening[1], opening=happening[2], received=received)
        else:
            ramp.on_refused(now, working=happening[1])
        assert 1 <= ramp.limit <= ceiling


@given(
    st.integers(1, 64),
    st.lists(
        st.tuples(st.sampled_from(["full", "full", "full", "idle", "refused"]), st.integers(0, MB)),
        max_size=400,
    ),
)
def test_the_limit_stays_in_bounds_when_the_engine_obeys_it(ceiling: int, steps: list[tuple[str, int]]) -> None:
    ramp = Ramp(ceiling)
    received = 0
    for tick, (kind, fresh) in enumerate(steps):
        received += fresh
        if kind == "refused":
            ramp.on_refused(tick * 0.2, working=fresh % (ceiling + 1))
        ramp.on_tick(tick * 0.2, flowing=ramp.limit if kind == "full" else 0, opening=0, received=received)
        assert 1 <= ramp.limit <= ceiling


def feed(
    ramp: Ramp, *, start: float, seconds: float, per_connection: float, silent: int = 0, total: float = 0.0
) -> float:
    """Tick every 50 ms with all but `silent` connections flowing evenly; returns the bytes in all."""
    for tick in range(round(seconds / 0.05) + 1):
        flowing = ramp.limit - silent
        ramp.on_tick(start + tick * 0.05, flowing=flowing, opening=silent, received=int(total))
        total += flowing * per_connection * 0.05
    return total
