"""Put whole small files in their places, in groups: while one group is synced, the next one is written.

While the disk keeps up the network thread writes and names the files itself: they are a few system calls each, and
every one that a second thread makes while this one is busy waits for the interpreter's lock, which costs more than
the call. Only syncing, which waits for the disk, goes to a disk thread, once for a group. When a write has blocked,
whole groups go there until it has caught up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from penstock.engine.pipe import SLOW_WRITE_SECONDS
from penstock.net.loop import Loop
from penstock.store.deliver import HELD_DIRECTORIES, Delivered, Deliverer, Outcome, Parcel, abandon, name, sync
from penstock.store.directory import Directory
from penstock.store.threads import Workers

#: Files in one group, at most: each has a descriptor until it is named.
GROUP_FILES: Final = 64
#: Seconds in which a group gathers: each costs two changes of threads, which a fast disk does not make up for.
GROUP_SECONDS: Final = 0.004


Tell: TypeAlias = Callable[[Outcome], None]


class Deliveries:
    """What is on its way to the disk. Belongs to the loop's thread."""

    def __init__(self, workers: Workers, loop: Loop, connections: int) -> None:
        """There are descriptors for as many part files as for `connections` (see `descriptors`)."""
        self._workers = workers
        self._soon = loop.soon
        self._now = loop.now
        self._later = loop.call_later
        self._deliverer = Deliverer(min(HELD_DIRECTORIES, max(1, connections // 4)))
        # while one group is synced the next one is written
        self._group_files = min(GROUP_FILES, max(1, connections // 4))
        #: Not yet written; written and not yet synced; named, with directories not yet synced.
        self._waiting: deque[tuple[Parcel, Tell]] = deque()
        self._written: list[tuple[Parcel, Tell]] = []
        self._named: list[tuple[Outcome, Tell]] = []
        self._directories: dict[int, Directory] = {}
        self._busy = False
        self._behind = False

    def put(self, parcel: Parcel, tell: Tell) -> None:
        """Put the parcel in its place; `tell` gets the outcome, never inside this call."""
        if self._waiting or self._behind or len(self._written) >= self._group_files:
            self._waiting.append((parcel, tell))
        else:
            self._write(parcel, tell)
        if not self._busy:
            self._busy = True
            self._soon(self._go_on)  # not yet: others may come in the same turn

    @property
    def backlog(self) -> int:
        """Files that came and are not written yet, or not yet synced."""
        return len(self._waiting) + len(self._written)

    def close(self) -> None:
        """Let go of the directories, once nothing is on its way any more."""
        self._deliverer.close()

    def _write(self, parcel: Parcel, tell: Tell) -> None:
        began = self._now()
        ended = self._deliverer.write(parcel)
        self._behind = self._now() - began > SLOW_WRITE_SECONDS
        if ended is None:
            self._written.append((parcel, tell))
        else:
            self._soon(tell, ended)

    def _go_on(self) -> None:
        """Sync what is written and what is named, on a disk thread; then name the former, and tell of the latter."""
        while self._waiting and not self._behind and len(self._written) < self._group_files:
            self._write(*self._waiting.popleft())
        written, self._written = self._written, []
        named, self._named = self._named, []
        directories, self._directories = list(self._directories.values()), {}
        group = (
            [self._waiting.popleft() for _ in range(min(len(self._waiting), self._group_files))] if self._behind else []
        )
        if not (written or named or group):
            self._busy = False
            self._deliverer.look_again(())
            return
        job = _Job(self._deliverer, written, group, directories)
        self._workers.submit(job.run, lambda value, error: self._synced(job, named, value, error))

    def _synced(
        self, job: _Job, named: Sequence[tuple[Outcome, Tell]], failed: Any, error: BaseException | None
    ) -> None:
        for outcome, tell in named:
            tell(outcome)
        for outcome, tell in job.ended:
            tell(outcome)
        began = self._now()
        for index, (parcel, tell) in enumerate(job.written):
            if error is not None:
                tell(error if isinstance(error, OSError) else OSError(str(error)))
            elif index in failed:
                abandon(parcel)
                tell(failed[index])
            else:
                self._name(parcel, tell)
        self._behind = bool(self._waiting) and self._now() - began > SLOW_WRITE_SECONDS
        in_use = [parcel.directory for parcel, _ in self._written if parcel.directory is not None]
        self._deliverer.look_again([*in_use, *self._directories.values()])
        if self._behind or len(self._written) >= self._group_files or not self._written:
            self._go_on()
        else:
            self._later(GROUP_SECONDS, self._go_on)

    def _name(self, parcel: Parcel, tell: Tell) -> None:
        outcome = name(parcel)
        if isinstance(outcome, Delivered) and parcel.directory is not None:
            self._directories[id(parcel.directory)] = parcel.directory
            self._named.append((outcome, tell))
        else:
            tell(outcome)


class _Job:
    """What a disk thread does for a group: write what is not written yet, then sync."""

    def __init__(
        self,
        deliverer: Deliverer,
        written: list[tuple[Parcel, Tell]],
        group: Sequence[tuple[Parcel, Tell]],
        directories: Sequence[Directory],
    ) -> None:
        self._deliverer = deliverer
        self._group = group
        self._directories = directories
        self.written = written
        #: What could not be written.
        self.ended: list[tuple[Outcome, Tell]] = []

    def run(self) -> dict[int, OSError]:
        """What could not be synced, by its index in `written`."""
        for parcel, tell in self._group:
            ended = self._deliverer.write(parcel)
            if ended is None:
                self.written.append((parcel, tell))
            else:
                self.ended.append((ended, tell))
        return sync([parcel for parcel, _ in self.written], self._directories)
