"""Run the command in this process with a system that refuses: errors are injected at the calls, nothing of ours is.

    python -m tests.chaos.injected FAULT... -- PENSTOCK-ARGUMENTS

A fault is `CALL=ERRNO`, `CALL=ERRNO@K` (from the K-th call on, counted from 1) or `CALL=ERRNO#K` (the K-th only). CALL
is a function of `os` or `fcntl`, or `thread` (starting one of ours; any ERRNO), `tmpfile` (`os.open` with O_TMPFILE),
or `access` (nothing may be written to; any ERRNO). `clock=SECONDS` sets `time.time` forward and back by so much, in
turn, at every 20th look at it.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_CLOCK_LOOKS = 20


def refusing(call: Callable[..., Any], number: int, is_hit: Callable[[int], bool]) -> Callable[..., Any]:
    """`call`, failing with errno `number` whenever `is_hit` says so of its count."""
    counts = itertools.count(1)

    @functools.wraps(call)
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if is_hit(next(counts)):
            raise OSError(number, os.strerror(number))
        return call(*args, **kwargs)

    return refuse


def inject(fault: str) -> None:
    """Let one fault happen from now on."""
    name, _, what = fault.partition("=")
    if name == "clock":
        time.time = jumping(float(what))
        return
    word, at, first = what.partition("@")
    word, hash_, only = word.partition("#")
    number = getattr(errno, word)

    def is_hit(count: int) -> bool:
        return count >= int(first) if at else count == int(only) if hash_ else True

    if name == "access":
        may = os.access
        os.access = lambda path, mode, **options: not mode & os.W_OK and may(path, mode, **options)
    elif name == "thread":
        _refuse_threads(is_hit)
    elif name == "tmpfile":
        _refuse_unnamed(number)
    else:
        room = next(room for room in (os, fcntl) if hasattr(room, name))
        was = getattr(room, name)
        now = refusing(was, number, is_hit)
        setattr(room, name, now)
        for abilities in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if was in abilities:
                abilities.add(now)


def _refuse_threads(is_hit: Callable[[int], bool]) -> None:
    counts = itertools.count(1)
    start = threading.Thread.start

    def refuse(self: threading.Thread) -> None:
        if self.name.startswith("penstock") and is_hit(next(counts)):
            raise RuntimeError("can't start new thread")
        start(self)

    threading.Thread.start = refuse  # type: ignore[method-assign]


def _refuse_unnamed(number: int) -> None:
    was = os.open

    @functools.wraps(was)
    def refuse(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(number, os.strerror(number))
        return was(path, flags, *args, **kwargs)

    os.open = refuse
    os.supports_dir_fd.add(refuse)


def jumping(by: float) -> Callable[[], float]:
    """A wall clock that somebody sets forward by `by` seconds, and back, and again."""
    looks = itertools.count()
    true = time.time

    def look() -> float:
        return true() + by * (0, 1, 0, -1)[next(looks) // _CLOCK_LOOKS % 4]

    return look


def main() -> None:
    """Inject, then be the command."""
    faults, arguments = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
    for fault in faults:
        inject(fault)
    sys.argv[1:] = arguments
    from penstock.__main__ import main as penstock

    penstock()


if __name__ == "__main__":
    main()
