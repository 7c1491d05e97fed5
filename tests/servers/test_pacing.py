"""Bytes come due evenly: as much as the clock says in all, and no burst for who did not read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.servers.pacing import MOST_CREDIT_SECONDS, ChangingPace, Pace


@given(st.floats(1, 1e8), st.lists(st.floats(0.001, 0.2), min_size=1, max_size=100))
def test_taking_what_is_due_never_drifts(rate: float, waits: list[float]) -> None:
    pace, now, sent = Pace(rate, 100.0), 100.0, 0
    for wait in waits:
        now += max(wait, pace.wait(now))
        due = pace.due(now)
        pace.spend(due)
        sent += due
        assert (now - 100.0) * rate - 1.1 <= sent <= (now - 100.0) * rate + 1.1


def test_time_in_which_nobody_read_is_gone() -> None:
    pace = Pace(1000, 0.0)
    assert pace.due(60.0) == 1000 * MOST_CREDIT_SECONDS
    pace.spend(250)
    assert pace.due(60.0) == 0
    assert pace.due(60.1) == 100


@given(st.floats(100, 1e6), st.floats(100, 1e6), st.lists(st.floats(0.001, 0.2), min_size=1, max_size=100))
def test_a_changing_pace_brings_what_each_of_its_rates_brings(before: float, after: float, waits: list[float]) -> None:
    def rate_at(now: float) -> float:
        return before if now < 103.0 else after

    pace, now, sent, due_in_all = ChangingPace(rate_at, 100.0), 100.0, 0, 0.0
    for wait in waits:
        step = max(wait, pace.wait(now))
        due_in_all += step * rate_at(now)
        now += step
        due = pace.due(now)
        pace.spend(due)
        sent += due
    assert due_in_all - 1.1 <= sent <= due_in_all + 1.1


def test_time_in_which_nobody_read_is_gone_at_a_changing_pace_too() -> None:
    pace = ChangingPace(lambda _now: 1000, 0.0)
    assert pace.due(60.0) == 1000 * MOST_CREDIT_SECONDS
    pace.spend(250)
    assert pace.due(60.0) == 0
    assert pace.due(60.1) == 100
