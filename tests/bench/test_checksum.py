"""When the last byte came, and when it was verified, as logs and events tell it."""

from __future__ import annotations

import pytest
from bench.jobs.checksum import last_end, shares, verified_at
from bench.jobs.million import sample


def test_answers_that_were_cut_short_do_not_count() -> None:
    assert last_end("10.500 OK\n11.250 OK\n12.000 \n") == 11.25


def test_the_verified_event_is_found_among_others() -> None:
    events = (
        '{"event": "started", "time": 1.0}\n{"event": "verified", "time": 2.5}\n{"event": "finished", "time": 3.0}\n'
    )
    assert verified_at(events) == 2.5
    assert verified_at("no events at all\n") is None


def test_the_share_is_of_the_whole_run() -> None:
    assert shares({"wall": 4.0, "ended": 104.0}, 103.0, 103.5) == {"tail": 0.5, "ending": 1.0, "share": 0.125}
    assert shares({"wall": 4.0, "ended": 104.0}, 103.0, None)["share"] == 0.25


def test_the_pace_is_that_of_the_first_and_of_the_last_tenth() -> None:
    looks = [(1.0, 1, 100), (2.0, 100, 300), (9.0, 900, 200), (10.0, 1000, 200)]
    found = sample(looks, 1000, 11.0)
    assert found["memory"] == 300
    assert found["first"] == pytest.approx(100)
    assert found["last"] == pytest.approx(50)
