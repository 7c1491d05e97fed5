"""What a live line knows of its download."""

from __future__ import annotations

import math

import pytest

from penstock.cli.row import Row, seconds_left, standing, updated
from penstock.cli.steady import Steady
from penstock.errors import DownloadError
from penstock.events import AnyEvent, Cancelled, Failed, Progressed, Restarted, Resumed, Retried
from tests.cli.stories import MIB, finished, probed, progressed, started, under_way


def speed(rate: float, at: float = 1.0) -> Steady:
    return Steady(rate, rate, at, at, at)


def row_of(*events: AnyEvent) -> Row:
    row = Row("")
    for event in events:
        row = updated(row, event)
    return row


def retried(wait: float, at: float = 3.0) -> Retried:
    return Retried(download=1, at=at, why="HTTP 503", wait=wait, attempt=1)


def still(at: float = 3.0, connections: int = 0) -> Progressed:
    return Progressed(download=1, at=at, done=50 * MIB, length=100 * MIB, speed=5.0, connections=connections)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Resumed(download=1, at=0, kept=7), Row("n", 7, 9, speed(1.0), 2)),
        (Restarted(download=1, at=0, why="", dropped=5), Row("n", 0, 9, None, 2)),
        (
            Progressed(download=1, at=2.0, done=6, length=8, speed=1.0, connections=4),
            Row("n", 6, 8, Steady(1.0, 1.0, 1.0, 2.0, 2.0), 4),
        ),
        (probed("m", 12), Row("m", 5, 12, speed(1.0), 2, is_answered=True)),
        (retried(3.0, at=2.0), Row("n", 5, 9, speed(1.0), 2, wait=(2.3, 5.0))),
        (finished(12), Row("n", 12, 12, speed(1.0), 2, ended="saved")),
    ],
)
def test_an_event_changes_what_it_is_about(event: AnyEvent, expected: Row) -> None:
    assert updated(Row("n", done=5, length=9, speed=speed(1.0), connections=2), event) == expected


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([started()], "connecting"),
        ([started(), probed()], "starting"),
        (under_way(), ""),
        ([*under_way(), progressed(50 * MIB, speed=0.0)], "stalled"),
        ([started(), probed(), progressed(100 * MIB)], "saving"),
        ([started(), retried(30.0)], "trying again in 0:29"),
        ([*under_way(), retried(30.0), still()], "trying again in 0:29"),
        ([*under_way(), retried(30.0), still(connections=2)], ""),
        ([*under_way(), retried(0.5), still()], "connecting"),
        ([started(), retried(30.0), probed(), progressed(MIB)], ""),
        ([*under_way(), finished()], "saved"),
        ([*under_way(), Failed(download=1, at=2, error=DownloadError("x"))], "failed"),
        ([*under_way(), Cancelled(download=1, at=2, resumable=True)], "stopped"),
    ],
)
def test_what_keeps_it_is_said_in_a_word(events: list[AnyEvent], words: str) -> None:
    assert standing(row_of(*events), 4.0) == words
    assert len(standing(row_of(*events), 4.0, briefly=True)) <= 13


def test_the_time_left_is_what_the_mean_speed_says() -> None:
    assert seconds_left(row_of(*under_way())) == 5.0
    assert math.isinf(seconds_left(row_of(started(), probed(length=None), progressed(MIB, None))))
    slower = row_of(*under_way(), progressed(50 * MIB, speed=1 * MIB, at=2.6))
    assert seconds_left(slower) < 6.0, "one slow moment does not make it fifty seconds"


def test_old_bytes_are_no_part_of_speed_and_time_left() -> None:
    row = row_of(started(), probed(), Resumed(download=1, at=0.2, kept=60 * MIB))
    assert (row.done, row.speed) == (60 * MIB, None)
    row = updated(row, progressed(70 * MIB, speed=10 * MIB))
    assert row.speed is not None
    assert row.speed.is_young, "it is too early to say"
    row = updated(row, progressed(70 * MIB, speed=10 * MIB, at=2.5))
    assert seconds_left(row) == 3.0
