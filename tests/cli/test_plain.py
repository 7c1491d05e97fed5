"""Plain lines for logs."""

from __future__ import annotations

import dataclasses
import io

from penstock.cli.messages import NORMAL, QUIET
from penstock.cli.plain import Plain
from penstock.cli.streams import SturdyStream
from penstock.events import AnyEvent, Retried, Warned
from tests.cli.stories import MIB, finished, probed, progressed, started


def told(*events: AnyEvent, level: int = NORMAL) -> list[str]:
    stream = io.StringIO()
    plain = Plain(SturdyStream(stream), level)
    for event in events:
        plain.show(event)
    return stream.getvalue().splitlines()


def test_the_beginning_is_told_once_with_name_and_size() -> None:
    assert told(started(), probed()) == ["big.iso: 100.0 MiB"]
    assert told(started(), probed(length=None)) == ["big.iso: unknown size"]


def test_progress_is_told_every_five_seconds_and_not_more() -> None:
    steps = [progressed(at * MIB, at=at / 2) for at in range(1, 41)]  # 20 seconds, twice a second
    lines = told(started(), probed(), *steps)[1:]
    assert len(lines) == 4
    assert lines[0] == "big.iso: 10 %, 10.0/100.0 MiB, 10.0 MiB/s, 0:09 left, 4 connections"


def test_without_a_length_there_are_neither_percent_nor_time_left() -> None:
    lines = told(started(), probed(length=None), progressed(MIB, None, at=6))
    assert lines[1] == "big.iso: 1.0 MiB, 10.0 MiB/s, 4 connections"


def test_a_standstill_is_called_stalled() -> None:
    assert told(started(), probed(), progressed(MIB, speed=0.0, at=6))[1].endswith("stalled, 4 connections")


def test_who_waits_says_for_how_long() -> None:
    retried = Retried(download=1, at=5.0, why="HTTP 503", wait=30.0, attempt=1)
    still = dataclasses.replace(progressed(MIB, at=6), connections=0, speed=0.0)
    lines = told(started(), probed(), progressed(MIB), retried, still)
    assert lines[-1] == "big.iso: 1 %, 1.0/100.0 MiB, trying again in 0:29, 0 connections"


def test_messages_come_at_once() -> None:
    assert told(started(), Warned(download=1, at=1, message="look")) == ["warning: look"]


def test_quiet_means_errors_only() -> None:
    stream = io.StringIO()
    plain = Plain(SturdyStream(stream), QUIET)
    for event in (started(), probed(), Warned(download=1, at=1, message="x"), progressed(MIB, at=9), finished()):
        plain.show(event)
    plain.tell("saved")
    plain.complain("failed")
    assert stream.getvalue() == "failed\n"


def test_a_name_cannot_command_the_terminal() -> None:
    assert "\x1b" not in told(started(url="https://e.org/\x1b[2J"), probed("\x1b[2J"))[0]
