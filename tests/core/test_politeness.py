"""When one origin may be asked: room, rate, Retry-After, circuit."""

from __future__ import annotations

import pytest

from penstock.core.politeness import (
    CIRCUIT_FAILURES,
    FIRST_FILES,
    GIVEN_UP_SECONDS,
    RECOVERY_SECONDS,
    GivenUp,
    Politeness,
    parse_pace,
)
from penstock.core.retry import Cause, Failure
from penstock.errors import InvalidRequest

REFUSED = Failure(Cause.REFUSED, "could not connect")
BUSY = Failure(Cause.STATUS, "", status=503)
MISSING = Failure(Cause.STATUS, "", status=404)


def test_room_is_earned_one_answer_at_a_time_up_to_the_limit() -> None:
    polite = Politeness(6)
    assert polite.room == FIRST_FILES
    rooms = []
    for _ in range(4):
        polite.on_answer(1.0)
        rooms.append(polite.room)
    assert rooms == [5, 6, 6, 6]


def test_F52_a_refusal_halves_the_room_once_for_a_burst_and_time_gives_it_back() -> None:
    polite = Politeness(8)
    for _ in range(8):
        polite.on_answer(0.0)
    polite.on_failure(BUSY, 1.0)
    polite.on_failure(BUSY, 1.5)
    assert polite.room == 4
    polite.on_answer(2.0)
    assert polite.room == 4
    polite.on_answer(1.0 + RECOVERY_SECONDS)
    assert polite.room == 5


def test_F22_retry_after_holds_this_origin_back_until_its_time() -> None:
    polite = Politeness(8)
    polite.on_failure(Failure(Cause.STATUS, "", status=429, retry_after=7.0), 10.0)
    assert polite.delay(10.0) == pytest.approx(7.0)
    assert polite.delay(17.0) == 0.0


def test_F52_failures_in_a_row_to_connect_open_the_circuit_and_are_told_once() -> None:
    polite = Politeness(8)
    opened = [polite.on_failure(REFUSED, 0.0) for _ in range(CIRCUIT_FAILURES + 2)]
    assert opened == [False] * (CIRCUIT_FAILURES - 1) + [True, False, False]
    assert polite.room == 1
    assert polite.delay(0.0) > 0
    polite.on_answer(100.0)
    assert not polite.is_open
    assert polite.delay(100.0) == 0.0


def test_one_trial_at_a_time_goes_to_an_open_circuit() -> None:
    polite = Politeness(8)
    for _ in range(CIRCUIT_FAILURES):
        polite.on_failure(REFUSED, 0.0)
    later = polite.delay(0.0)
    assert polite.delay(later) == 0.0
    polite.on_request(later)
    assert polite.delay(later) > 0


def test_an_answer_between_failures_keeps_the_circuit_closed() -> None:
    polite = Politeness(8)
    for _ in range(3 * CIRCUIT_FAILURES):
        polite.on_failure(REFUSED, 0.0)
        assert not polite.on_failure(MISSING, 0.0)  # a 404 is an answer
    assert not polite.is_open


def test_requests_keep_the_pace() -> None:
    polite = Politeness(8, rate=2.0, now=0.0)
    times, now = [], 0.0
    for _ in range(5):
        now += polite.delay(now)
        polite.on_request(now)
        times.append(now)
    assert times == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])


def test_an_origin_that_was_given_up_gets_another_chance_later() -> None:
    polite = Politeness(8)
    failure = Failure(Cause.REFUSED, "connection refused")
    polite.give_up("gone", failure, 0.0)
    polite.look_again(GIVEN_UP_SECONDS / 2)
    assert polite.given_up == GivenUp("gone", failure)
    polite.look_again(GIVEN_UP_SECONDS)
    assert polite.given_up is None


def test_F22_an_origin_that_asks_for_hours_is_given_up_for_as_long_and_holds_nothing_back() -> None:
    polite = Politeness(8)
    failure = Failure(Cause.STATUS, "HTTP 503", status=503, retry_after=7200.0)
    polite.on_failure(failure, 0.0)
    assert polite.delay(0.0) == 0.0
    polite.give_up("busy", failure, 0.0)
    polite.look_again(7199.0)
    assert polite.given_up is not None
    polite.look_again(7200.0)
    assert polite.given_up is None


@pytest.mark.parametrize("cause", [Cause.STALLED, Cause.RESET, Cause.CUT])
def test_F52_silence_and_resets_open_the_circuit_of_an_origin_that_never_answered(cause: Cause) -> None:
    never, once = Politeness(8), Politeness(8)
    once.on_answer(0.0)
    for _ in range(CIRCUIT_FAILURES):
        never.on_failure(Failure(cause, "x"), 1.0)
        once.on_failure(Failure(cause, "x"), 1.0)
    assert (never.is_open, once.is_open) == (True, False)


@pytest.mark.parametrize(
    ("text", "rate"), [("5/s", 5.0), ("30/min", 0.5), ("3600/h", 1.0), ("2", 2.0), ("0.5/sec", 0.5)]
)
def test_a_pace_is_read(text: str, rate: float) -> None:
    assert parse_pace(text) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["", "0/s", "-1/s", "5/week", "x"])
def test_a_bad_pace_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_pace(text)
