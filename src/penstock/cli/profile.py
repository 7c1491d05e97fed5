"""Profile every thread of a run with the standard library's profilers, into one file that ``pstats`` and snakeviz read.

A profiler follows one thread only, so each thread's work is run under its own, and in the end they are added up. From
Python 3.12 on there can be but one cProfile at a time (it follows all threads then, and mixes them up), so there the
slower ``profile`` is taken, of which there can be many.
"""

from __future__ import annotations

import contextlib
import cProfile
import profile
import pstats
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

#: Each thread can have a cProfile of its own.
HAS_MANY: Final = sys.version_info < (3, 12)


def profiled(path: Path, work: Callable[[], T], *, has_many: bool = HAS_MANY) -> T:
    """Run `work`, profile it and every thread that it begins, and write the file `path`, however it ends.

    Raises OSError at once, before anything is run, when the file cannot be written. The threads must end with it.
    """
    with path.open("wb"):
        pass
    make = cProfile.Profile if has_many else profile.Profile
    profiles: list[Any] = [make()]
    try:
        with _each_thread(make, profiles):
            result: T = profiles[0].runcall(work)
            return result
    finally:
        total = pstats.Stats(profiles[0])
        for each in profiles[1:]:
            each.create_stats()
            if each.stats:  # else it did nothing at all
                total.add(pstats.Stats(each))
        total.dump_stats(path)


@contextlib.contextmanager
def _each_thread(make: Callable[[], Any], profiles: list[Any]) -> Iterator[None]:
    """Give each new thread a profiler of its own."""
    plain = threading.Thread.run

    def run(thread: threading.Thread) -> None:
        own = make()
        profiles.append(own)
        own.runcall(plain, thread)

    threading.Thread.run = run  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        threading.Thread.run = plain  # type: ignore[method-assign]
