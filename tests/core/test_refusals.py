"""When a connection that was not let in means that there are enough of them."""

from __future__ import annotations

import pytest

from penstock.core.refusals import UNNOTICED_SECONDS, Hold, Refusals
from penstock.core.retry import Cause, Failure


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.CONNECT_TIMEOUT, Cause.STATUS, Cause.PROXY])
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
    assert not refusals.is_one(Failure(Cause.PROXY, "log in", status=407), was_answered=False)


def test_a_refusal_is_counted_at_once() -> None:
    refusals = Refusals()
    assert refusals.take(Failure(Cause.STATUS, "503", status=503), 10.0, 3) is None
    assert refusals.pending
    assert refusals.allowed(8, 10.0) == 8


def test_one_right_after_we_closed_a_connection_is_waited_out_twice() -> None:
    refusals, no = Refusals(), Failure(Cause.STATUS, "503", status=503)
    refusals.on_closed(10.0)
    soon = Hold(UNNOTICED_SECONDS / 2, everything=False)
    assert [refusals.take(no, 10.0 + number * 0.1, 3) for number in range(3)] == [soon, soon, None]
    assert refusals.pending
    refusals.on_accepted()
    assert refusals.take(no, 10.4, 3) == soon
    assert refusals.take(no, 10.6, 3) is None


def test_while_one_is_waited_out_those_that_worked_are_replaced() -> None:
    refusals = Refusals()
    refusals.on_closed(10.0)
    refusals.take(Failure(Cause.STATUS, "503", status=503), 10.1, 3)
    assert [refusals.allowed(8, 10.1 + UNNOTICED_SECONDS * part) for part in (0, 0.49, 0.5)] == [3, 3, 8]
    assert refusals.allowed(2, 10.1) == 2


def test_retry_after_is_obeyed_within_reason() -> None:
    refusals = Refusals()
    refusals.on_closed(10.0)
    assert refusals.take(Failure(Cause.STATUS, "503", status=503, retry_after=7), 10.1, 3) == Hold(7.0, everything=True)
    assert refusals.take(Failure(Cause.STATUS, "503", status=503, retry_after=9000), 10.1, 3) == Hold(
        300.0, everything=True
    )
