"""How much of the processor this process and the calling thread use, and how much memory."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

#: Nanoseconds that the reading thread ran and that it waited for a processor (Documentation/scheduler/sched-stats.rst).
_SCHEDULER: Final = "/proc/thread-self/schedstat"


class Used(NamedTuple):
    """Seconds of late: `process`, of all processors by this process; `thread`, of its own time by the thread that asks
    (a wait for a processor counts: it had something to do)."""

    process: float
    thread: float


class Spent(NamedTuple):
    """Seconds of processor time of this process."""

    user: float
    system: float


class Processor:
    """Made on any thread; `sample` is for one thread only."""

    def __init__(self, now: float) -> None:
        self._started = now
        self._began = os.times()
        self._process = time.process_time()
        self._thread: float | None = None
        self._has_scheduler = os.path.exists(_SCHEDULER)

    def sample(self) -> Used:
        """What was used since the last call (the first time: since the making, 0 for the thread)."""
        process, thread = time.process_time(), self._busy()
        of_thread = 0.0 if self._thread is None else thread - self._thread
        used = Used(process - self._process, of_thread)
        self._process, self._thread = process, thread
        return used

    def _busy(self) -> float:
        if self._has_scheduler:
            with contextlib.suppress(OSError, ValueError), open(_SCHEDULER, "rb") as file:
                ran, waited, _ = file.read().split()
                return (int(ran) + int(waited)) / 1e9
            self._has_scheduler = False
        return time.thread_time()

    def spent(self) -> Spent:
        """Since the making."""
        now = os.times()
        return Spent(now.user - self._began.user, now.system - self._began.system)

    @staticmethod
    def peak_memory() -> int | None:
        """Bytes of memory that this process had at most; None where the system does not tell."""
        with contextlib.suppress(OSError, ValueError, IndexError):  # ru_maxrss of Linux counts what came before exec
            status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
            return int(status.split("VmHWM:")[1].split()[0]) * 1024
        try:
            import resource
        except ImportError:  # Windows
            return None
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
