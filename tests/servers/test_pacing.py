"""Bytes come due evenly: as much as the clock says in all, and no burst for who did not read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.servers.pacing import MOST_CREDIT_SECONDS, Pace


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
