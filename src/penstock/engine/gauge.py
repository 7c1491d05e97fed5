"""Tell how a download goes: its progress to whoever watches, and samples of its connections to a trace."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from penstock.core.ramp import Ramp
from penstock.engine.context import Context
from penstock.events import Progressed
from penstock.net.transfer import Transfer

#: Seconds between progress events.
PROGRESS_SECONDS: Final = 0.1
#: Seconds over which the speed that people see is averaged.
_SPEED_SECONDS: Final = 3.0


class Gauge:
    """Fed at every tick."""

    def __init__(self, context: Context, done: int) -> None:
        """`done` bytes are there already."""
        self._context = context
        self._samples: deque[tuple[float, int]] = deque([(context.now, done)])
        self._told_at = 0.0
        self._recorded_at = context.now

    def tell(self, now: float, done: int, length: int | None, connections: int) -> None:
        """Emit where it is, if that is due."""
        if now - self._told_at >= PROGRESS_SECONDS:
            self._tell(now, done, length, connections)

    def tell_all(self, now: float, length: int, connections: int) -> None:
        """Emit that all is there, due or not: what follows may take a while, and whoever watches should know."""
        self._tell(now, length, length, connections)

    def _tell(self, now: float, done: int, length: int | None, connections: int) -> None:
        self._told_at = now
        self._samples.append((now, done))
        while now - self._samples[0][0] > _SPEED_SECONDS and len(self._samples) > 2:
            self._samples.popleft()
        since, before = self._samples[0]
        self._context.emit(
            Progressed(
                download=self._context.number,
                at=now,
                done=done,
                length=length,
                speed=(done - before) / max(now - since, 0.001),
                connections=connections,
            )
        )

    def record(self, now: float, transfers: Iterable[Transfer], ramp: Ramp, *, flowing: int, opening: int) -> None:
        """Sample its connections for the trace, if there is one and it is due."""
        trace, number = self._context.trace, self._context.number
        if trace is None or not trace.is_due(number, now):
            return
        since, self._recorded_at = self._recorded_at, now
        trace.flowed(number, since, now, transfers)
        most = self._context.options.max_connections
        counts: dict[str, float] = {"flowing": flowing, "opening": opening, "allowed": ramp.limit, "most": most}
        if ramp.gain is not None:
            counts["gain"] = round(ramp.gain, 3)
        trace.connected(number, now, **counts)
