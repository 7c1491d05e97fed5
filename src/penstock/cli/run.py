"""Carry one request out, show what happens, and say how it ended.

On a signal the running download writes its last checkpoint, and the last line says where the same command goes on.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from penstock.cli import messages
from penstock.cli.codes import DONE, exit_code
from penstock.cli.plain import Plain
from penstock.cli.signals import Interrupted, Signals
from penstock.cli.streams import SturdyStream, standard_error, standard_output
from penstock.core.urls import escape
from penstock.errors import DownloadError
from penstock.events import AnyEvent, Cancelled, Checkpointed, Finished, Probed, Restarted, Resumed, Started
from penstock.model import Options, Request, Result, Summary

if TYPE_CHECKING:
    from penstock.api import Downloader
    from penstock.cli.statistics import Statistics

#: Lines of a cookie file that are named, at most.
_MOST_COOKIE_LINES = 10
INSECURE = "warning: --insecure: certificates are not checked, so anyone on the way can read and change the data"


class Voice(Protocol):
    """What shows events and speaks to a person."""

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""

    def tell(self, line: str) -> None:
        """Say a line to a person who did not ask for quiet; from any thread."""

    def complain(self, line: str) -> None:
        """Say a line that even the quiet want to hear; from any thread."""

    def close(self) -> None:
        """Leave the terminal as it was."""

    def aside(self) -> AbstractContextManager[None]:
        """Leave the terminal as it was while inside."""


@dataclass(slots=True)
class _Standing:
    """Where the current download stands, as its events told; for the last line after an interruption."""

    probed: Probed | None = None
    #: Bytes that a next run can go on from.
    durable: int = 0
    resumable: bool = False
    #: How it ended, when the signal came too late to stop it.
    result: Result | None = None

    def take(self, event: AnyEvent) -> None:
        match event:
            case Started():
                self.probed, self.durable, self.resumable, self.result = None, 0, False, None
            case Finished(result=result):
                self.result = result
            case Probed():
                self.probed = event
            case Resumed(kept=kept):
                self.durable = kept
            case Restarted():
                self.durable = 0
            case Checkpointed(durable=durable):
                self.durable = durable
            case Cancelled(resumable=resumable):
                self.resumable = resumable


def run(
    request: Request,
    *,
    level: int,
    json: bool,
    limits: dict[str, Any],
    insecure: bool = False,
    stats: bool = False,
) -> int:
    """Carry `request` out and return the exit code; `limits` are the Downloader's. `stats`: say what it took."""
    voice = choose_voice(SturdyStream(standard_error()), level, lines=json)
    listeners: list[Callable[[AnyEvent], None]] = [voice.show]
    if json:
        from penstock.cli.jsonlines import JsonLines

        listeners.append(JsonLines(SturdyStream(standard_output())).show)
    statistics = count(listeners) if stats else None
    log_errors(level)
    if insecure:
        voice.complain(INSECURE)
    warn_of_cookies(request.options, voice)
    signals = Signals(voice.aside)
    with signals.caught(), contextlib.closing(voice):
        code = _carry_out(request, _Session(voice, listeners, signals, level, limits))
        if statistics is not None:
            tell_statistics(statistics, None, voice, json=json)
        return code


def count(listeners: list[Callable[[AnyEvent], None]]) -> Statistics:
    """Statistics that hear of everything too."""
    from penstock.cli.statistics import Statistics

    statistics = Statistics()
    listeners.append(statistics.take)
    return statistics


def tell_statistics(statistics: Statistics, summary: Summary | None, voice: Voice, *, json: bool) -> None:
    """Say at the end what it took; `summary` is a list's."""
    statistics.end(summary)
    if json:
        SturdyStream(standard_output()).line(statistics.json_line())
        return
    voice.close()
    for line in statistics.lines():
        voice.complain(line)


def choose_voice(stream: SturdyStream, level: int, *, lines: bool) -> Voice:
    """A live display on a terminal that can do it, plain lines elsewhere or when `lines` asks for them."""
    if lines or level == messages.QUIET or not stream.isatty() or os.environ.get("TERM") in {"dumb", "unknown"}:
        return Plain(stream, level)
    from penstock.cli.display import Display

    return Display(stream, level)


@dataclass(slots=True)
class _Session:
    """What goes with the download."""

    voice: Voice
    listeners: list[Callable[[AnyEvent], None]]
    signals: Signals
    level: int
    limits: dict[str, Any]


def _carry_out(request: Request, session: _Session) -> int:
    from penstock.api import Downloader
    from penstock.cli.allocator import keep_freed_memory

    keep_freed_memory()
    standing = _Standing()

    def listen(event: AnyEvent) -> None:
        standing.take(event)
        for listener in session.listeners:
            listener(event)

    try:
        with Downloader(on_event=listen, **session.limits) as downloader:
            return _run_one(request, downloader, standing, session)
    except Interrupted as interruption:
        if standing.result is not None:
            session.voice.tell(messages.saved(standing.result))
            return DONE
        session.voice.complain(
            messages.interrupted(resumable=standing.resumable, durable=standing.durable, probed=standing.probed)
        )
        return interruption.code


def _run_one(request: Request, downloader: Downloader, standing: _Standing, session: _Session) -> int:
    try:
        result = session.signals.wait(downloader.submit(request))
    except Interrupted:
        # before the last checkpoint, since a second signal leaves at once and must not leave a hidden cursor
        session.voice.close()
        raise
    except Exception as error:
        session.voice.complain(f"penstock: {messages.failed(error, kept=standing.durable)}")
        if session.level >= messages.VERBOSE and not isinstance(error, DownloadError):
            for line in messages.traceback_lines(error):
                session.voice.complain(line)
        return exit_code(error)
    session.voice.tell(messages.saved(result))
    return DONE


def warn_of_cookies(options: Options, voice: Voice) -> None:
    """Name the lines of a cookie file that are left out (S09)."""
    if options.cookie_file is None:
        return
    from penstock.core.cookies import bad_lines

    try:
        with options.cookie_file.open(encoding="latin-1") as file:
            numbers = list(itertools.islice(bad_lines(file), _MOST_COOKIE_LINES))
    except OSError as error:
        voice.tell(f"warning: {escape(str(options.cookie_file))}: {error.strerror}")
        return
    if numbers:
        lines = ", ".join(map(str, numbers))
        voice.tell(f"warning: {escape(str(options.cookie_file))}: no cookies in lines {lines}; they are left out")


def log_errors(level: int) -> None:
    """Internal errors are logged with their traceback: for those who asked for details only."""
    logger = logging.getLogger("penstock")
    verbose = level >= messages.VERBOSE and sys.stderr is not None
    handler = logging.StreamHandler() if verbose else logging.NullHandler()
    handler.setFormatter(_Escaping())
    logger.addHandler(handler)


class _Escaping(logging.Formatter):
    """An exception's text may hold what a server sent (S11)."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(escape, super().format(record).split("\n")))
