"""Links that are not alike: what each connection brings, and the shortest time a file can take over them. Pure.

Rates are MB/s (1e6 bytes), given to connections in the order they come.
"""

from __future__ import annotations

import functools
import math
import random
from dataclasses import dataclass

MB = 1_000_000
#: Of every eight connections, the third goes silent and the sixth is reset, each after this many bytes.
ONE_IN, SILENT, RESET, FAULT_AFTER = 8, 3, 6, 1 * MB
#: A changing link has another rate every so many seconds.
CHANGES_EVERY = 1.0
_SLOWEST, _FASTEST = 0.4, 8.0
#: A new connection's first answer takes one round trip to connect and one to ask.
_ROUND_TRIPS_BEFORE = 2


@dataclass(frozen=True)
class Links:
    """How a server treats its connections."""

    key: str
    title: str
    #: Empty for as fast as it goes.
    rates: tuple[float, ...] = (4.0,)
    #: Seconds.
    round_trip: float = 0.0
    silent: bool = False
    reset: bool = False
    #: Rates are drawn anew every `CHANGES_EVERY` seconds instead.
    changing: bool = False
    #: Answers at once; past it comes 503. 0 for no limit.
    cap: int = 0

    def goes_silent(self, connection: int) -> bool:
        """Whether the `connection`-th (from 1) goes silent after `FAULT_AFTER` bytes."""
        return self.silent and connection % ONE_IN == SILENT

    def is_reset(self, connection: int) -> bool:
        """Whether the `connection`-th (from 1) is reset after `FAULT_AFTER` bytes."""
        return self.reset and connection % ONE_IN == RESET

    def rate(self, connection: int, seconds: float) -> float:
        """Bytes per second of the `connection`-th (from 1), `seconds` after the first request."""
        if self.changing:
            return _drawn(connection, int(seconds / CHANGES_EVERY))
        return self.rates[(connection - 1) % len(self.rates)] * MB if self.rates else math.inf

    def ideal(self, connections: int, size: int) -> float:
        """Seconds that `size` bytes take when the first so many connections are all busy to the end.

        One that goes silent counts as nothing, one that is reset in full, for a new one has its rate at once. Round
        trips before the first byte are part of it. A new connection in place of a slow one may have a better rate: so
        it is not quite a bound.
        """
        counted = min(connections, self.cap or connections)
        sources = [number for number in range(1, counted + 1) if not self.goes_silent(number)]
        left, at = float(size), 0.0
        while True:
            together = sum(self.rate(number, at) for number in sources)
            if not self.changing or left <= together * CHANGES_EVERY:
                return at + left / together + _ROUND_TRIPS_BEFORE * self.round_trip
            left -= together * CHANGES_EVERY
            at += CHANGES_EVERY


@functools.cache
def _drawn(connection: int, period: int) -> float:
    """The changing rate of a connection in one period, bytes per second: the same in every run."""
    return random.Random(f"{connection} {period}").uniform(_SLOWEST, _FASTEST) * MB


#: As fast as the server can.
FREE = Links("free", "as fast as it goes", rates=())
#: The links of the job, each with the numbers of connections that are measured.
ALL: tuple[tuple[Links, tuple[int, ...]], ...] = (
    (Links("equal", "all 4 MB/s"), (8, 16)),
    (Links("uneven", "4, 4, 4 and 0.2 MB/s in turn", (4, 4, 4, 0.2)), (8, 16)),
    (Links("silent", "all 4 MB/s, one in eight goes silent", silent=True), (8, 16)),
    (Links("changing", "0.4 to 8 MB/s, drawn anew every second", changing=True), (8, 16)),
    (Links("distant", "all 4 MB/s, round trips of 100 ms", round_trip=0.1), (8, 16)),
    (Links("cap", "all 4 MB/s, 503 past 4 answers at once", cap=4), (16,)),
    (Links("faults", "all 4 MB/s, one in eight goes silent, one is reset", silent=True, reset=True), (8,)),
)
