"""How quick a download's connections are: how long they take to begin, how much they bring, which are silent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from penstock.core.rates import median
from penstock.engine.lane import Lane, SegmentLane
from penstock.net.transfer import Transfer

#: Connections that ended whose rates still tell what a new one may bring.
_PAST_RATES: Final = 16
#: Before anything was measured a connection is taken to need this many seconds to begin.
_FIRST_SETUP: Final = 0.05
#: A connection silent for this long since its opening counts as dead when work is shared out (not yet as failed).
_SILENT_SECONDS: Final = 0.3


class Measures:
    """Of one fetch. Seconds, bytes per second."""

    def __init__(self) -> None:
        #: What a connection takes from its making to its answer, as it was of late.
        self.setup = _FIRST_SETUP
        #: The quickest so far: on a fast link the others waited for this very thread, or for its processor.
        self.least_setup = _FIRST_SETUP
        #: What one of them brings, in the middle; 0 until one was measured.
        self.rate = 0.0
        self._past_rates: deque[float] = deque(maxlen=_PAST_RATES)

    def first_answer(self, transfer: Transfer) -> None:
        """The first connection was let in."""
        self.setup = self.least_setup = max(0.001, transfer.setup or _FIRST_SETUP)

    def left(self, lane: Lane) -> None:
        """A connection is over."""
        if lane.transfer is not None and lane.transfer.setup is not None and lane.accepted:
            self.setup += (lane.transfer.setup - self.setup) / 4
            self.least_setup = min(self.least_setup, lane.transfer.setup)
        if lane.meter.measured and lane.meter.rate > 0:
            self._past_rates.append(lane.meter.rate)

    def take(self, lanes: Iterable[Lane], now: float, *, paused: bool) -> None:
        """Measure all, and let each lease know what its connection brings. `paused`: nothing may come just now."""
        rates = []
        for lane in lanes:
            if lane.transfer is None:
                continue
            (lane.meter.pause if paused else lane.meter.resume)(now)
            lane.meter.update(now, lane.transfer.received)
            if isinstance(lane, SegmentLane):
                if self.is_silent(lane, now):
                    rate: float | None = 0.0
                else:
                    rate = lane.meter.rate if lane.meter.measured else None
                lane.lease.rate = rate
                if rate:
                    rates.append(rate)
        rates.extend(self._past_rates)
        if rates:
            self.rate = median(rates)

    def is_silent(self, lane: Lane, now: float) -> bool:
        """True when it brings nothing for much longer than an answer takes."""
        return lane.meter.silent_for(now) > max(_SILENT_SECONDS, 4 * self.setup)
