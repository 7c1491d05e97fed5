from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.core.rates import RateMeter

MB = 1_000_000


def flow(meter: RateMeter, *, start: float, seconds: float, rate: float, total: int = 0, tick: float = 0.05) -> int:
    """Feed `meter` an even flow; returns the total afterwards."""
    for step in range(1, round(seconds / tick) + 1):
        meter.update(start + step * tick, total + int(rate * step * tick))
    return total + int(rate * round(seconds / tick) * tick)


def test_the_rate_is_usable_after_a_tenth_of_a_second() -> None:
    meter = RateMeter(0.0)
    flow(meter, start=0.0, seconds=0.1, rate=4 * MB)
    assert meter.rate == pytest.approx(4 * MB, rel=0.1)


def test_a_slow_handshake_does_not_count_as_a_low_rate() -> None:
    meter = RateMeter(0.0)
    meter.update(0.5, 0)
    meter.update(1.0, 0)
    flow(meter, start=1.0, seconds=0.1, rate=4 * MB)
    assert meter.rate == pytest.approx(4 * MB, rel=0.1)


def test_a_first_burst_is_not_read_as_gigabytes_a_second() -> None:
    meter = RateMeter(0.0)
    meter.update(0.010, 16_384)
    meter.update(0.010_01, 32_768)
    assert meter.rate < 1 * MB


def test_bytes_of_before_are_not_counted() -> None:
    meter = RateMeter(0.0, total_bytes=100 * MB)
    flow(meter, start=0.0, seconds=1.0, rate=1 * MB, total=100 * MB)
    assert meter.rate == pytest.approx(1 * MB, rel=0.05)


def test_a_rate_says_something_after_a_tenth_of_a_second_of_flow_and_not_before() -> None:
    meter = RateMeter(0.0)
    meter.update(1.0, 0)
    assert not meter.measured
    meter.update(1.05, 200_000)
    assert not meter.measured
    meter.update(1.10, 400_000)
    assert not meter.measured
    meter.update(1.15, 600_000)
    assert meter.measured


@pytest.mark.parametrize(("old", "new"), [(4 * MB, 1 * MB), (1 * MB, 4 * MB)])
def test_a_change_is_followed_within_a_second(old: int, new: int) -> None:
    meter = RateMeter(0.0)
    total = flow(meter, start=0.0, seconds=3.0, rate=old)
    flow(meter, start=3.0, seconds=1.0, rate=new, total=total)
    assert abs(meter.rate - new) < 0.2 * abs(old - new)


def test_a_second_of_silence_leaves_less_than_a_third() -> None:
    meter = RateMeter(0.0)
    total = flow(meter, start=0.0, seconds=3.0, rate=4 * MB)
    meter.update(4.0, total)
    assert 0 < meter.rate <= 0.3 * 4 * MB


def test_a_pause_neither_lowers_the_rate_nor_counts_as_silence() -> None:
    meter = RateMeter(0.0)
    total = flow(meter, start=0.0, seconds=1.0, rate=4 * MB)
    before = meter.rate
    meter.pause(1.0)
    meter.pause(2.0)
    meter.update(30.0, total)
    assert meter.silent_for(31.0) == 0
    meter.resume(61.0)
    meter.resume(62.0)
    assert meter.rate == before
    assert meter.silent_for(61.5) == pytest.approx(0.5)
    flow(meter, start=61.0, seconds=1.0, rate=4 * MB, total=total)
    assert meter.rate == pytest.approx(4 * MB, rel=0.05)


def test_silence_is_counted_from_the_start_and_from_the_last_new_byte() -> None:
    meter = RateMeter(10.0)
    assert meter.silent_for(12.0) == pytest.approx(2.0)
    meter.update(12.0, 1)
    meter.update(15.0, 1)
    assert meter.silent_for(15.0) == pytest.approx(3.0)


def test_the_rate_does_not_depend_on_how_often_it_is_asked() -> None:
    rates = []
    for tick in (0.01, 0.5):
        meter = RateMeter(0.0)
        total = flow(meter, start=0.0, seconds=2.0, rate=4 * MB, tick=0.01)
        flow(meter, start=2.0, seconds=0.5, rate=1 * MB, total=total, tick=tick)
        rates.append(meter.rate)
    assert rates[0] == pytest.approx(rates[1], rel=0.02)


@example([(0.021268035301685487, 1, "pause"), (0.5, 4, "resume")])  # what is left of the pause's clock is rounding
@given(st.lists(st.tuples(st.floats(-0.1, 0.5), st.integers(0, MB), st.sampled_from(["", "pause", "resume"]))))
def test_a_rate_lies_between_nothing_and_the_fastest_moment(steps: list[tuple[float, int, str]]) -> None:
    meter = RateMeter(0.0)
    now, total = 0.0, 0
    for elapsed, fresh, command in steps:
        now += elapsed
        total += fresh
        if command == "pause":
            meter.pause(now)
        if command == "resume":
            meter.resume(now)
        meter.update(now, total)
        assert 0 <= meter.rate <= total / 0.05 * (1 + 1e-9)
        assert meter.silent_for(now) >= 0
