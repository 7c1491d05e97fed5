"""Which connections are so slow beside their fellows that a new one is worth a try.

Knows nothing of sockets or clocks: rates and the time are passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.core.rates import median

#: Slower than its fellows' median by this factor is far below them.
FAR_BELOW: Final = 8.0
#: It must stay so for this many seconds; doubles with every replacement: some servers are simply like that.
PATIENCE_SECONDS: Final = 0.5
#: A median of fewer fellows says nothing.
_LEAST_FELLOWS: Final = 3


class Laggards:
    """Remembers how long each connection has been far below the others."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self._patience = PATIENCE_SECONDS

    def judge(self, now: float, rates: Mapping[int, float], silent: Mapping[int, float] | None = None) -> list[int]:
        """The connections to replace now.

        `rates` maps each measured connection to its bytes per second; `silent` those that went silent to how many
        seconds ago that was, for it counts as time far below the others.
        """
        if len(rates) < _LEAST_FELLOWS:
            self._since.clear()
            return []
        bar = median(list(rates.values())) / FAR_BELOW
        slow = {key for key, rate in rates.items() if rate < bar}
        quiet = silent or {}
        self._since = {key: min(self._since.get(key, now), now - quiet.get(key, 0.0)) for key in slow}
        if all(now - since < self._patience for since in self._since.values()):
            return []
        # those that began a little later are not spared until the next, longer turn
        late = [key for key, since in self._since.items() if now - since >= self._patience / 2]
        self._patience *= 2
        return late
