"""Gather received blocks into large writes and keep the backlog bounded.

libcurl hands over 16 KiB at a time; written one by one they cost three times the system time of 1 MiB at once. Each
segment has its own gather. While the disk keeps up, a full one is written where it stands: the bytes are still in
this processor's cache, and handing them to a thread costs a third more CPU and 10 MB of memory. Once a write has
blocked, they go to the writer thread until it has caught up; and when more is waiting there than the disk takes, the
gate closes and the network waits.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from penstock.engine.context import Context
from penstock.net.gate import DISK, Gate
from penstock.net.tasks import Promise
from penstock.store.part import PartFile

#: Bytes gathered for one write, at most.
GATHER_BYTES: Final = 1024 * 1024
#: Bytes that all gathers of one download may hold together.
GATHER_BUDGET: Final = 4 * 1024 * 1024
#: Blocks in one write: well below IOV_MAX, which POSIX systems set to 1,024.
_MAX_BLOCKS: Final = 512
#: Bytes waiting for the writer thread at which transfers are held back, and at which they go on.
WRITE_QUEUE_BYTES: Final = 6 * 1024 * 1024
_RESUME_BYTES: Final = 3 * 1024 * 1024
#: A write that takes this many seconds is not the page cache's any more: the disk is behind.
SLOW_WRITE_SECONDS: Final = 0.05


class Backlog:
    """Bytes on their way to the disk, over all downloads of an engine."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.bytes = 0

    def add(self, size: int) -> None:
        """`size` bytes were queued."""
        self.bytes += size
        if self.bytes > WRITE_QUEUE_BYTES:
            self._gate.close(DISK)

    def remove(self, size: int) -> None:
        """`size` bytes were written, or dropped."""
        self.bytes -= size
        if self.bytes <= _RESUME_BYTES:
            self._gate.lift(DISK)


class _Gather:
    __slots__ = ("blocks", "end", "offset")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.end = offset
        self.blocks: list[bytes | memoryview] = []


class Pipe:
    """From received blocks to written ones, for one part file. `error` holds the first failure of a write."""

    def __init__(self, context: Context, part: PartFile, backlog: Backlog) -> None:
        self._context = context
        self._part = part
        self._backlog = backlog
        self._gathers: dict[int, _Gather] = {}
        self._limit = GATHER_BYTES
        self._behind = False
        self._waiting = 0
        self.error: BaseException | None = None

    def share(self, lanes: int) -> None:
        """Divide the gathering budget among `lanes` segments."""
        self._limit = max(64 * 1024, min(GATHER_BYTES, GATHER_BUDGET // max(1, lanes)))

    def put(self, key: int, offset: int, block: bytes, skip: int, size: int) -> None:
        """Take ``block[skip:skip + size]``, which belongs at `offset`; `key` names the run of bytes it continues."""
        gather = self._gathers.get(key)
        if gather is None or gather.end != offset:
            if gather is not None:
                self._send(gather)
            gather = self._gathers[key] = _Gather(offset)
        gather.blocks.append(block if size == len(block) else memoryview(block)[skip : skip + size])
        gather.end += size
        if gather.end - gather.offset >= self._limit or len(gather.blocks) >= _MAX_BLOCKS:
            del self._gathers[key]
            self._send(gather)

    def flush(self, key: int) -> None:
        """Send what was gathered under `key` to the writer."""
        gather = self._gathers.pop(key, None)
        if gather is not None:
            self._send(gather)

    def flush_all(self) -> None:
        """Send everything gathered to the writer."""
        for key in list(self._gathers):
            self.flush(key)

    def barrier(self) -> Promise[None]:
        """A promise that is kept when all that was sent so far is written (or failed: see `error`)."""
        promise: Promise[None] = Promise(self._context.loop.soon)
        # one writer thread, first in first out: when this has run, so has everything before it
        self._context.writer.submit(lambda: None, lambda _value, _error: promise.set(None))
        return promise

    def _send(self, gather: _Gather) -> None:
        size = gather.end - gather.offset
        if not self._behind:
            self._write(gather)
            return
        self._waiting += size
        self._backlog.add(size)
        job = partial(self._part.write, gather.offset, gather.blocks)
        self._context.writer.submit(job, partial(self._written, size))

    def _write(self, gather: _Gather) -> None:
        started = self._context.now
        try:
            self._part.write(gather.offset, gather.blocks)
        except OSError as error:
            self.error = self.error or error
        ended = self._context.now
        self._behind = ended - started > SLOW_WRITE_SECONDS
        if self._context.trace is not None:
            self._context.trace.wrote(started, ended, gather.end - gather.offset)

    def _written(self, size: int, _value: object, error: BaseException | None) -> None:
        self._backlog.remove(size)
        self._waiting -= size
        self._behind = self._waiting > 0
        if error is not None and self.error is None:
            self.error = error
