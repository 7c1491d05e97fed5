"""When one origin may be asked for the next file.

Four things hold a request back: the number of files under way, a rate, a wait that the server asked for, and a
circuit that opens after failures in a row to connect at all. Room is earned: a few files at first, one more with
each answer, half as many after a refusal. Knows nothing of sockets or clocks: times are passed in, seconds on one
monotonic clock. Invariant: 1 <= room <= limit.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from penstock.core.limits import TokenBucket
from penstock.core.retry import Cause, Failure
from penstock.errors import InvalidRequest

#: Files that an origin gets before it has answered once.
FIRST_FILES: Final = 4
#: Failures to connect in a row, over all files of an origin, that open its circuit.
CIRCUIT_FAILURES: Final = 5
#: Seconds that an open circuit stays shut at first, doubling with each trial in vain up to the last.
CIRCUIT_SECONDS: Final = 1.0
MAX_CIRCUIT_SECONDS: Final = 60.0
#: Seconds without a refusal after which an origin that refused gets room for one more.
RECOVERY_SECONDS: Final = 5.0
#: Refusals within this many seconds of the first are one event.
_REFUSAL_BURST: Final = 1.0
#: Seconds for which nothing more is asked of an origin that was given up.
GIVEN_UP_SECONDS: Final = 30.0
#: Seconds after which failures and refusals that nothing came after say nothing about now.
STALE_SECONDS: Final = MAX_CIRCUIT_SECONDS
#: Failures that say the origin cannot be reached, rather than that one file cannot be had.
UNREACHED: Final = frozenset(
    {Cause.NAME_RESOLUTION, Cause.REFUSED, Cause.UNREACHABLE, Cause.CONNECT_TIMEOUT, Cause.TLS_HANDSHAKE,
     Cause.TLS_CERTIFICATE, Cause.PROXY}
)  # fmt: skip
#: Statuses by which a server says that it is asked too much (RFC 6585 §4, RFC 9110 §15.6.4).
TOO_MUCH: Final = frozenset({429, 503})
#: Failures that say so of an origin that has never answered: one that is silent, or breaks every connection off.
_UNHEARD: Final = UNREACHED | {Cause.STALLED, Cause.RESET, Cause.CUT}
#: A wait that a server asks for and that is longer than this, seconds, is not waited out (see core/retry.py).
LONGEST_WAIT: Final = 300.0


class GivenUp(NamedTuple):
    """Nothing can be had from an origin: `why`, in words, and the failure that showed it."""

    why: str
    failure: Failure


_RATE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(?:/\s*(s|sec|second|m|min|minute|h|hour|d|day))?")
_PERIODS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Politeness:
    """One origin's manners. `limit` bounds its files, `rate` its requests per second (None: no bound)."""

    def __init__(self, limit: int, *, rate: float | None = None, now: float = 0.0) -> None:
        if limit < 1:
            raise ValueError("an origin needs room for at least one file")
        self.limit = limit
        self._room = min(limit, FIRST_FILES)
        self._bucket = None if rate is None else TokenBucket(rate, now, burst=1.0)
        self._is_slowed = False
        self._not_before = now
        self._troubled_at = now
        self._failures = 0
        self._trials = 0
        self._open_until: float | None = None
        self._refused_at: float | None = None
        self._given_up_until: float | None = None
        #: True once it answered anything: then it is there, and a failure to reach it may heal.
        self.has_answered = False
        #: When it did so last.
        self.answered_at = now
        #: Why the origin was given up; None while it is not.
        self.given_up: GivenUp | None = None

    @property
    def room(self) -> int:
        """Files that may be under way at once."""
        return 1 if self._open_until is not None else self._room

    @property
    def is_free(self) -> bool:
        """True when only the number of files holds requests back."""
        return self._bucket is None and self._open_until is None

    @property
    def ceiling(self) -> int:
        """Connections that it may have in all: files and what they have beyond their first."""
        return self.limit if self._refused_at is None and self._open_until is None else self.room

    @property
    def is_open(self) -> bool:
        """True while the circuit is open: the origin could not be reached of late."""
        return self._open_until is not None

    def is_plain(self, now: float) -> bool:
        """True when there is nothing to remember: a new object would behave as well, or nearly, where all trouble is
        long ago."""
        if self._is_slowed or self.delay(now) > 0 or now < (self._given_up_until or now):
            return False
        quiet = self._failures == 0 and self._open_until is None and self._refused_at is None
        return (quiet and self.given_up is None) or now - self._troubled_at >= STALE_SECONDS

    def delay(self, now: float) -> float:
        """Seconds until a request may be made, as far as time is what stands in the way; 0.0: now."""
        wait = max(self._not_before, self._open_until or 0.0) - now
        if self._bucket is not None:
            wait = max(wait, (1.0 - self._bucket.balance(now)) / self._bucket.rate)
        return max(0.0, wait)

    def slow_down(self, pace: float, now: float) -> None:
        """At most `pace` requests a second from now on, unless the rate is lower already."""
        self._is_slowed = True
        if self._bucket is None or self._bucket.rate > pace:
            self._bucket = TokenBucket(pace, now, burst=1.0)

    def on_request(self, now: float) -> None:
        """A request is made."""
        if self._bucket is not None:
            self._bucket.take(1, now)
        if self._open_until is not None:  # this one is the trial; the next waits for its outcome, or for its turn
            self._open_until = now + self._circuit_seconds()

    def on_answer(self, now: float) -> None:
        """The origin answered, and did not say that it is asked too much."""
        self.has_answered = True
        self.answered_at = now
        self._failures = self._trials = 0
        self._open_until = self.given_up = self._given_up_until = None
        if self._refused_at is None:
            self._room = min(self.limit, self._room + 1)
        elif now - self._refused_at >= RECOVERY_SECONDS:
            self._room = min(self.limit, self._room + 1)
            self._refused_at = now if self._room < self.limit else None

    def on_failure(self, failure: Failure, now: float) -> bool:
        """A request failed; True when this opened the circuit (to be said once)."""
        self._troubled_at = now
        if failure.status in TOO_MUCH:
            self._refuse(failure, now)
            return False
        if failure.status:
            self.on_answer(now)
            return False
        if failure.cause not in (UNREACHED if self.has_answered else _UNHEARD):
            return False
        self._failures += 1
        if self._failures < CIRCUIT_FAILURES and self._open_until is None:
            return False
        opened = self._open_until is None
        if not opened:
            self._trials += 1
        self._open_until = now + self._circuit_seconds()
        return opened

    def give_up(self, why: str, failure: Failure, now: float) -> None:
        """Nothing more is to be asked of this origin for a while, or for as long as it asks for."""
        self.given_up = GivenUp(why, failure)
        self._given_up_until = now + max(GIVEN_UP_SECONDS, failure.retry_after or 0.0)

    def look_again(self, now: float) -> None:
        """An origin that was given up long enough ago gets another chance."""
        if self._given_up_until is not None and now >= self._given_up_until:
            self.given_up = self._given_up_until = None

    def _circuit_seconds(self) -> float:
        return min(MAX_CIRCUIT_SECONDS, CIRCUIT_SECONDS * 2.0 ** min(self._trials, 16))

    def _refuse(self, failure: Failure, now: float) -> None:
        self._failures = 0
        if self._refused_at is None or now - self._refused_at > _REFUSAL_BURST:
            self._room = max(1, self._room // 2)
            self._refused_at = now
        if failure.retry_after and failure.retry_after <= LONGEST_WAIT:
            self._not_before = max(self._not_before, now + failure.retry_after)


def parse_pace(text: str) -> float:
    """Requests per second from ``5/s``, ``30/min``, ``1000/h`` or a bare number; raises InvalidRequest."""
    match = _RATE.fullmatch(text.strip().lower())
    if match is None or not float(match[1]) > 0:
        raise InvalidRequest(f"{text[:40]!r} is not a number of requests in a time; write 5/s, 30/min or 1000/h")
    return float(match[1]) / _PERIODS[(match[2] or "s")[0]]
