"""Lease byte ranges of one representation to transfers.

Knows nothing of sockets, files or clocks. A *segment* is a run of bytes being fetched; a *lease* is one transfer's
right to fetch it. Normally a segment has one lease; in a race it has two, and the first to bring a byte wins it.

Invariant: at every moment the done, held and free ranges partition the file:
    done  what arrived:  closed ranges, plus ``[start, frontier)`` of each open segment
    held  being fetched: ``[frontier, stop)`` of each open segment
    free  nobody's:      an explicit set
A byte is handed on for writing once: below the frontier it is a racer's echo and dropped, past the stop it was
stolen and dropped.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final, NamedTuple

from penstock.core.ranges import Range, RangeSet

#: A steal that brings the end nearer by less than this is not worth the robbed connection, which is lost with it.
MIN_STEAL_SECONDS: Final = 0.05
#: At or below this many bytes a remainder is raced, not split: the waste is bounded by it.
RACE_BYTES: Final = 256 * 1024
#: A race must promise to end in less than this share of the time that its holder needs.
RACE_ADVANTAGE: Final = 0.5
#: Without a word about length a stream is a segment that ends here (libcurl's own offsets are signed 64-bit).
UNKNOWN_END: Final = 2**63 - 1
#: Bytes leased at a time: keeps the finished prefix moving, so that hashing can trail the download, and lets
#: connections end requests exactly, which keeps them alive.
LEASE_BYTES: Final = 32 * 1024 * 1024
#: A lease lasts at least so many times as long as a request needs to begin, so that this stays a small part of it.
LEASE_SETUPS: Final = 80.0


class Segment:
    """Bytes ``[start, stop)`` being fetched, arrived up to `frontier`."""

    __slots__ = ("frontier", "id", "leases", "start", "stop")

    def __init__(self, number: int, start: int, stop: int) -> None:
        self.id = number
        self.start = start
        self.frontier = start
        self.stop = stop
        self.leases: list[Lease] = []

    @property
    def remaining(self) -> int:
        """Bytes still to come."""
        return self.stop - self.frontier

    @property
    def complete(self) -> bool:
        """True when every byte arrived."""
        return self.frontier >= self.stop

    @property
    def rate(self) -> float | None:
        """Bytes per second of its fastest lease; None when none was measured yet."""
        rates = [lease.rate for lease in self.leases if lease.rate is not None]
        return max(rates) if rates else None


class Lease:
    """One transfer's right to a segment. `position` is the offset at which its next byte lands.

    `rate` (bytes per second, None while unknown) is kept up to date by whoever watches the clock.
    """

    __slots__ = ("id", "position", "rate", "segment", "start")

    def __init__(self, number: int, segment: Segment) -> None:
        self.id = number
        self.segment = segment
        #: Where it began.
        self.start = segment.frontier
        self.position = segment.frontier
        self.rate: float | None = None

    @property
    def range(self) -> Range:
        """What is still to be asked for."""
        return Range(self.position, self.segment.stop)


class Piece(NamedTuple):
    """Of a received block, ``block[skip:skip + size]`` belongs at `offset` of the file."""

    offset: int
    skip: int
    size: int


class Assignment(NamedTuple):
    """A lease for an idle connection, and whose work it took over: None, or the victim of a steal or a race."""

    lease: Lease
    victim: Lease | None = None
    race: bool = False


class Segments:
    """The ledger of one representation's bytes."""

    def __init__(self, length: int | None, done: Iterable[tuple[int, int]] = (), *, min_segment: int = 1) -> None:
        """Begin with `done` ranges of a file of `length` bytes (None: unknown until the stream ends)."""
        self._end = UNKNOWN_END if length is None else length
        self._done = RangeSet(done)
        self._free = self._done.missing(self._end)
        self._open: dict[int, Segment] = {}
        self._min_segment = max(1, min_segment)
        self._numbers = itertools.count(1)

    # What is where

    @property
    def length(self) -> int | None:
        """The file's length in bytes, None while unknown."""
        return None if self._end == UNKNOWN_END else self._end

    @property
    def open(self) -> list[Segment]:
        """Segments being fetched."""
        return list(self._open.values())

    @property
    def free(self) -> RangeSet:
        """A copy of what nobody fetches yet."""
        return self._free.copy()

    @property
    def has_free(self) -> bool:
        """True when some bytes are nobody's."""
        return bool(self._free)

    @property
    def finished(self) -> bool:
        """True when every byte arrived."""
        return not self._free and all(segment.complete for segment in self._open.values())

    @property
    def done_bytes(self) -> int:
        """Bytes that arrived."""
        return self._done.size + sum(segment.frontier - segment.start for segment in self._open.values())

    def done(self) -> RangeSet:
        """What arrived."""
        ranges = self._done.copy()
        for segment in self._open.values():
            ranges.add(segment.start, segment.frontier)
        return ranges

    # Leasing

    def lease(self, start: int, stop: int) -> Lease:
        """Lease exactly ``[start, stop)``, which must be free."""
        if start >= stop or not self._free.covers(start, stop):
            raise ValueError(f"[{start}, {stop}) is not free")
        self._free.remove(start, stop)
        segment = Segment(next(self._numbers), start, stop)
        self._open[segment.id] = segment
        return self._join(segment)

    def take(self, share: int, rate: float = 0.0, setup: float = 0.0) -> Lease | None:
        """Lease the next free bytes for one of `share` connections that divide what is free; None when nothing is.

        Equal parts, but none under the least segment, and none over what keeps the finished prefix moving: for a
        connection of `rate` bytes per second that needs `setup` seconds to begin.
        """
        first = next(iter(self._free), None)
        if first is None:
            return None
        part = -(-self._free.size // max(1, share))
        cap = max(LEASE_BYTES, int(rate * setup * LEASE_SETUPS))
        stop = first.start + max(self._min_segment, min(part, cap))
        # a crumb is not worth a request of its own
        if first.stop - stop < self._min_segment:
            stop = first.stop
        return self.lease(first.start, stop)

    def share_out(self, lease: Lease, share: int) -> None:
        """Keep of a lease's remainder the part that it would get among `share` connections; free the rest."""
        segment = lease.segment
        part = -(-(segment.remaining + self._free.size) // max(1, share))
        self.cut(segment, segment.frontier + max(self._min_segment, min(part, LEASE_BYTES)))

    def cut(self, segment: Segment, at: int) -> None:
        """Free ``[at, stop)`` of a segment; `at` never lies below what has already arrived."""
        at = max(at, segment.frontier)
        if at >= segment.stop:
            return
        self._free.add(at, segment.stop)
        segment.stop = at

    def release(self, lease: Lease) -> None:
        """A transfer ended or died: what it did not bring becomes free, unless a rival still fetches it."""
        segment = lease.segment
        if lease not in segment.leases:
            return
        segment.leases.remove(lease)
        if segment.leases:
            return
        del self._open[segment.id]
        self._done.add(segment.start, segment.frontier)
        self._free.add(segment.frontier, segment.stop)

    def shorten(self, lease: Lease, stop: int) -> None:
        """The server will send less than was asked: the rest becomes free again."""
        self.cut(lease.segment, stop)

    def extend(self, lease: Lease, stop: int, share: int) -> bool:
        """A segment's last byte came and its answer goes on to `stop`: let it have what lies right behind, if that is
        nobody's, for one of `share` connections. True: what came past the old end is to be received again."""
        segment = lease.segment
        if not segment.complete or len(segment.leases) != 1 or lease.position < segment.stop:
            return False  # a rival ended it, and this answer's next byte lies before the end
        behind = next(iter(self._free.within(segment.stop, stop)), None)
        if behind is None or behind.start != segment.stop:
            return False
        part = -(-self._free.size // max(1, share))
        size = min(behind.size, max(self._min_segment, min(part, LEASE_BYTES)))
        if behind.size - size < self._min_segment:
            size = behind.size
        self._free.remove(segment.stop, segment.stop + size)
        lease.position = segment.stop
        segment.stop += size
        return True

    # Receiving

    def received(self, lease: Lease, size: int) -> Piece:
        """Account for `size` bytes that arrived on a lease, and say which of them are to be written, and where."""
        segment = lease.segment
        begin = lease.position
        end = begin + size
        lease.position = end
        start = segment.frontier  # a lease never runs ahead of the frontier, so begin <= start
        if end > segment.stop:
            end = segment.stop
        if end <= start:
            return Piece(start, 0, 0)
        segment.frontier = end
        return Piece(start, start - begin, end - start)

    def absorb(self, offset: int, size: int) -> list[Piece]:
        """Account for bytes of a whole stream, ranges or none: those that nobody has or fetches are to be written."""
        wanted = self._free.within(offset, offset + size)
        for part in wanted:
            self._free.remove(part.start, part.stop)
            self._done.add(part.start, part.stop)
        return [Piece(part.start, part.start - offset, part.size) for part in wanted]

    def close_at(self, length: int) -> None:
        """A stream of unknown length ended: this was its length."""
        self._free.remove(length, self._end)
        self._end = length

    # Sharing out again

    def assign(self, *, share: int, rate: float, setup: float, least_setup: float | None = None) -> Assignment | None:
        """Work for an idle connection of `rate` bytes per second that needs `setup` seconds to begin, or `least_setup`
        when nothing is in its way; None if none is worth it. Free bytes first; else the tail of whichever segment would
        end last; else a race for its end.
        """
        lease = self.take(share, rate, setup if least_setup is None else least_setup)
        if lease is not None:
            return Assignment(lease)
        victim = self._last_to_end(rate)
        if victim is None:
            return None
        if victim.remaining > RACE_BYTES:
            return self._steal(victim, rate, setup)
        return self._race(victim, rate, setup)

    def _last_to_end(self, prior: float) -> Segment | None:
        segments = [s for s in self._open.values() if not s.complete and len(s.leases) == 1]
        return max(segments, key=lambda s: seconds_left(s, prior), default=None)

    def _steal(self, victim: Segment, rate: float, setup: float) -> Assignment | None:
        size = share_to_steal(
            victim.remaining, _rate(victim, rate), rate, setup, at_least=min(self._min_segment, victim.remaining)
        )
        if size == 0:
            return None
        robbed = victim.leases[0]
        start, stop = victim.stop - size, victim.stop
        self.cut(victim, start)
        return Assignment(self.lease(start, stop), robbed)

    def _race(self, victim: Segment, rate: float, setup: float) -> Assignment | None:
        if rate <= 0 or setup + victim.remaining / rate >= RACE_ADVANTAGE * seconds_left(victim, rate):
            return None
        return Assignment(self._join(victim), victim.leases[0], race=True)

    def _join(self, segment: Segment) -> Lease:
        lease = Lease(next(self._numbers), segment)
        segment.leases.append(lease)
        return lease


def seconds_left(segment: Segment, prior: float) -> float:
    """Seconds until a segment ends at its rate, or at `prior` (bytes per second) while it has none."""
    rate = _rate(segment, prior)
    return segment.remaining / rate if rate > 0 else float("inf")


def _rate(segment: Segment, prior: float) -> float:
    rate = segment.rate
    return prior if rate is None else rate


def share_to_steal(remaining: int, victim_rate: float, thief_rate: float, setup: float, *, at_least: int) -> int:
    """Bytes of a victim's remainder that a thief should take, so that both end together; 0 when it gains too little.

    The victim ends after ``(remaining - x) / victim_rate``, the thief after ``setup + x / thief_rate``; equal at
    ``x = thief_rate * (remaining - setup * victim_rate) / (thief_rate + victim_rate)``. Rates are bytes per second.
    """
    if thief_rate <= 0:
        return 0
    best = thief_rate * (remaining - setup * victim_rate) / (thief_rate + victim_rate)
    size = min(remaining, max(at_least, int(best)))
    alone = remaining / victim_rate if victim_rate > 0 else float("inf")
    victim_end = (remaining - size) / victim_rate if victim_rate > 0 else 0.0
    together = max(victim_end, setup + size / thief_rate)
    return size if alone - together >= MIN_STEAL_SECONDS else 0
