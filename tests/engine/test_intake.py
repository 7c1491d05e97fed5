"""The list's thread: groups go on as they come, bounded, and the end is told once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from penstock.core.rows import BadRow, Row
from penstock.core.template import Template
from penstock.engine.intake import BUFFER_ROWS, Intake
from penstock.store.entries import Entry

PATIENCE = 10.0


class Taker:
    """Takes groups, and says so at once when `eager`."""

    def __init__(self, rows: Iterator[Row | BadRow | str], *, eager: bool = True) -> None:
        self.entries: list[Entry] = []
        self.bad: list[BadRow] = []
        self.ends: list[BaseException | None] = []
        self.calls = 0
        self.ended = threading.Event()
        self.eager = eager
        self.intake = Intake(rows, Template(), self.deliver)
        self.intake.start()

    def deliver(
        self, entries: Sequence[Entry], bad: Sequence[BadRow], at_end: bool, error: BaseException | None
    ) -> None:
        self.calls += 1
        self.entries += entries
        self.bad += bad
        if at_end:
            self.ends.append(error)
            self.ended.set()
        if self.eager:
            threading.Thread(target=self.intake.taken).start()


def urls(count: int) -> Iterator[Row | BadRow | str]:
    return (f"http://example.org/{number}" for number in range(count))


def test_every_row_comes_in_order_and_the_end_is_told_once() -> None:
    taker = Taker(urls(5000))
    assert taker.ended.wait(PATIENCE)
    assert [entry.urls[0] for entry in taker.entries] == list(urls(5000))
    for _ in range(3):  # the last group was recorded, and whatever else: there is nothing more to say
        taker.intake.taken()
        taker.intake.moved(0)
    assert taker.ends == [None]
    assert taker.calls <= 5001


def test_F50_bad_rows_do_not_keep_the_others_back() -> None:
    rows: list[Row | BadRow | str] = ["http://example.org/a", "ftp://example.org/b", BadRow(3, "x", "bad")]
    taker = Taker(iter(rows))
    assert taker.ended.wait(PATIENCE)
    assert len(taker.entries) == 1
    assert [bad.line for bad in taker.bad] == [2, 3]


def test_an_exception_of_the_callers_iterable_ends_the_list_with_what_came() -> None:
    def rows() -> Iterator[Row | BadRow | str]:
        yield "http://example.org/a"
        raise RuntimeError("a bug in the caller's generator")

    taker = Taker(rows())
    assert taker.ended.wait(PATIENCE)
    assert len(taker.entries) == 1
    assert isinstance(taker.ends[0], RuntimeError)


@pytest.mark.parametrize("count", [BUFFER_ROWS * 3])
def test_F57_it_reads_no_further_than_its_buffer_while_nothing_is_recorded(count: int) -> None:
    read = 0
    full = threading.Event()

    def rows() -> Iterator[Row | BadRow | str]:
        nonlocal read
        for url in urls(count):
            read += 1
            if read > BUFFER_ROWS:  # one group on its way, one gathered, one row in hand
                full.set()
            yield url

    taker = Taker(rows(), eager=False)
    assert full.wait(PATIENCE)
    assert read <= BUFFER_ROWS + 2 + len(taker.entries)
    taker.eager = True
    taker.intake.taken()
    assert taker.ended.wait(PATIENCE)
    assert len(taker.entries) == count
