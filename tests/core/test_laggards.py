"""A connection far below its fellows is replaced, with growing patience."""

from __future__ import annotations

from penstock.core.laggards import PATIENCE_SECONDS, Laggards

SLOW_FOURTH = {1: 4e6, 2: 4e6, 3: 4e6, 4: 2e5}


def test_F21_a_connection_far_below_the_others_is_named_after_a_while() -> None:
    laggards = Laggards()
    assert laggards.judge(0.0, SLOW_FOURTH) == []
    assert laggards.judge(PATIENCE_SECONDS * 0.9, SLOW_FOURTH) == []
    assert laggards.judge(PATIENCE_SECONDS, SLOW_FOURTH) == [4]


def test_each_replacement_doubles_the_patience() -> None:
    laggards = Laggards()
    laggards.judge(0.0, SLOW_FOURTH)
    assert laggards.judge(PATIENCE_SECONDS, SLOW_FOURTH) == [4]
    again = {**SLOW_FOURTH, 5: 1e5}
    del again[4]
    again[3] = 4e6
    again[6] = 4e6
    laggards.judge(10.0, again)
    assert laggards.judge(10.0 + PATIENCE_SECONDS, again) == []
    assert laggards.judge(10.0 + 2 * PATIENCE_SECONDS, again) == [5]


def test_one_that_recovers_is_forgiven() -> None:
    laggards = Laggards()
    laggards.judge(0.0, SLOW_FOURTH)
    laggards.judge(0.3, {**SLOW_FOURTH, 4: 3e6})
    assert laggards.judge(0.6, SLOW_FOURTH) == []


def test_ordinary_differences_are_no_reason() -> None:
    laggards = Laggards()
    rates = {1: 4e6, 2: 2e6, 3: 1e6, 4: 8e5}
    assert all(laggards.judge(now / 10, rates) == [] for now in range(100))


def test_two_connections_have_no_fellows_to_compare_with() -> None:
    laggards = Laggards()
    assert all(laggards.judge(now / 10, {1: 4e6, 2: 1.0}) == [] for now in range(100))


def test_silence_counts_from_the_last_byte() -> None:
    laggards = Laggards()
    rates = {1: 4e6, 2: 4e6, 3: 4e6, 4: 0.0}
    assert laggards.judge(10.0, rates, {4: PATIENCE_SECONDS * 0.9}) == []
    assert laggards.judge(10.0, rates, {4: PATIENCE_SECONDS}) == [4]
