"""Progress as plain lines, for logs and dumb terminals: one at the start, then one every few seconds."""

from __future__ import annotations

import os
from dataclasses import dataclass

from penstock.cli.messages import NORMAL, describe
from penstock.cli.streams import SturdyStream
from penstock.core import words
from penstock.core.urls import escape
from penstock.events import AnyEvent, Cancelled, Failed, Finished, Probed, Progressed, Started

#: Seconds between two lines about one download.
INTERVAL = 5.0


@dataclass(slots=True)
class _Told:
    """What was last told of one download: its name, and when."""

    name: str
    at: float


class Plain:
    """Writes events to `stream` as lines, as many as `level` says (see `messages`)."""

    def __init__(self, stream: SturdyStream, level: int) -> None:
        self._stream = stream
        self._level = level
        self._told: dict[int, _Told] = {}

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""
        if (line := describe(event, self._level)) is not None:
            self._stream.line(line)
        if self._level < NORMAL:
            return
        match event:
            case Started(download=number, at=at, url=url):
                self._told[number] = _Told(escape(url), at)
            case Probed():
                self._begin(event)
            case Progressed(download=number, at=at):
                told = self._told.get(number)
                if told is not None and at - told.at >= INTERVAL:
                    told.at = at
                    self._stream.line(f"{told.name}: {_progress(event)}")
            case Finished(download=number) | Failed(download=number) | Cancelled(download=number):
                self._told.pop(number, None)

    def tell(self, line: str) -> None:
        """Say a line to a person who did not ask for quiet; from any thread."""
        if self._level >= NORMAL:
            self._stream.line(line)

    def complain(self, line: str) -> None:
        """Say a line that even the quiet want to hear; from any thread."""
        self._stream.line(line)

    def close(self) -> None:
        """Nothing needs tidying up."""

    def _begin(self, event: Probed) -> None:
        name = escape(os.path.basename(event.path))
        told = self._told.setdefault(event.download, _Told(name, event.at))
        told.name = name
        length = "unknown size" if event.length is None else words.size(event.length)
        self._stream.line(f"{name}: {length}")


def _progress(event: Progressed) -> str:
    facts = []
    if event.length is not None:
        facts.append(f"{words.percent(event.done, event.length)} %")
    facts.append(words.amounts(event.done, event.length))
    left = words.time_left(event.done, event.length, event.speed)
    if left == words.STALLED:
        facts.append(left)
    else:
        facts.append(words.speed(event.speed))
        if left:
            facts.append(f"{left} left")
    facts.append(words.count(event.connections, "connection"))
    return ", ".join(facts)
