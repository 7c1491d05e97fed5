"""When to let the journal vouch for more: at most every second, and every 64 MiB, one at a time."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from penstock.core.ranges import RangeSet
from penstock.core.resume import Record
from penstock.engine.context import Context
from penstock.engine.pipe import Pipe
from penstock.events import Checkpointed
from penstock.net.tasks import Promise
from penstock.store.journal import Journal, checkpoint
from penstock.store.part import PartFile

#: Seconds between checkpoints while bytes arrive.
CHECKPOINT_SECONDS: Final = 1.0
#: Bytes after which one is made sooner: a kill -9 costs at most about this much.
CHECKPOINT_BYTES: Final = 64 * 1024 * 1024
#: Bytes at which one begins, so that it is done before CHECKPOINT_BYTES have come on a fast link.
_BEGIN_BYTES: Final = CHECKPOINT_BYTES // 2
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


class Checkpoints:
    """Makes the checkpoints of one part file."""

    def __init__(
        self,
        context: Context,
        part: PartFile,
        journal: Journal,
        pipe: Pipe,
        record: Callable[[RangeSet], Record],
        received: int,
    ) -> None:
        """`received` is the count of bytes already vouched for."""
        self._context = context
        self._part = part
        self._journal = journal
        self._pipe = pipe
        self._record = record
        self._last_time = context.now
        self._last_bytes = received
        self._running: Promise[None] | None = None
        self.error: BaseException | None = None

    def tick(self, now: float, received: int) -> None:
        """Begin one if it is due; `received` is the count of bytes there by now."""
        fresh = received - self._last_bytes
        if self._running is not None or fresh <= 0:
            return
        if now - self._last_time >= CHECKPOINT_SECONDS or fresh >= _BEGIN_BYTES:
            self._last_time = now
            self._last_bytes = received
            self._begin()

    def _is_out_of_room(self) -> bool:
        return isinstance(self.error, OSError) and self.error.errno in _FULL

    async def final(self) -> None:
        """Make one more, of everything there is; raises what went wrong.

        On a full disk the last bytes are given up for the journal: better those again than all of them.
        """
        while self._running is not None:
            await self._running
        self.error = None
        await self._begin()
        if self._is_out_of_room():
            await self._context.disk(self._part.shed)
            self.error = None
            await self._begin()
        if self.error is not None:
            raise self.error

    async def settle(self) -> None:
        """Wait for one that is under way."""
        while self._running is not None:
            await self._running

    def _begin(self) -> Promise[None]:
        running: Promise[None] = Promise(self._context.loop.soon)
        self._running = running
        began, trace = self._context.now, self._context.trace
        self._pipe.flush_all()

        def written() -> None:
            self._context.workers.submit(lambda: checkpoint(self._part, self._journal, self._record), done)

        def done(durable: int, error: BaseException | None) -> None:
            self._running = None
            if trace is not None:
                trace.checkpointed(self._context.number, began, durable if error is None else None)
            if error is not None:
                self.error = error
            else:
                self._context.emit(Checkpointed(download=self._context.number, at=self._context.now, durable=durable))
            running.set(None)

        self._pipe.barrier().on_settled(written)
        return running
