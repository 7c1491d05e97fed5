"""Amounts over time in a bounded number of columns, for runs of which nobody knows how long they will be.

Columns begin narrow; when time goes past the last, each pair becomes one. So memory does not grow with the run, and
the width is always a few thousandths of it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

#: Columns at most; even.
MOST_COLUMNS: Final = 480
#: Seconds of a column at first.
FIRST_WIDTH: Final = 0.02


class Bins(Generic[Key]):
    """Sums by key and column. Keys past the first `most_keys` are counted as `others`."""

    def __init__(self, others: Key | None = None, most_keys: int = 512, width: float = FIRST_WIDTH) -> None:
        self._others = others
        self._most_keys = most_keys
        self._sums: dict[Key, array[float]] = {}
        #: Seconds of one column.
        self.width = width

    def spread(self, key: Key, begin: float, end: float, amount: float) -> None:
        """Add `amount`, which came evenly in ``[begin, end]`` seconds."""
        if end <= begin:
            self.add(key, begin, amount)
            return
        sums = self._open(key, end)
        width = self.width
        first, last = int(begin / width), int(end / width)
        if first == last:
            sums[first] += amount
            return
        rate = amount / (end - begin)
        sums[first] += rate * ((first + 1) * width - begin)
        for column in range(first + 1, last):
            sums[column] += rate * width
        sums[last] += rate * (end - last * width)

    def add(self, key: Key, at: float, amount: float = 1.0) -> None:
        """Add `amount` at one moment."""
        self._open(key, at)[int(at / self.width)] += amount

    def names(self) -> list[Key]:
        """The keys that something was added to, in the order in which they came."""
        return list(self._sums)

    def column(self, key: Key, number: int) -> float:
        """What is in one column; 0.0 for keys and columns that nothing was added to."""
        sums = self._sums.get(key)
        return sums[number] if sums is not None and 0 <= number < len(sums) else 0.0

    def total(self, key: Key) -> float:
        """All of a key."""
        return sum(self._sums.get(key, ()))

    def columns(self, seconds: float) -> int:
        """The number of columns that the first `seconds` touch."""
        return min(MOST_COLUMNS, max(1, math.ceil(seconds / self.width - 1e-6)))

    def between(self, key: Key, begin: float, end: float) -> float:
        """What came in ``[begin, end)``, where columns on the edge count in part."""
        sums = self._sums.get(key)
        if sums is None or end <= begin:
            return 0.0
        width = self.width
        first, last = int(begin / width), min(len(sums) - 1, int(end / width))
        found = 0.0
        for number in range(first, last + 1):
            overlap = min(end, (number + 1) * width) - max(begin, number * width)
            found += sums[number] * max(0.0, overlap) / width
        return found

    def _open(self, key: Key, at: float) -> array[float]:
        """The columns of a key, wide enough to hold the moment `at`."""
        while at >= self.width * MOST_COLUMNS:
            self._halve()
        if key not in self._sums and self._others is not None and len(self._sums) >= self._most_keys:
            key = self._others
        sums = self._sums.get(key)
        if sums is None:
            sums = self._sums[key] = array("d", bytes(8 * MOST_COLUMNS))
        return sums

    def _halve(self) -> None:
        self.width *= 2
        rest = array("d", bytes(4 * MOST_COLUMNS))
        for key, sums in self._sums.items():
            self._sums[key] = array("d", [a + b for a, b in zip(sums[::2], sums[1::2], strict=True)]) + rest
