"""How many took how long, in buckets that grow by two hundredths: any number of values in a few kilobytes."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

#: Each bucket's upper edge over its lower one: a percentile is right to one hundredth.
_GROWTH: Final = math.log(1.02)
#: Seconds below which all values are alike.
_LEAST: Final = 1e-6


class Histogram:
    """Counts of positive values; seconds, here."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        #: Values that were added.
        self.count = 0
        #: The greatest of them, and their sum.
        self.greatest = self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._buckets[round(math.log(max(value, _LEAST)) / _GROWTH)] += 1
        self.count += 1
        self.sum += value
        self.greatest = max(self.greatest, value)

    def percentile(self, share: float) -> float:
        """The value that `share` (0 to 1) of all are not above; 0.0 when there are none."""
        wanted = share * self.count
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return min(self.greatest, math.exp(bucket * _GROWTH))
        return 0.0

    def below(self, edges: list[float]) -> list[int]:
        """How many values are at or below each of the rising `edges`, and above the one before."""
        found = [0] * len(edges)
        for bucket, count in self._buckets.items():
            value = math.exp(bucket * _GROWTH)
            place = next((number for number, edge in enumerate(edges) if value <= edge * 1.0001), len(edges) - 1)
            found[place] += count
        return found
