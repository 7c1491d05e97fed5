"""Connections that are turned away while others work: the origin allows no more (F25).

Knows no clock and no connection: what happened comes in, with the time.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from penstock.core.retry import Cause, Failure

#: Failures that, while other connections work, mean "no more connections" rather than "no".
_TURNED_AWAY: Final = {Cause.REFUSED, Cause.CONNECT_TIMEOUT, Cause.STATUS, Cause.PROXY}
#: Proxy Authentication Required (RFC 9110 §15.5.8): of a proxy, the one that counts for all connections.
_WANTS_LOGIN: Final = 407
#: Seconds that a server may need to notice that we closed a connection; refusals so soon after are waited out.
UNNOTICED_SECONDS: Final = 0.5
_EXCUSES: Final = 2
#: Doors shut in a row without an answer that mean the same.
_SLAMMED: Final = 2
#: Seconds of Retry-After obeyed while other connections work; a longer one is an error once none does.
_LONGEST_RETRY_AFTER: Final = 300.0


class Hold(NamedTuple):
    """Look again after so many seconds; until then `everything` waits, or only what would be more than work now."""

    seconds: float
    everything: bool


class Refusals:
    """Those of one download. `pending`: one came, and the others that knocked have not been counted yet."""

    def __init__(self) -> None:
        self.pending = False
        self._working = 0
        self._until = float("-inf")
        self._slammed = 0
        self._excused = 0
        self._closed_at = float("-inf")

    def on_closed(self, now: float) -> None:
        """We closed a connection that had been let in."""
        self._closed_at = now

    def on_accepted(self) -> None:
        """One that was let in came to its end."""
        self._slammed = self._excused = 0

    def is_one(self, failure: Failure, *, was_answered: bool) -> bool:
        """Others work, and this one brought nothing: was it turned away? `was_answered`: its head was judged."""
        if failure.cause in _TURNED_AWAY:
            return failure.status != _WANTS_LOGIN
        if failure.cause in {Cause.RESET, Cause.CUT} and not was_answered:
            self._slammed += 1  # once may be chance
            return self._slammed >= _SLAMMED
        return False

    def take(self, failure: Failure, now: float, working: int) -> Hold | None:
        """One was turned away while `working` others brought bytes; what must wait for it."""
        if now - self._closed_at < UNNOTICED_SECONDS and self._excused < _EXCUSES and not failure.retry_after:
            self._excused += 1  # the server may still count a connection that we have just closed
            self._working, self._until = working, now + UNNOTICED_SECONDS / 2
            return Hold(UNNOTICED_SECONDS / 2, everything=False)
        self.pending = True
        if not failure.retry_after:
            return None
        return Hold(min(failure.retry_after, _LONGEST_RETRY_AFTER), everything=True)

    def allowed(self, limit: int, now: float) -> int:
        """Of `limit` connections those that may be open now: while one is waited out, as many as worked then. One that
        ends meanwhile is replaced: what the server let in, it lets in again."""
        return min(limit, self._working) if now < self._until else limit
