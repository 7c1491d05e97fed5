"""How much may pass in a time: a token bucket (time passed in), and rates and sizes as people write them."""

from __future__ import annotations

import re

from penstock.errors import InvalidRequest

#: A bucket holds this many seconds of its rate. Timers that come 0.1 s late lose nothing, and over any 10 s
#: at most 2 % too much passes.
BURST_SECONDS = 0.2
#: The largest size or rate accepted: what a signed 64-bit file offset can hold.
MAX_BYTES = 2**63 - 1

# Powers of 1024 in either case, as in curl's --limit-rate and aria2's --max-overall-download-limit. A small b
# is refused, because it could mean bits.
_AMOUNT = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?) ?(?:([KMGTPkmgtp])(?:i?B)?|B)?")
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


class TokenBucket:
    """A budget of `rate` bytes per second that saves up at most `burst` bytes.

    Without `burst` it is BURST_SECONDS of the rate. Bytes are debited after they came, so the balance may go
    below zero; whoever asks then waits until it is paid back. Over any window of T seconds at most
    ``burst + rate * T`` bytes plus one debit pass.
    """

    __slots__ = ("_at", "_balance", "_burst", "_given_burst", "_rate")

    def __init__(self, rate: float, now: float, burst: float | None = None) -> None:
        self._at = now
        self._given_burst = burst
        self._set(rate)
        self._balance = self._burst

    @property
    def rate(self) -> float:
        """Bytes per second."""
        return self._rate

    def balance(self, now: float) -> float:
        """What may pass at once; below zero, what is owed."""
        self._refill(now)
        return self._balance

    def take(self, n: int, now: float) -> None:
        """Debit `n` bytes that came by `now`."""
        self._refill(now)
        self._balance -= n

    def delay(self, now: float) -> float:
        """Seconds from `now` until nothing is owed; 0.0 means go on."""
        self._refill(now)
        if self._balance > -1:  # less than a byte is rounding, and a timer for it would spin
            return 0.0
        return -self._balance / self._rate

    def set_rate(self, rate: float, now: float) -> None:
        """Change to `rate` bytes per second from `now` on; debts stay. Raises ValueError unless positive."""
        self._refill(now)
        self._set(rate)
        self._balance = min(self._balance, self._burst)

    def _set(self, rate: float) -> None:
        if not rate > 0:
            raise ValueError(f"a rate must be positive, not {rate}")
        self._rate = rate
        self._burst = rate * BURST_SECONDS if self._given_burst is None else self._given_burst

    def _refill(self, now: float) -> None:
        if now <= self._at:  # a clock that went back must not earn the same second twice
            return
        self._balance = min(self._burst, self._balance + (now - self._at) * self._rate)
        self._at = now


def parse_rate(text: str) -> int:
    """Bytes per second from ``500K``, ``2M`` or ``1.5MiB``; K, M, G are powers of 1024, as in curl and aria2.

    Raises InvalidRequest for anything else, zero included.
    """
    return _parse(text, "a rate", "bytes per second, such as 500K or 2M")


def parse_size(text: str) -> int:
    """Bytes from ``4096``, ``64K`` or ``1MiB``; K, M, G are powers of 1024, as in curl and aria2.

    Raises InvalidRequest for anything else, zero included.
    """
    return _parse(text, "a size", "bytes, such as 4096, 64K or 1MiB")


def _parse(text: str, kind: str, hint: str) -> int:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise InvalidRequest(f"{text[:40]!r} is not {kind}; give {hint} (K, M, G are powers of 1024)")
    number, unit = match.groups(default="")
    whole, _, fraction = number.partition(".")
    digits = int(whole + fraction)  # exact, where a float would round the last bytes of large sizes
    amount = digits * (1 << 10 * _POWERS[unit.upper()]) // int("1" + "0" * len(fraction))
    if amount < 1:
        raise InvalidRequest(f"{text[:40]!r} is too small for {kind}; give at least 1 byte")
    if amount > MAX_BYTES:
        raise InvalidRequest(f"{text[:40]!r} is too large for {kind}; the most is {MAX_BYTES} bytes")
    return amount
