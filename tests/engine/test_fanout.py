"""Events to listeners that are slow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import penstock
from penstock.core.rows import BadRow
from penstock.engine.fanout import MAX_BACKLOG, Fanout
from penstock.events import AnyEvent, BatchProgressed, RowRejected
from tests.engine.test_batch import until


def rejected(line: int) -> RowRejected:
    return RowRejected(download=0, at=0.0, line=line, text="", why="")


def progressed(done: int) -> BatchProgressed:
    return BatchProgressed(
        download=0, at=0.0, total=0, listed=False, done=done, skipped=0, failed=0, active=0, size=0, speed=0.0, pace=0.0
    )


def test_progress_of_a_batch_to_a_slow_listener_is_merged() -> None:
    gate = threading.Event()
    heard: list[AnyEvent] = []

    def listen(event: AnyEvent) -> None:
        gate.wait(20)
        heard.append(event)

    fanout = Fanout(listen, lambda _: None)
    for done in range(1000):
        fanout.emit(progressed(done))
    gate.set()
    fanout.close()
    assert len(heard) <= 2
    assert heard[-1] == progressed(999)


def test_who_makes_events_hears_when_too_many_wait_and_when_they_are_delivered() -> None:
    gate = threading.Event()
    said: list[bool] = []

    def listen(_event: AnyEvent) -> None:
        gate.wait(20)

    fanout = Fanout(listen, said.append)
    for line in range(MAX_BACKLOG + 10):
        fanout.emit(rejected(line))
    assert said == [True]
    gate.set()
    fanout.close()
    assert said == [True, False]


def test_a_list_is_not_read_far_ahead_of_a_slow_listener(tmp_path: Path) -> None:
    gate = threading.Event()
    read, told = 0, 0

    def listen(event: AnyEvent) -> None:
        nonlocal told
        gate.wait(20)
        told += isinstance(event, RowRejected)

    def rows() -> Iterator[BadRow]:
        nonlocal read
        for line in range(50_000):
            read += 1
            yield BadRow(line, "", "bad")

    with penstock.Downloader(on_event=listen) as downloader:
        future = downloader.submit_many(rows(), directory=tmp_path)
        until(lambda: read >= MAX_BACKLOG)
        assert not future.done()
        before = 0
        while before != read:  # until it stands still
            before = read
            gate.wait(0.3)
        assert read < 2 * MAX_BACKLOG
        gate.set()
        assert future.result(60).rejected == 50_000
    assert told == 50_000
