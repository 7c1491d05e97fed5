"""Write a trace as it grows: lines in, a file that viewers can open at any moment.

A JSON array may stand open (Chrome's format allows it), so a run that is killed leaves a trace too. Lines are gathered
and written on a thread of their own: a slow disk costs lines, which are counted, and never a transfer's time or memory
without bound.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from penstock.store.threads import Workers

#: Bytes gathered for one write.
_GATHER_BYTES: Final = 64 * 1024
#: Bytes on their way to the disk, beyond which lines are dropped.
_MOST_BYTES: Final = 4 * 1024 * 1024


class TraceFile:
    """Belongs to the thread that puts lines in. `error` is why nothing is written any more."""

    def __init__(self, path: Path, post: Callable[..., None]) -> None:
        """Make the file, or empty it. Raises OSError."""
        self.path = path
        self.error: BaseException | None = None
        #: Lines that were lost because the disk was behind.
        self.dropped = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o666)
        try:
            self._worker = Workers("penstock-trace", 1, post)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._lines: list[str] = []
        self._size = 0
        self._waiting = 0
        self._is_first = True

    def put(self, lines: Sequence[str]) -> None:
        """Take lines, JSON objects all."""
        if self._waiting > _MOST_BYTES or self.error is not None:
            self.dropped += len(lines)
            return
        self._lines += lines
        self._size += sum(map(len, lines))
        if self._size >= _GATHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send on what was gathered."""
        if not self._lines:
            return
        head = "[\n" if self._is_first else ",\n"
        self._is_first = False
        data = (head + ",\n".join(self._lines)).encode("ascii")
        self._lines = []
        self._size = 0
        self._waiting += len(data)
        self._worker.submit(lambda: self._write(data), lambda _value, _error: self._written(len(data)))

    def _written(self, size: int) -> None:
        self._waiting -= size

    def close(self, last: Callable[[], Sequence[str]]) -> None:
        """Write the rest, and what `last` says then; from any thread, once the other one is gone. Raises nothing: see
        `error`."""
        self._waiting = 0  # what is still on its way is waited for
        self.put(last())
        self.flush()
        self._worker.submit(lambda: self._write(b"\n]\n"), lambda _value, _error: None)
        # by the worker, the last to use it: should it hang, the number must not become another file's
        self._worker.submit(self._shut, lambda _value, _error: None)
        self._worker.close()

    # On the worker's thread

    def _write(self, data: bytes) -> None:
        if self.error is not None:
            return
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            self.error = error

    def _shut(self) -> None:
        try:
            os.close(self._descriptor)
        except OSError as error:  # a full disk on the network says so only now
            self.error = self.error or error
