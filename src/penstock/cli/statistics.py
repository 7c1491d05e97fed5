"""What a run took and did, for ``--stats``: counted from its events, its result and the system's own account."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass

from penstock.core import words
from penstock.engine.processor import Processor
from penstock.events import (
    AnyEvent,
    Cancelled,
    Checkpointed,
    Failed,
    Finished,
    Progressed,
    Raced,
    Restarted,
    Resumed,
    Retried,
    Stolen,
)
from penstock.model import Summary


@dataclass(slots=True)
class Counts:
    """Seconds, bytes and counts of one run."""

    wall: float = 0.0
    user: float = 0.0
    system: float = 0.0
    #: Bytes of the files that this run brought.
    size: int = 0
    #: Bytes that came over the network for them.
    fetched: int = 0
    #: Those of them that were there already: raced, or lost and asked for again.
    twice: int = 0
    #: Most connections of one file at one time.
    connections: int = 0
    steals: int = 0
    races: int = 0
    retries: int = 0
    #: Bytes of memory at most, None where the system does not tell.
    peak_memory: int | None = None


@dataclass(slots=True)
class _UnderWay:
    """A download that has not ended: bytes of an earlier run, bytes there, bytes that came and were dropped."""

    kept: int = 0
    there: int = 0
    dropped: int = 0

    @property
    def came(self) -> int:
        """Bytes that this run brought, those that were dropped aside."""
        return max(0, self.there - self.kept)


class Statistics:
    """Takes events; its `counts` are whole once the run has ended and `end` was called."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._under_way: dict[int, _UnderWay] = {}
        #: Bytes that came for downloads that did not end well, and those of them that were dropped.
        self._in_part = self._in_vain = 0
        self._began = time.monotonic()
        self._processor = Processor(self._began)

    def take(self, event: AnyEvent) -> None:
        """Count what `event` tells; called on one thread."""
        counts = self.counts
        match event:
            case Progressed(download=number, done=done, connections=connections):
                self._of(number).there = done
                counts.connections = max(counts.connections, connections)
            case Resumed(download=number, kept=kept):
                self._of(number).kept = kept
            case Checkpointed(download=number, durable=durable):
                self._of(number).there = max(self._of(number).there, durable)
            case Restarted(download=number):
                self._restarted(number)
            case Failed(download=number) | Cancelled(download=number):
                self._stopped(number)
            case Finished(download=number, result=result):
                self._under_way.pop(number, None)
                if result.skipped:
                    return
                fresh = result.size - result.resumed
                counts.size += fresh
                counts.fetched += result.fetched
                counts.twice += max(0, result.fetched - fresh)
                counts.connections = max(counts.connections, result.connections)
            case Stolen():
                counts.steals += 1
            case Raced():
                counts.races += 1
            case Retried():
                counts.retries += 1

    def _of(self, number: int) -> _UnderWay:
        return self._under_way.setdefault(number, _UnderWay())

    def _restarted(self, number: int) -> None:
        """What came of it is of no use."""
        download = self._of(number)
        download.dropped += download.came
        download.kept = download.there = 0

    def _stopped(self, number: int) -> None:
        """What came of it is all that will."""
        download = self._of(number)
        self._in_part += download.came
        self._in_vain += download.dropped
        del self._under_way[number]

    def end(self, summary: Summary | None = None) -> None:
        """The run is over; `summary` of a list knows of small files that had no event of their own."""
        counts = self.counts
        counts.wall = time.monotonic() - self._began
        counts.user, counts.system = self._processor.spent()
        counts.peak_memory = self._processor.peak_memory()
        if summary is not None:
            counts.fetched = summary.size
            counts.size = max(0, summary.size - counts.twice)
            counts.connections = max(counts.connections, int(summary.done > summary.skipped))
        counts.size += self._in_part
        counts.twice += self._in_vain
        counts.fetched += self._in_part + self._in_vain

    def lines(self) -> list[str]:
        """For people."""
        counts = self.counts
        busy = (counts.user + counts.system) / counts.wall if counts.wall > 0 else 0.0
        twice = f", {words.size(counts.twice)} of it twice" if counts.twice else ", none of it twice"
        did = [
            f"at most {words.count(counts.connections, 'connection')} for a file",
            f"{words.count(counts.steals, 'piece')} taken over from slower ones",
            f"{counts.races} raced",
            "1 retry" if counts.retries == 1 else f"{counts.retries} retries",
        ]
        processor = f"{counts.user:.2f} s user, {counts.system:.2f} s system ({busy:.0%} of one)"
        lines = [
            f"time:   {counts.wall:.2f} s; processor {processor}",
            f"bytes:  {words.size(counts.fetched)} fetched{twice}",
            f"work:   {', '.join(did)}",
        ]
        if counts.peak_memory is not None:
            lines.append(f"memory: {words.size(counts.peak_memory)} at most")
        return lines

    def json_line(self) -> str:
        """For programs: one object, like an event's."""
        counts = dataclasses.asdict(self.counts)
        rounded = {name: round(value, 6) if isinstance(value, float) else value for name, value in counts.items()}
        return json.dumps({"event": "stats", "time": round(time.time(), 3), "download": 0} | rounded)
