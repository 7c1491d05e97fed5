"""The files of a batch that are being fetched now, as their events tell: for the names, and the bytes still to come."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Final, NamedTuple

from penstock.cli.row import Row, updated
from penstock.cli.row import seconds_left as row_seconds
from penstock.cli.steady import Steady, steadied
from penstock.core import words
from penstock.core.urls import escape
from penstock.events import AnyEvent, BatchProgressed, Cancelled, Failed, Finished, Probed, Started

#: Seconds that the line of a file stays after its end, unless another file's takes its place.
_LINGER_SECONDS: Final = 1.0
#: With less to go a file gets no line any more.
_FLASH_SECONDS: Final = 1.0
#: Seconds that a batch's means reach back at most: small files and large ones come in heaps.
_MEMORY_SECONDS: Final = 60.0


class Running:
    """Takes events. What small files end without an event of their own is none of these."""

    def __init__(self) -> None:
        self._files: dict[int, tuple[float, str, Row]] = {}
        #: Those that have a line of their own, from the top.
        self._places: list[int] = []
        #: Of these, what ended of late, and when.
        self._ended: dict[int, tuple[float, Row]] = {}

    def take(self, event: AnyEvent) -> None:
        """Follow what `event` tells."""
        number = event.download
        if isinstance(event, Started):
            self._files[number] = event.at, event.url, Row(escape(event.url))
        elif isinstance(event, Finished | Failed | Cancelled):
            _, _, row = self._files.pop(number, (0.0, "", Row("")))
            if number in self._places:
                self._ended[number] = event.at, updated(row, event)
        elif isinstance(event, Probed) or number in self._files:
            since, url, row = self._files.get(number, (event.at, "", Row("")))
            self._files[number] = since, url, updated(row, event)

    def url(self, number: int) -> str:
        """The URL of a file that is being fetched, without credentials; empty when it is not known."""
        return self._files[number][1] if number in self._files else ""

    def lines(self, count: int, now: float, *, least_age: float) -> list[Row]:
        """Those that have run for longest, `count` at most, of those that have for `least_age` seconds and will for a
        while. Each keeps its place from call to call, until it ended and another comes in its place.
        """
        old = [
            (since, number)
            for number, (since, _, row) in self._files.items()
            if since <= now - least_age and row_seconds(row) >= _FLASH_SECONDS
        ]
        waiting = iter([number for _, number in sorted(old) if number not in self._places])
        self._ended = {n: (at, row) for n, (at, row) in self._ended.items() if now - at < _LINGER_SECONDS}
        places = []
        for number in self._places[:count]:
            if number in self._files:
                places.append(number)
            elif (other := next(waiting, number)) in self._files or other in self._ended:
                places.append(other)
        self._places = places = [*places, *itertools.islice(waiting, count - len(places))]
        return [self._files[number][2] if number in self._files else self._ended[number][1] for number in places]

    def known(self) -> Known:
        """What is known of their sizes."""
        rows = [(row.done, row.length) for _, _, row in self._files.values() if row.length is not None]
        return Known(
            len(rows),
            sum(length for _, length in rows),
            sum(max(0, length - done) for done, length in rows),
            sum(min(1.0, done / length) for done, length in rows if length),
        )


class Known(NamedTuple):
    """Of the files under way whose size is known: how many, their bytes, those of them still to come, and how many
    whole files what is there of them amounts to."""

    files: int = 0
    size: int = 0
    left: int = 0
    amount: float = 0.0


class Outlook:
    """The numbers of a batch, held still, and what they foretell."""

    def __init__(self) -> None:
        #: The last event; None before the first.
        self.event: BatchProgressed | None = None
        self._speed: Steady | None = None
        self._pace: Steady | None = None

    def take(self, event: BatchProgressed) -> None:
        """Follow where the batch is."""
        self.event = event
        self._speed = steadied(self._speed, event.at, event.speed, memory=_MEMORY_SECONDS)
        # that no file ends for a while is no standstill: it may be the turn of the large ones
        self._pace = steadied(self._pace, event.at, event.pace, memory=_MEMORY_SECONDS, forgets=False)

    def shown(self) -> BatchProgressed | None:
        """The last event with speeds that can be read."""
        if self.event is None or self._speed is None or self._pace is None:
            return None
        return replace(self.event, speed=self._speed.shown, pace=self._pace.shown)

    def left(self, known: Known) -> str:
        """The time to go as a clock shows it; empty while it cannot be told."""
        if self.event is None or self._speed is None or self._pace is None or self._speed.is_young:
            return ""
        return time_left(replace(self.event, speed=self._speed.mean, pace=self._pace.mean), known)


def seconds_left(event: BatchProgressed, known: Known) -> float:
    """The seconds to go; infinite while they cannot be told.

    By the bytes that are missing: those of files under way are known, and each of the others is taken to be as large as
    the mean of all so far. But no less than these others take at the pace of files: small ones cost time, not bytes.
    """
    files = event.total - event.done - event.failed
    if not event.listed or files <= 0:
        return math.inf
    ended = event.done - event.skipped + event.failed
    others = max(0, files - known.files)
    missing = float(known.left)
    if others and ended + known.files:
        size_of_ended = max(0, event.size - (known.size - known.left))
        missing += others * (size_of_ended + known.size) / (ended + known.files)
    by_bytes = missing / event.speed if event.speed > 0 else 0.0
    by_files = files / event.pace if event.pace > 0 and others else 0.0
    return max(by_bytes, by_files) or math.inf


def time_left(event: BatchProgressed, known: Known) -> str:
    """The time to go as a clock shows it; empty while it cannot be told."""
    seconds = seconds_left(event, known)
    return "" if math.isinf(seconds) else words.clock(seconds)
