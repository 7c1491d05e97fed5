"""Hold all transfers back while the disk is behind or the rate limit is spent.

A transfer asks before it takes a block; refused, libcurl keeps the block and stops reading that socket, so the
server feels it through TCP and no memory grows. Opening the gate wakes every transfer that was held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from penstock.core.limits import TokenBucket

if TYPE_CHECKING:
    from penstock.net.loop import Loop
    from penstock.net.transfer import Transfer

DISK: Final = "disk"
RATE: Final = "rate"


class Gate:
    """Open unless someone has closed it; every reason must be lifted."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._reasons: set[str] = set()
        self._held: set[Transfer] = set()
        self._bucket: TokenBucket | None = None
        #: True when bytes are counted against a rate.
        self.limited = False
        #: True while nothing may pass.
        self.closed = False
        #: Called with a reason when it closes the gate (True) or is lifted (False), when a trace is wanted.
        self.on_change: Callable[[str, bool], None] | None = None

    def limit_rate(self, rate: int | None) -> None:
        """Let at most `rate` bytes per second pass, over all transfers together; None lifts the limit."""
        self._bucket = None if rate is None else TokenBucket(rate, self._loop.now())
        self.limited = rate is not None
        if rate is None:
            self.lift(RATE)

    def close(self, reason: str) -> None:
        """Hold transfers back until `reason` is lifted."""
        if self.on_change is not None and reason not in self._reasons:
            self.on_change(reason, True)
        self._reasons.add(reason)
        self.closed = True

    def lift(self, reason: str) -> None:
        """Take one reason away; the last one opens the gate."""
        if self.on_change is not None and reason in self._reasons:
            self.on_change(reason, False)
        self._reasons.discard(reason)
        if self._reasons or not self.closed:
            return
        self.closed = False
        held, self._held = self._held, set()
        for transfer in held:
            self._loop.soon(transfer.resume)

    def hold(self, transfer: Transfer) -> None:
        """Remember a transfer that was refused, to wake it."""
        self._held.add(transfer)

    def forget(self, transfer: Transfer) -> None:
        """A held transfer has ended."""
        self._held.discard(transfer)

    def passed(self, size: int) -> None:
        """`size` bytes went through."""
        if self._bucket is None:
            return
        now = self._loop.now()
        self._bucket.take(size, now)
        delay = self._bucket.delay(now)
        if delay > 0 and RATE not in self._reasons:
            self.close(RATE)
            self._loop.call_later(delay, self._refilled)

    def _refilled(self) -> None:
        delay = self._bucket.delay(self._loop.now()) if self._bucket is not None else 0.0
        if delay > 0:
            self._loop.call_later(delay, self._refilled)
        else:
            self.lift(RATE)
