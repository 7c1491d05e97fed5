"""Signals as messages to the main thread: nothing is interrupted half-way. A second signal leaves at once."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from types import FrameType
from typing import Final, TypeVar

T = TypeVar("T")

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
#: Windows does not wake a waiting thread for a signal, so the wait is cut into pieces of this many seconds.
_WAIT_SECONDS: Final = 0.2
#: A shell adds this to a signal's number to make its exit code.
_SIGNALLED: Final = 128


class Interrupted(Exception):
    """A signal asked us to stop; `code` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Signals:
    """SIGINT, SIGTERM and SIGHUP as messages to the main thread; those that were ignored stay ignored (nohup).

    Ctrl-Z (SIGTSTP) stops the process as ever, inside `aside()`: what is on the terminal can make room.
    """

    def __init__(self, aside: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext) -> None:
        self._aside = aside
        # SimpleQueue.put is reentrant: the one way to reach the main thread from a handler that runs on it
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._code: int | None = None

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Answer the signals while inside."""
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        before = {number: signal.getsignal(number) for number in numbers}
        caught = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        for number in caught:
            signal.signal(number, self._handle)
        stops = hasattr(signal, "SIGTSTP") and signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL
        if stops:
            signal.signal(signal.SIGTSTP, self._rest)
        try:
            yield
        finally:
            for number in caught:
                signal.signal(number, before[number])
            if stops:
                signal.signal(signal.SIGTSTP, signal.SIG_DFL)

    def wait(self, future: Future[T]) -> T:
        """The future's result; raises what it raises, or Interrupted."""
        future.add_done_callback(lambda _future: self._wake.put(None))
        while True:
            if self._code is not None:
                raise Interrupted(self._code)
            if future.done():
                return future.result()
            with contextlib.suppress(queue.Empty):
                self._wake.get(timeout=_WAIT_SECONDS)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        code = _SIGNALLED + (signal.SIGINT if number == getattr(signal, "SIGBREAK", None) else number)
        if self._code is not None:
            os._exit(code)
        self._code = code
        self._wake.put(None)

    def _rest(self, number: int, _frame: FrameType | None) -> None:
        with self._aside():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)  # returns when the process goes on
            signal.signal(number, self._rest)
