"""When a connection that was not let in means that there are enough of them."""

from __future__ import annotations

import pytest

from penstock.core.refusals import UNNOTICED_SECONDS, Refusals
from penstock.core.retry import Cause, Failure


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.CONNECT_TIMEOUT, Cause.STATUS])
def test_a_no_beside_others_that_work_is_one(cause: Cause) -> None:
    assert Refusals().is_one(Failure(cause, "no"), was_answered=False)


def test_a_slammed_door_is_one_the_second_time() -> None:
    refusals, slam = Refusals(), Failure(Cause.RESET, "reset")
    assert [refusals.is_one(slam, was_answered=False) for _ in range(3)] == [False, True, True]
    refusals.on_accepted()
    assert not refusals.is_one(slam, was_answered=False)


def test_one_that_was_answered_broke_for_another_reason() -> None:
    refusals = Refusals()
    assert not any(refusals.is_one(Failure(Cause.CUT, "cut"), was_answered=True) for _ in range(5))
    assert not refusals.is_one(Failure(Cause.BAD_RESPONSE, "what?"), was_answered=False)


def test_a_refusal_is_counted_at_once() -> None:
    refusals = Refusals()
    assert refusals.take(Failure(Cause.STATUS, "503", status=503), 10.0) == 0.0
    assert refusals.pending


def test_one_right_after_we_closed_a_connection_is_waited_out_twice() -> None:
    refusals, no = Refusals(), Failure(Cause.STATUS, "503", status=503)
    refusals.on_closed(10.0)
    waits = [refusals.take(no, 10.0 + number * 0.1) for number in range(3)]
    assert waits == [UNNOTICED_SECONDS / 2, UNNOTICED_SECONDS / 2, 0.0]
    assert refusals.pending
    refusals.on_accepted()
    assert refusals.take(no, 10.4) == UNNOTICED_SECONDS / 2
    assert refusals.take(no, 10.6) == 0.0


def test_retry_after_is_obeyed_within_reason() -> None:
    refusals = Refusals()
    refusals.on_closed(10.0)
    assert refusals.take(Failure(Cause.STATUS, "503", status=503, retry_after=7), 10.1) == 7.0
    assert refusals.take(Failure(Cause.STATUS, "503", status=503, retry_after=9000), 10.1) == 300.0
