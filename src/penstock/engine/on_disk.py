"""What a download has on the disk while it lives: the directory, the claimed target with its part and journal, and the
pipe and the checkpoints through which bytes get there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from penstock.core.ranges import RangeSet
from penstock.core.resume import Record
from penstock.engine.beginning import recorded
from penstock.engine.checkpoints import Checkpoints
from penstock.engine.context import Context
from penstock.engine.ending import Cancel, Deadline
from penstock.engine.pipe import Backlog, Pipe
from penstock.engine.place import Place, Skipped, claim, forget, open_directory, prepare
from penstock.errors import StorageError
from penstock.model import IfExists
from penstock.store.deliver import has_journal
from penstock.store.directory import Directory

T = TypeVar("T")


class OnDisk:
    """Of one download. Belongs to the loop's thread; what blocks is done on a disk thread."""

    def __init__(self, context: Context, backlog: Backlog) -> None:
        self._context = context
        self._backlog = backlog
        self._directory: Directory | None = None
        #: What is claimed, if anything.
        self.place: Place | None = None
        self._pipe: Pipe | None = None
        self._checkpoints: Checkpoints | None = None

    async def do(self, job: Callable[[], T], keep: Callable[[T], None] = lambda _value: None) -> T:
        """Run `job` on a disk thread; interrupted, wait for its end all the same and `keep` what it brought."""
        promise = self._context.disk(job)
        try:
            value = await promise
        except (Cancel, Deadline):
            keep(await promise)
            raise
        keep(value)
        return value

    @property
    def claimed(self) -> Place:
        """The place, once it is claimed."""
        assert self.place is not None
        return self.place

    # To begin with

    async def hold_directory(self, folder: Path) -> None:
        """Make the target's directory if need be, and hold it."""
        if self._directory is None:
            await self.do(lambda: open_directory(folder), self._hold)

    async def claim(self, name: str) -> Skipped | None:
        """Claim the target; what it is when it is to be left as it is."""
        directory = self._directory
        assert directory is not None
        policy = self._context.options.if_exists
        claimed = await self.do(lambda: claim(directory, name, policy), self._settle_in)
        return claimed if isinstance(claimed, Skipped) else None

    async def claim_left_behind(self, guess: str) -> Skipped | None:
        """As `claim`, if an earlier run left a journal for a target with this name."""
        directory = self._directory
        assert directory is not None
        if self._context.options.if_exists is IfExists.RENAME:
            return None
        if await self.do(lambda: has_journal(directory, guess)):
            return await self.claim(guess)
        return None

    def _hold(self, directory: Directory) -> None:
        self._directory = directory
        self._count(True)

    def _settle_in(self, claimed: Place | Skipped) -> None:
        if isinstance(claimed, Place):
            self.place = claimed

    def _count(self, is_on_disk: bool) -> None:
        if self._context.ticket is not None:
            self._context.ticket.is_on_disk = is_on_disk

    # While bytes come

    async def open_pipe(self, record: Callable[[RangeSet], Record], done: RangeSet) -> tuple[Pipe, Checkpoints]:
        """Make the place ready to take bytes besides those that are `done`; `record` says what the journal is to say
        of them."""
        context, place = self._context, self.claimed
        await self.do(partial(prepare, place, record(done), keep=bool(done)))
        pipe = self._pipe = Pipe(context, place.part, self._backlog)
        self._checkpoints = Checkpoints(context, place.part, place.journal, pipe, record, done.size)
        return pipe, self._checkpoints

    @property
    def is_open(self) -> bool:
        """True while bytes may come."""
        return self._pipe is not None

    @property
    def kept_so_far(self) -> int:
        """Bytes that are there."""
        if self.place is None:
            return 0
        return self.place.part.written().size if self._pipe is not None else recorded(self.place)

    async def written(self, length: int) -> None:
        """Return when all that came is written and the part is as long as the file; raises what went wrong."""
        place, pipe = self.claimed, self._pipe
        assert pipe is not None
        pipe.flush_all()
        await pipe.barrier()
        if pipe.error is not None:
            raise pipe.error
        place.part.check_untouched()
        if place.part.prefix() < length:  # a fault of ours must never pass for the file
            raise StorageError(f"{place.path}: internal error: not all that came was written; the same command goes on")
        if place.part.size != length:
            place.part.truncate(length)

    async def settle(self) -> None:
        """Return when no checkpoint is under way."""
        if self._checkpoints is not None:
            await self._checkpoints.settle()

    # To begin again

    async def close_pipe(self) -> None:
        """Let come to rest what is under way; nothing that came since counts any more."""
        if self._pipe is not None:
            await self._pipe.barrier()
        await self.settle()

    def start_over(self) -> None:
        """What came is of no use: the next beginning finds an empty place."""
        self._pipe = self._checkpoints = None
        if self.place is not None:
            self.place.found = None
            self.place.part_size = 0

    async def forget(self) -> None:
        """Delete what came, and let go of all."""
        place = self.place
        await self.settle()
        if place is not None:
            await self.do(lambda: forget(place))
        self.release()
        self._count(False)
        self.place = self._directory = self._pipe = self._checkpoints = None

    # To end

    async def keep(self, *, even_nothing: bool) -> int:
        """Make durable what came, and return how many bytes can be gone on from; a part without any is deleted, but
        for `even_nothing`."""
        place = self.claimed
        try:
            if self._checkpoints is not None and self._pipe is not None:
                self._pipe.flush_all()
                await self._checkpoints.final()
            kept = place.part.written().size if self._checkpoints is not None else recorded(place)
            if not kept and not even_nothing:
                await self.do(lambda: forget(place))
        except OSError:
            # the disk refuses this too: the journal of the last checkpoint still stands
            kept = recorded(place) if place.part.is_there else 0
        return kept

    def release(self) -> None:
        """Let go of part and directory."""
        self.orphan()
        if self._directory is not None:
            self._directory.close()

    def orphan(self) -> None:
        """In a forked child: let go of the parent's part file without touching it."""
        if self.place is not None:
            self.place.part.close()
