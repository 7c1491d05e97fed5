"""The ideal time over shaped links, reckoned by hand."""

from __future__ import annotations

import pytest
from bench.links import ALL, CHANGES_EVERY, MB, Links

SIZE = 100 * MB


def test_equal_rates_add_up() -> None:
    assert Links("", "").ideal(8, SIZE) == pytest.approx(100 / 32)


def test_uneven_rates_are_given_in_turn() -> None:
    assert Links("", "", (4, 4, 4, 0.2)).ideal(8, SIZE) == pytest.approx(100 / 24.4)
    assert Links("", "", (4, 4, 4, 0.2)).ideal(3, SIZE) == pytest.approx(100 / 12)


def test_a_silent_connection_counts_as_nothing_and_a_reset_one_in_full() -> None:
    assert Links("", "", silent=True).ideal(8, SIZE) == pytest.approx(100 / 28)
    assert Links("", "", silent=True).ideal(16, SIZE) == pytest.approx(100 / 56)
    assert Links("", "", silent=True, reset=True).ideal(8, SIZE) == pytest.approx(100 / 28)


def test_no_more_connections_count_than_the_server_answers() -> None:
    assert Links("", "", cap=4).ideal(16, SIZE) == pytest.approx(100 / 16)


def test_round_trips_before_the_first_byte_are_paid() -> None:
    assert Links("", "", round_trip=0.1).ideal(8, SIZE) == pytest.approx(100 / 32 + 0.2)


def test_changing_rates_are_summed_second_by_second() -> None:
    links = Links("", "", changing=True)
    ideal = links.ideal(8, SIZE)
    whole = int(ideal / CHANGES_EVERY)
    together = [sum(links.rate(number, second) for number in range(1, 9)) for second in range(whole + 1)]
    assert sum(together[:whole]) + together[whole] * (ideal - whole) == pytest.approx(SIZE)
    assert len({links.rate(1, second) for second in range(10)}) == 10
    assert links.rate(3, 2.0) == links.rate(3, 2.9)


def test_every_kind_has_a_key_of_its_own() -> None:
    keys = [links.key for links, _ in ALL]
    assert len(set(keys)) == len(keys)
