"""How fast a batch goes of late: files and bytes per second over a few seconds. Knows no clock: times are passed in."""

from __future__ import annotations

from collections import deque
from typing import Final

#: Seconds over which the pace that people see is averaged.
_SECONDS: Final = 5.0


class Pace:
    """Fed with running totals."""

    def __init__(self, now: float) -> None:
        self._samples: deque[tuple[float, int, int]] = deque([(now, 0, 0)])
        self._due = now
        #: Files per second.
        self.files = 0.0
        #: Bytes per second.
        self.speed = 0.0

    def sample(self, now: float, files: int, size: int) -> None:
        """Take note of the totals."""
        self._samples.append((now, files, size))
        while now - self._samples[0][0] > _SECONDS and len(self._samples) > 2:
            self._samples.popleft()
        since, before, before_size = self._samples[0]
        elapsed = max(now - since, 0.001)
        self.files = (files - before) / elapsed
        self.speed = (size - before_size) / elapsed

    def is_due(self, now: float, every: float) -> bool:
        """True once in `every` seconds."""
        if now < self._due:
            return False
        self._due = now + every
        return True
