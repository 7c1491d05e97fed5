"""Numbers that hold still."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.steady import HOLD_SECONDS, Steady, steadied


def fed(rate_at: Callable[[float], float], seconds: float, every: float = 0.1) -> list[Steady]:
    """What becomes of a rate that is told `every` so many seconds."""
    steady, told = None, []
    for tick in range(int(seconds / every)):
        steady = steadied(steady, tick * every, rate_at(tick * every))
        told.append(steady)
    return told


def test_what_is_shown_changes_twice_a_second_at_most() -> None:
    told = fed(lambda at: 100 + at, 11)[10:]
    changes = sum(one.shown != other.shown for one, other in itertools.pairwise(told))
    assert 10 <= changes <= 10 / HOLD_SECONDS


def test_a_burst_at_the_beginning_is_neither_kept_nor_foretold_by() -> None:
    told = fed(lambda at: 100 + 1e6 * (at < 0.25), 2)
    assert [steady.is_young for steady in told] == [True] * 10 + [False] * 10
    assert {steady.shown for steady in told[3:]} == {100}
    assert {steady.mean for steady in told[10:]} == {100}


def test_a_standstill_is_shown_at_once_and_so_is_its_end() -> None:
    steady = steadied(None, 0.0, 100.0)
    assert steadied(steady, 0.1, 0.0).shown == 0
    assert steadied(steadied(steady, 0.1, 0.0), 0.2, 50.0) == Steady(50.0, 50.0, 0.2, 0.2, 0.2)


def test_the_mean_does_not_follow_every_turn_but_gets_there() -> None:
    told = fed(lambda at: 100.0 if at < 60 else 50.0, 120)
    assert told[599].mean == 100
    assert told[610].mean > 90, "one second of half the speed does not double the time left"
    assert 50 <= told[-1].mean < 51


def test_a_slow_start_is_soon_forgotten() -> None:
    assert fed(lambda at: 1.0 if at < 0.5 else 100.0, 4)[-1].mean > 80


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=50))
def test_the_mean_lies_between_the_least_and_the_most(rates: list[float]) -> None:
    steady = None
    for tick, rate in enumerate(rates):
        steady = steadied(steady, tick * 0.1, rate)
    assert steady is not None
    assert min(rates) * 0.999 <= steady.mean <= max(rates) * 1.001
