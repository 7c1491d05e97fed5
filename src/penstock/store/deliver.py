"""Put whole small files in their places, many at a time: they came in one piece, so they need no journal.

The order of durability is that of `publish`, once for a group: write all, sync all, name all, sync the directories.
A target appears only when its bytes are on the disk, and a kill costs no more than what was still in memory.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from penstock.model import Digest
from penstock.store.directory import Directory
from penstock.store.journal import Journal
from penstock.store.lock import try_lock
from penstock.store.part import PART_SUFFIX, write_all
from penstock.store.publish import CORRUPT_SUFFIX

#: Directories held open between groups.
_HELD_DIRECTORIES: Final = 32
#: From so many files on, one sync of the file system is cheaper than one for each.
_SYNC_TOGETHER: Final = 4


class Parcel(NamedTuple):
    """A whole file in memory, and where it belongs."""

    directory: Path
    name: str
    blocks: Sequence[bytes]
    size: int
    #: Seconds since the epoch, or None to leave the file's time.
    modified: float | None
    overwrite: bool
    #: Digests that the bytes must have.
    expected: tuple[Digest, ...] = ()
    #: Compute the SHA-256 as well.
    sha256: bool = False


class Delivered(NamedTuple):
    """It is there."""

    path: Path
    sha256: Digest | None = None


class Occupied(NamedTuple):
    """An earlier run left a part of it, or another process is at work on it: to be looked at more closely."""


class Corrupt(NamedTuple):
    """Its bytes have `got` where `expected` was expected; they are kept under another name in the directory."""

    expected: Digest
    got: Digest
    name: str


Outcome = Delivered | Occupied | Corrupt | OSError


class _Open:
    """A parcel whose bytes are in its part file, not yet synced."""

    __slots__ = ("descriptor", "directory", "parcel", "sha256")

    def __init__(self, parcel: Parcel, directory: Directory, descriptor: int) -> None:
        self.parcel = parcel
        self.sha256: Digest | None = None
        self.directory = directory
        self.descriptor = descriptor


class Deliverer:
    """Puts parcels in their places. Used by one thread at a time."""

    def __init__(self) -> None:
        self._directories: OrderedDict[Path, Directory] = OrderedDict()

    def deliver(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        """Each parcel's outcome, in order. Raises nothing for what is wrong with one of them."""
        outcomes: list[Outcome | _Open] = [self._guarded(self._write, parcel) for parcel in parcels]
        written = [entry for entry in outcomes if isinstance(entry, _Open)]
        failed = _sync(written)
        touched: set[int] = set()
        for index, entry in enumerate(outcomes):
            if isinstance(entry, _Open):
                touched.add(id(entry.directory))
                outcomes[index] = failed.get(id(entry)) or self._guarded(_name, entry)
                os.close(entry.descriptor)
        for directory in list(self._directories.values()):
            if id(directory) in touched:
                directory.sync()
        self._close_surplus(_HELD_DIRECTORIES)
        return [outcome for outcome in outcomes if not isinstance(outcome, _Open)]

    def close(self) -> None:
        """Let go of the directories."""
        self._close_surplus(0)

    @staticmethod
    def _guarded(job: Callable[..., Outcome | _Open], argument: Parcel | _Open) -> Outcome | _Open:
        try:
            return job(argument)
        except OSError as error:
            return error

    def _write(self, parcel: Parcel) -> Outcome | _Open:
        directory = self._directory(parcel.directory)
        name = parcel.name + PART_SUFFIX
        try:
            descriptor = directory.open_new(name)
        except FileExistsError:
            return Occupied()
        entry = _Open(parcel, directory, descriptor)
        try:
            if not try_lock(descriptor):
                os.close(descriptor)
                return Occupied()
            write_all(descriptor, parcel.blocks, 0, parcel.size)
            wrong = _first_wrong(parcel)
            if wrong is not None:
                corrupt = parcel.name + CORRUPT_SUFFIX
                directory.replace(name, corrupt)
                os.close(descriptor)
                return Corrupt(*wrong, corrupt)
            if parcel.sha256:
                entry.sha256 = _digest(parcel, "sha256")
            if parcel.modified is not None:
                _set_time(entry, parcel.modified)
        except OSError:
            os.close(descriptor)
            directory.remove(name)
            raise
        return entry

    def _directory(self, path: Path) -> Directory:
        """The directory, held open; opened anew when the path leads elsewhere by now."""
        held = self._directories.pop(path, None)
        if held is not None and not held.is_at(path):
            held.close()
            held = None
        if held is None:
            held = Directory.open(path)
        self._directories[path] = held
        return held

    def _close_surplus(self, keep: int) -> None:
        while len(self._directories) > keep:
            self._directories.popitem(last=False)[1].close()


def _name(entry: _Open) -> Outcome:
    """Give a synced part its target name."""
    parcel, directory = entry.parcel, entry.directory
    part = parcel.name + PART_SUFFIX
    try:
        if parcel.overwrite:
            directory.replace(part, parcel.name)
        else:
            directory.rename_new(part, parcel.name)
    except OSError:
        directory.remove(part)
        raise
    return Delivered(directory.path / parcel.name, entry.sha256)


def _set_time(entry: _Open, modified: float) -> None:
    with contextlib.suppress(OSError, OverflowError, ValueError):  # a time the file system cannot hold
        if os.utime in os.supports_fd:
            os.utime(entry.descriptor, (modified, modified))
        else:
            os.utime(entry.directory.path / (entry.parcel.name + PART_SUFFIX), (modified, modified))


def _first_wrong(parcel: Parcel) -> tuple[Digest, Digest] | None:
    for expected in parcel.expected:
        got = _digest(parcel, expected.algorithm)
        if got != expected:
            return expected, got
    return None


def _digest(parcel: Parcel, algorithm: str) -> Digest:
    running = hashlib.new(algorithm, usedforsecurity=False)
    for block in parcel.blocks:
        running.update(block)
    return Digest(algorithm, running.digest())


def _sync(entries: Sequence[_Open]) -> dict[int, OSError]:
    """Return once the bytes of all `entries` are on the disk; what failed, by the entry's id."""
    syncfs = _syncfs() if len(entries) >= _SYNC_TOGETHER else None
    if syncfs is not None:
        devices = {os.fstat(entry.descriptor).st_dev: entry.descriptor for entry in entries}
        if all(syncfs(descriptor) for descriptor in devices.values()):
            return {}
    failed: dict[int, OSError] = {}
    for entry in entries:
        try:
            os.fsync(entry.descriptor)
        except OSError as error:
            entry.directory.remove(entry.parcel.name + PART_SUFFIX)
            failed[id(entry)] = error
    return failed


@functools.cache
def _syncfs() -> Callable[[int], bool] | None:
    """Linux's ``syncfs``, which syncs a whole file system at once and, since Linux 5.8, tells of its errors."""
    if not sys.platform.startswith("linux") or _kernel() < (5, 8):
        return None
    import ctypes  # only where many small files come

    function = getattr(ctypes.CDLL(None), "syncfs", None)
    if function is None:
        return None
    return lambda descriptor: function(descriptor) == 0


def _kernel() -> tuple[int, int]:
    try:
        major, minor = os.uname().release.split(".")[:2]
        return int(major), int("".join(filter(str.isdigit, minor)) or 0)
    except ValueError:
        return (0, 0)


def is_vacant(directory: Path, name: str) -> bool:
    """True when neither the target nor anything of an earlier run is there: a cheap look, without a lock."""
    path = os.path.join(directory, name)
    return not (os.path.lexists(path) or os.path.lexists(path + PART_SUFFIX))


def has_journal(directory: Directory, target: str) -> bool:
    """True when an earlier run left a journal for this name."""
    return directory.exists(Journal(directory, target).name)
