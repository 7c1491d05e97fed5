"""When live lines come and go. What rich does with them is in `test_live`."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
import rich.live
from rich.live import Live
from rich.text import Text

from penstock.cli.live import open_live
from penstock.cli.stage import Stage, is_in_foreground
from penstock.cli.streams import SturdyStream
from tests.cli.test_display import HIDE, SHOW, Terminal


class Show:
    """A stage on a terminal, and how often its lines were opened."""

    def __init__(self, *left: float | None) -> None:
        self.terminal = Terminal()
        self.opened = 0
        self.asked = threading.Semaphore(0)
        self._left = list(left)
        self.stage = Stage(SturdyStream(self.terminal), self._open, self._seconds_left, patience=0)

    def _open(self) -> Live:
        self.opened += 1
        return open_live(SturdyStream(self.terminal), lambda: Text("live"))

    def _seconds_left(self) -> float | None:
        left = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        self.asked.release()
        return left


@pytest.fixture
def shows(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Show]]:
    monkeypatch.setenv("TERM", "xterm-256color")
    made: list[Show] = []
    yield made
    for show in made:
        show.stage.close()


def test_what_is_nearly_over_waits_once_more_and_is_then_never_drawn(shows: list[Show]) -> None:
    show = Show(0.1, None)
    shows.append(show)
    show.stage.begin_soon()
    assert show.asked.acquire(timeout=20)
    assert show.asked.acquire(timeout=20)
    assert show.opened == 0
    show.stage.line("saved")
    assert show.terminal.getvalue() == "saved\n"


def test_what_only_seemed_to_be_nearly_over_is_drawn(shows: list[Show]) -> None:
    show = Show(0.1)
    shows.append(show)
    show.stage.begin_soon()
    show.terminal.wait_for("live")


def test_aside_the_terminal_is_as_before_and_afterwards_the_lines_are_back(shows: list[Show]) -> None:
    show = Show(100.0)
    shows.append(show)
    show.stage.begin_soon()
    show.terminal.wait_for("live")
    with show.stage.aside():
        text = show.terminal.getvalue()
        assert text.rindex(SHOW) > text.rindex(HIDE)
        show.stage.line("stopped")
        assert show.terminal.getvalue().endswith("stopped\n")
    show.terminal.wait_for("stopped\n" + HIDE)


def test_after_the_end_nothing_is_drawn_any_more(shows: list[Show]) -> None:
    show = Show(100.0)
    show.stage.close()
    show.stage.begin_soon()
    with show.stage.aside():
        pass
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert show.terminal.getvalue() == ""


def refuse_threads(monkeypatch: pytest.MonkeyPatch, kind: type[threading.Thread]) -> threading.Event:
    """No more threads of this kind; returns an event that is set once one was refused."""
    refused = threading.Event()
    start = threading.Thread.start

    def refuse(self: threading.Thread) -> None:
        if isinstance(self, kind):
            refused.set()
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    return refused


def test_without_a_thread_for_it_nothing_is_drawn_until_there_is_one(
    shows: list[Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = Show(100.0)
    shows.append(show)
    with monkeypatch.context() as patch:
        refused = refuse_threads(patch, threading.Timer)
        show.stage.begin_soon()
    assert refused.is_set()
    show.stage.line("going on")
    assert show.terminal.getvalue() == "going on\n"
    show.stage.begin_soon()
    show.terminal.wait_for("live")


def test_where_rich_gets_no_thread_the_cursor_is_given_back_and_lines_are_plain(
    shows: list[Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = Show(100.0)
    shows.append(show)
    refused = refuse_threads(monkeypatch, rich.live._RefreshThread)
    show.stage.begin_soon()
    assert refused.wait(20)
    show.terminal.wait_for(SHOW)
    show.stage.line("saved")
    text = show.terminal.getvalue()
    assert text.rindex(SHOW) > text.rindex(HIDE)
    assert text.endswith("saved\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no jobs")
def test_a_terminal_that_belongs_to_another_job_is_not_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Here(io.StringIO):
        def fileno(self) -> int:
            return 2

    stream = SturdyStream(cast("Any", Here()))
    for group, ours in ((os.getpgrp(), True), (os.getpgrp() + 1, False)):
        monkeypatch.setattr(os, "tcgetpgrp", lambda _descriptor, group=group: group)
        assert is_in_foreground(stream) is ours
    assert is_in_foreground(SturdyStream(io.StringIO())), "what has no descriptor has no jobs"
