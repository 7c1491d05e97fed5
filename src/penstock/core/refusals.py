"""Connections that are turned away while others work: the origin allows no more (F25).

Knows no clock and no connection: what happened comes in, with the time.
"""

from __future__ import annotations

from typing import Final

from penstock.core.retry import Cause, Failure

#: Failures that, while other connections work, mean "no more connections" rather than "no".
_TURNED_AWAY: Final = {Cause.REFUSED, Cause.CONNECT_TIMEOUT, Cause.STATUS}
#: Seconds that a server may need to notice that we closed a connection; refusals so soon after are waited out.
UNNOTICED_SECONDS: Final = 0.5
_EXCUSES: Final = 2
#: Doors shut in a row without an answer that mean the same.
_SLAMMED: Final = 2
#: Seconds of Retry-After obeyed while other connections work; a longer one is an error once none does.
_LONGEST_RETRY_AFTER: Final = 300.0


class Refusals:
    """Those of one download. `pending`: one came, and the others that knocked have not been counted yet."""

    def __init__(self) -> None:
        self.pending = False
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
            return True
        if failure.cause in {Cause.RESET, Cause.CUT} and not was_answered:
            self._slammed += 1  # once may be chance
            return self._slammed >= _SLAMMED
        return False

    def take(self, failure: Failure, now: float) -> float:
        """One was turned away; returns the seconds to wait before anything is asked again, 0 for none."""
        if now - self._closed_at < UNNOTICED_SECONDS and self._excused < _EXCUSES and not failure.retry_after:
            self._excused += 1  # the server may still count a connection that we have just closed
            return UNNOTICED_SECONDS / 2
        self.pending = True
        return min(failure.retry_after or 0.0, _LONGEST_RETRY_AFTER)
