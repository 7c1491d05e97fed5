"""Progress of many files as plain lines, for logs and pipes: one every few seconds, and one for each failure."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from penstock.cli import messages
from penstock.cli.running import Outlook, Running
from penstock.cli.streams import SturdyStream
from penstock.cli.summary import listing, pace
from penstock.core import words
from penstock.core.urls import escape, origin_text
from penstock.errors import Reason, StorageError
from penstock.events import AnyEvent, BatchProgressed, Failed, Finished, Retried, RowRejected, Warned

#: Seconds between two lines.
INTERVAL: Final = 5.0
#: Failures that have a line each; a run of many would drown everything else.
MAX_FAILURES: Final = 20
#: Seconds of waiting before a file is tried again that are told once for each origin.
LONG_WAIT: Final = 3.0


class Failures:
    """Words for what went wrong, as long as there is not too much of it."""

    def __init__(self, manifest: str | None) -> None:
        self._manifest = manifest
        self._count = 0

    def line(self, event: Failed | RowRejected) -> str | None:
        """The line to print, or None for none."""
        self._count += 1
        if self._count > MAX_FAILURES + 1:
            return None
        if self._count > MAX_FAILURES:
            where = f"; {listing(self._manifest)} them" if self._manifest else ""
            return f"more failures are not shown{where}"
        if isinstance(event, RowRejected):
            line = f"line {event.line}: " if event.line else ""
            return line + escape(event.why if event.text in event.why else f"{event.text}: {event.why}")
        return f"failed: {messages.failed(event.error, kept=0)}"


class Teller:
    """Words for the events of many files, as many as `level` says (see `messages`); knows those under way."""

    def __init__(self, level: int, manifest: str | None) -> None:
        self.running = Running()
        self._level = level
        self._failures = Failures(manifest)
        #: Origins that were said to keep us waiting.
        self._waited_for: set[str] = set()

    def line(self, event: AnyEvent) -> str | None:
        """The line to print for an event, or None for none."""
        url = self.running.url(event.download)
        self.running.take(event)
        if isinstance(event, Failed) and event.error.reason is Reason.UNWANTED:
            return f"left out: {escape(event.error.message)}" if self._level >= messages.VERBOSE else None
        if isinstance(event, Failed) and isinstance(event.error, StorageError) and event.error.is_for_all:
            return None  # it ends the run, which says so once
        if isinstance(event, Failed | RowRejected):
            return self._failures.line(event)
        if isinstance(event, Finished):
            return messages.saved(event.result) if self._level >= messages.VERBOSE else None
        if event.download == 0:
            return messages.describe(event, self._level)
        if isinstance(event, Retried) and self._level == messages.NORMAL:
            return self._wait(event, url)
        # what happens to one of thousands is a detail
        least = messages.VERBOSE if isinstance(event, Warned | Retried) else messages.CHATTY
        line = messages.describe(event, self._level) if self._level >= least else None
        return f"{escape(url)}: {line}" if line is not None and url else line

    def _wait(self, event: Retried, url: str) -> str | None:
        """A line for the first long wait of each origin: nothing else would say why nothing moves."""
        if event.wait < LONG_WAIT or not url or len(self._waited_for) >= MAX_FAILURES:
            return None
        where = origin_text(url)
        if where in self._waited_for:
            return None
        self._waited_for.add(where)
        return f"{escape(where)}: {escape(event.why)}; trying again in {words.duration(event.wait)} (this is said once)"


class CrowdPlain:
    """Writes lines to `stream`, as many as `level` says (see `messages`)."""

    def __init__(self, stream: SturdyStream, level: int, *, manifest: str | None = None) -> None:
        self._stream = stream
        self._level = level
        self._teller = Teller(level, manifest)
        self._outlook = Outlook()
        self._told_at: float | None = None

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""
        line = self._describe(event)
        if line is not None:
            self._stream.line(line)

    def tell(self, line: str) -> None:
        """Say a line to a person who did not ask for quiet; from any thread."""
        if self._level >= messages.NORMAL:
            self._stream.line(line)

    def complain(self, line: str) -> None:
        """Say a line that even the quiet want to hear; from any thread."""
        self._stream.line(line)

    def close(self) -> None:
        """Nothing needs tidying up."""

    def aside(self) -> AbstractContextManager[None]:
        """There is nothing to take away."""
        return nullcontext()

    def _describe(self, event: AnyEvent) -> str | None:
        if isinstance(event, BatchProgressed):
            return self._progress(event)
        return self._teller.line(event)

    def _progress(self, event: BatchProgressed) -> str | None:
        self._outlook.take(event)
        if self._told_at is None:
            self._told_at = event.at
        if self._level < messages.NORMAL or event.at - self._told_at < INTERVAL:
            return None
        self._told_at = event.at
        failed = f", {event.failed:,} failed" if event.failed else ""
        left = self._outlook.left(self._teller.running.known())
        rest = f", {left} left" if left else ""
        speed = f"{words.speed(event.speed)}, {pace(event.pace)}"
        return f"{files(event)} files{failed}, {words.size(event.size)}, {speed}{rest}"


def files(event: BatchProgressed) -> str:
    """``120/10,000``, with a ``+`` while the list is still being read."""
    return f"{event.done + event.failed:,}/{event.total:,}{'' if event.listed else '+'}"
