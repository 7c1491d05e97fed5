"""Bytes that come due at a steady rate. Knows nothing of sockets; the time is passed in."""

from __future__ import annotations

#: A link keeps no credit: whoever did not read for longer than this many seconds gets no burst for it.
MOST_CREDIT_SECONDS = 0.25


class Pace:
    """How much may be sent by `now` at `rate` bytes per second, counted from one start, so that nothing drifts."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._start = now
        self._sent = 0

    def due(self, now: float) -> int:
        """Whole bytes that should have gone out by now and have not."""
        credit = (now - self._start) * self._rate - self._sent
        most = max(self._rate * MOST_CREDIT_SECONDS, 1.0)
        if credit > most:
            self._start += (credit - most) / self._rate
            credit = most
        return int(credit + 1e-6)  # 0.1 + 0.2 is not quite 0.3: a byte that is due is due

    def wait(self, now: float) -> float:
        """Seconds until the next byte is due."""
        return max(0.0, self._start + (self._sent + 1) / self._rate - now)

    def spend(self, count: int) -> None:
        """So many bytes were sent."""
        self._sent += count
