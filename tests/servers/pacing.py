"""Bytes that come due at a steady rate, or at one that changes. Knows nothing of sockets; the time is passed in."""

from __future__ import annotations

from collections.abc import Callable

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


class ChangingPace:
    """The same at a rate that changes: `rate_at(now)` bytes per second, more than nothing."""

    def __init__(self, rate_at: Callable[[float], float], now: float) -> None:
        self._rate_at = rate_at
        self._last = now
        self._credit = 0.0

    def due(self, now: float) -> int:
        """Whole bytes that should have gone out by now and have not. The rate of the last look counts up to now."""
        rate = self._rate_at(self._last)
        self._credit = min(self._credit + (now - self._last) * rate, max(rate * MOST_CREDIT_SECONDS, 1.0))
        self._last = now
        return int(self._credit + 1e-6)

    def wait(self, now: float) -> float:
        """Seconds until the next byte is due."""
        return max(0.0, self._last + (1 - self._credit) / self._rate_at(self._last) - now)

    def spend(self, count: int) -> None:
        """So many bytes were sent."""
        self._credit -= count
