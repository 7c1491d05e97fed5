"""Seconds by what they went into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.report import losses as parts
from penstock.report.judged import Judged
from tests.report.traces import MB, Trace, batch, eventful, one_file


def seconds(judged: Judged, part: str) -> float:
    return sum(loss.seconds for loss in judged.parts if loss.part == part)


@given(
    st.floats(3, 12), st.floats(0, 0.6), st.integers(1, 8), st.floats(0, 1.5), st.sampled_from(["rate limit", "disk"])
)
def test_the_parts_add_up_to_the_run(length: float, noise: float, connections: int, tail: float, kind: str) -> None:
    trace = one_file(length, [(0, 1, MB), (1, connections, MB)], noise=noise, tail=tail, pauses=[(1.0, 1.7, kind)])
    judged = trace.judged()
    assert sum(loss.seconds for loss in judged.parts) == pytest.approx(judged.story.seconds)
    assert all(loss.seconds > 0 for loss in judged.parts)


def test_a_steady_run_goes_at_its_best_speed() -> None:
    judged = one_file(10, [(0, 4, MB)], noise=0.01).judged()
    assert seconds(judged, parts.BEST) > 9
    assert judged.best is not None
    assert judged.best.rate == pytest.approx(4 * MB, rel=0.05)
    assert judged.best.seconds == pytest.approx(9.8, rel=0.05)


def test_connections_that_join_late_are_seconds_of_adding() -> None:
    judged = one_file(10, [(0, 1, MB), (4, 8, MB)], noise=0.01).judged()
    assert seconds(judged, parts.ADDING) == pytest.approx(4 * 7 / 8, rel=0.1)


def test_connections_that_leave_early_are_seconds_of_fewer() -> None:
    judged = one_file(10, [(0, 8, MB), (6, 2, MB)], noise=0.01).judged()
    assert seconds(judged, parts.FEW) == pytest.approx(4 * 6 / 8, rel=0.1)


def test_pauses_count_in_full() -> None:
    judged = one_file(10, [(0, 4, MB)], pauses=[(n + 0.2, n + 0.7, "rate limit") for n in range(1, 9)]).judged()
    assert seconds(judged, parts.LIMIT) == pytest.approx(4.0, rel=0.05)


def test_what_follows_the_last_byte_is_finishing() -> None:
    judged = one_file(10, [(0, 4, MB)], tail=3.0).judged()
    assert seconds(judged, parts.FINISHING) == pytest.approx(3.0, rel=0.05)


def test_a_busy_processor_is_told_apart_from_a_slow_link() -> None:
    for network, part in ((0.99, parts.CPU), (0.3, parts.SLOWER)):
        judged = one_file(10, [(0, 4, MB), (4, 4, MB / 2)], network=network, noise=0.01).judged()
        assert seconds(judged, part) == pytest.approx(3.0, rel=0.1)


def test_nothing_measured_is_no_error() -> None:
    trace = Trace()
    trace.end(0.5)
    judged = trace.judged()
    assert judged.best is None
    assert sum(loss.seconds for loss in judged.parts) == pytest.approx(0.5)


def test_batches_and_eventful_runs_add_up_too() -> None:
    for trace in (batch(300), eventful()):
        judged = trace.judged()
        assert sum(loss.seconds for loss in judged.parts) == pytest.approx(judged.story.seconds)


def test_a_write_that_waits_for_the_processor_is_not_the_disk_s() -> None:
    pauses = [(n / 4, n / 4 + 0.1, "write") for n in range(4, 36)]
    idle = one_file(10, [(0, 4, MB)], network=0.1, pauses=pauses).judged()
    busy = one_file(10, [(0, 4, MB)], network=0.97, pauses=pauses).judged()
    assert seconds(idle, parts.DISK) == pytest.approx(3.2, rel=0.15)
    assert seconds(busy, parts.DISK) < 0.4
