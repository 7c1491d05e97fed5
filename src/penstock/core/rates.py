"""How fast bytes come: a rate that is there at once, follows, and fades in silence.

The estimate is an exponentially weighted mean over time, kept as two sums that decay together: bytes and
seconds. Their quotient has no bias towards its start, so it is right from the first moments on, and it does
not depend on how often it is asked. Time spent paused does not exist here: everything is counted on a clock
that stops meanwhile.
"""

from __future__ import annotations

import math

#: The mean's memory in seconds: a new rate is followed to 86 % after one second, and one second of silence
#: leaves 14 %. Shorter follows the jitter of 50 ms ticks, longer makes steals act on old news.
TIME_CONSTANT = 0.5
#: Bytes of a burst are spread over at least this many seconds, or the first chunk would read as gigabytes a
#: second.
MIN_SECONDS = 0.05
#: Seconds of flow (weighted like the mean) after which the rate says something.
LEAST_SECONDS = 0.08


def median(rates: list[float]) -> float:
    """The middle one, or the higher of the two; `rates` must not be empty. (The statistics module costs 10 ms.)"""
    return sorted(rates)[len(rates) // 2]


class RateMeter:
    """Bytes per second of one flow, fed with its running total.

    `now` is any monotonic clock in seconds; `total_bytes` is what the flow had brought before. The wait for
    the first byte counts as silence, not as a rate: a slow handshake says nothing about the speed after it.
    """

    __slots__ = (
        "_bytes",
        "_flowing",
        "_last_byte",
        "_paused_at",
        "_paused_for",
        "_seconds",
        "_seen",
        "_total",
    )

    def __init__(self, now: float, total_bytes: int = 0) -> None:
        self._total = total_bytes
        self._paused_at: float | None = None
        self._paused_for = 0.0
        self._seen = now
        self._last_byte = now
        self._flowing = False
        self._bytes = 0.0
        self._seconds = 0.0

    @property
    def rate(self) -> float:
        """Bytes per second as of the last update; 0.0 before two updates have seen bytes."""
        return self._bytes / max(self._seconds, MIN_SECONDS)

    @property
    def measured(self) -> bool:
        """True once bytes flowed for long enough that the rate says something."""
        return self._seconds >= LEAST_SECONDS

    def update(self, now: float, total_bytes: int) -> None:
        """Take note of the running total; call it every tick, in silence too, or the rate cannot fade."""
        active = self._active(now)
        elapsed = max(0.0, active - self._seen)
        fresh = max(0, total_bytes - self._total)
        self._seen += elapsed
        self._total += fresh
        if fresh:
            self._last_byte = self._seen
        if self._flowing:
            self._weigh(fresh, elapsed)
        elif fresh:
            self._flowing = True  # the clock starts here: how long these first bytes took is not known

    def pause(self, now: float) -> None:
        """We stopped listening: from here on time does not count. Twice is once."""
        if self._paused_at is None:
            self._paused_at = now

    def resume(self, now: float) -> None:
        """We listen again. Without a pause it does nothing."""
        if self._paused_at is not None:
            self._paused_for += max(0.0, now - self._paused_at)
            self._paused_at = None

    def silent_for(self, now: float) -> float:
        """Seconds since an update last saw a new byte (or since the start), pauses not counted."""
        return max(0.0, self._active(now) - self._last_byte)

    def _active(self, now: float) -> float:
        """`now` on the clock that stands still in pauses."""
        at = now if self._paused_at is None else min(now, self._paused_at)
        return at - self._paused_for

    def _weigh(self, fresh: int, elapsed: float) -> None:
        """Let both sums fade by `elapsed`, then add what came, as if it had come evenly."""
        kept = math.exp(-elapsed / TIME_CONSTANT)
        weight = -TIME_CONSTANT * math.expm1(-elapsed / TIME_CONSTANT)  # 1 - kept is all error for a tiny time
        self._seconds = self._seconds * kept + weight
        self._bytes = self._bytes * kept + (fresh * weight / elapsed if elapsed > 0 else fresh)
