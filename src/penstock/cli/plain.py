"""Progress as plain lines, for logs and dumb terminals: one at the start, then one every few seconds."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from penstock.cli.messages import NORMAL, Repeats, describe
from penstock.cli.row import Row, seconds_left, standing, updated
from penstock.cli.streams import SturdyStream
from penstock.core import words
from penstock.core.urls import escape
from penstock.events import AnyEvent, Cancelled, Failed, Finished, Probed, Progressed, Started

#: Seconds between two lines about one download.
INTERVAL = 5.0


@dataclass(slots=True)
class _Told:
    """A download, and when a line was last told of it."""

    row: Row
    at: float


class Plain:
    """Writes events to `stream` as lines, as many as `level` says (see `messages`)."""

    def __init__(self, stream: SturdyStream, level: int) -> None:
        self._stream = stream
        self._level = level
        self._repeats = Repeats()
        self._told: dict[int, _Told] = {}

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""
        if not self._repeats.has(event, self._level) and (line := describe(event, self._level)) is not None:
            self._stream.line(line)
        if self._level < NORMAL:
            return
        if isinstance(event, Started):
            self._told[event.download] = _Told(Row(escape(event.url)), event.at)
        elif isinstance(event, Finished | Failed | Cancelled):
            self._told.pop(event.download, None)
        elif (told := self._told.get(event.download)) is not None:
            told.row = updated(told.row, event)
            if isinstance(event, Probed):
                length = "unknown size" if event.length is None else words.size(event.length)
                self._stream.line(f"{told.row.name}: {length}")
            elif isinstance(event, Progressed) and event.at - told.at >= INTERVAL:
                told.at = event.at
                self._stream.line(f"{told.row.name}: {_progress(told.row, event.at)}")

    def tell(self, line: str) -> None:
        """Say a line to a person who did not ask for quiet; from any thread."""
        if self._level >= NORMAL:
            self._stream.line(line)

    def complain(self, line: str) -> None:
        """Say a line that even the quiet want to hear; from any thread."""
        self._stream.line(line)

    def close(self) -> None:
        """Nothing needs tidying up."""

    def aside(self) -> AbstractContextManager[None]:
        """There is nothing to take away."""
        return nullcontext()


def _progress(row: Row, now: float) -> str:
    facts = []
    if row.length is not None:
        facts.append(f"{words.percent(row.done, row.length)} %")
    facts.append(words.amounts(row.done, row.length))
    if still := standing(row, now):
        facts.append(still)
    elif row.speed is not None:
        facts.append(words.speed(row.speed.shown))
        if row.length is not None:
            facts.append(f"{words.clock(seconds_left(row))} left")
    facts.append(words.count(row.connections, "connection"))
    return ", ".join(facts)
