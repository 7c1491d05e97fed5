"""Half-open byte ranges and sets of them: the one arithmetic everything else counts in.

The wire's inclusive form exists only in `Range.to_header` here and in `headers.content_range`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Range(NamedTuple):
    """Bytes ``[start, stop)``; empty when start == stop."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Bytes in it."""
        return self.stop - self.start

    def to_header(self) -> str:
        """The Range header's value, inclusive as RFC 9110 §14.1.2 has it; the range must not be empty."""
        if not 0 <= self.start < self.stop:
            raise ValueError(f"cannot ask for {self}")
        return f"bytes={self.start}-{self.stop - 1}"


class RangeSet:
    """Disjoint, sorted, coalesced ranges; mutable. Operations cost O(log n) to find and O(k) to change k ranges."""

    __slots__ = ("_starts", "_stops")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for start, stop in ranges:
            self.add(start, stop)

    def add(self, start: int, stop: int) -> None:
        """Put ``[start, stop)`` in; touching ranges become one."""
        if start >= stop:
            return
        low = bisect_left(self._stops, start)
        high = bisect_right(self._starts, stop)
        if low < high:
            start = min(start, self._starts[low])
            stop = max(stop, self._stops[high - 1])
        self._starts[low:high] = [start]
        self._stops[low:high] = [stop]

    def remove(self, start: int, stop: int) -> None:
        """Take ``[start, stop)`` out, splitting a range where need be."""
        if start >= stop:
            return
        low = bisect_right(self._stops, start)
        high = bisect_left(self._starts, stop)
        if low >= high:
            return
        left = (self._starts[low], start)
        right = (stop, self._stops[high - 1])
        kept = [piece for piece in (left, right) if piece[0] < piece[1]]
        self._starts[low:high] = [piece[0] for piece in kept]
        self._stops[low:high] = [piece[1] for piece in kept]

    def missing(self, stop: int, start: int = 0) -> RangeSet:
        """What of ``[start, stop)`` is not in the set."""
        gaps = RangeSet([(start, stop)])
        for piece in self:
            gaps.remove(*piece)
        return gaps

    def within(self, start: int, stop: int) -> RangeSet:
        """What of ``[start, stop)`` is in the set."""
        if start >= stop:
            return RangeSet()
        low = bisect_right(self._stops, start)
        high = bisect_left(self._starts, stop)
        part = RangeSet()
        part._starts = [max(start, at) for at in self._starts[low:high]]
        part._stops = [min(stop, at) for at in self._stops[low:high]]
        return part

    def covers(self, start: int, stop: int) -> bool:
        """True when every byte of ``[start, stop)`` is in the set."""
        if start >= stop:
            return True
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and self._stops[at] >= stop

    def prefix(self) -> int:
        """How many bytes from zero on are there without a gap."""
        return self._stops[0] if self._starts and self._starts[0] == 0 else 0

    @property
    def size(self) -> int:
        """Bytes in the set."""
        return sum(self._stops) - sum(self._starts)

    def copy(self) -> RangeSet:
        """An independent copy."""
        twin = RangeSet()
        twin._starts = self._starts.copy()
        twin._stops = self._stops.copy()
        return twin

    def __iter__(self) -> Iterator[Range]:
        return map(Range, self._starts.copy(), self._stops.copy())

    def __len__(self) -> int:
        return len(self._starts)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RangeSet):
            return NotImplemented
        return self._starts == other._starts and self._stops == other._stops

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"RangeSet({[tuple(piece) for piece in self]})"
