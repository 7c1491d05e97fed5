"""Put whole small files in their places, many at a time: they came in one piece, so they need no journal.

The order of durability is that of `publish`, once for a group: `write` each, `sync` all, `name` each, `sync` the
directories. A target appears only when its bytes are on the disk, and a kill costs no more than what was in memory.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
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
    #: Its modification time, nanoseconds, if it was set.
    mtime_ns: int | None = None


class Occupied(NamedTuple):
    """An earlier run left a part of it, or another process is at work on it: to be looked at more closely."""


class Corrupt(NamedTuple):
    """Its bytes have `got` where `expected` was expected; they are kept under another name in the directory."""

    expected: Digest
    got: Digest
    name: str


Outcome = Delivered | Occupied | Corrupt | OSError


class Written:
    """A parcel whose bytes are in its part file, locked, and not yet synced."""

    __slots__ = ("descriptor", "directory", "mtime_ns", "parcel", "sha256")

    def __init__(self, parcel: Parcel, directory: Directory, descriptor: int) -> None:
        self.parcel = parcel
        self.sha256: Digest | None = None
        self.mtime_ns: int | None = None
        self.directory = directory
        self.descriptor = descriptor


class Deliverer:
    """Writes parcels and gives them their names. Used by one thread at a time."""

    def __init__(self) -> None:
        self._directories: OrderedDict[Path, Directory] = OrderedDict()
        self._looked_at: set[Path] = set()

    def write(self, parcel: Parcel) -> Written | Outcome:
        """Put the bytes in a part file; or how it ended already."""
        try:
            return self._write(parcel)
        except OSError as error:
            return error

    def look_again(self, in_use: Iterable[Directory]) -> None:
        """Before the next parcel: do the paths of the directories that are held still lead to them? Of those that are
        not `in_use` only some are held on to."""
        self._looked_at.clear()
        surplus = len(self._directories) - _HELD_DIRECTORIES
        if surplus <= 0:
            return
        used = set(map(id, in_use))
        for path, directory in list(self._directories.items())[:surplus]:
            if id(directory) not in used:
                self._directories.pop(path).close()

    def close(self) -> None:
        """Let go of the directories."""
        while self._directories:
            self._directories.popitem()[1].close()

    def _write(self, parcel: Parcel) -> Written | Outcome:
        directory = self._directory(parcel.directory)
        name = parcel.name + PART_SUFFIX
        try:
            descriptor = directory.open_new(name)
        except FileExistsError:
            return Occupied()
        entry = Written(parcel, directory, descriptor)
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
        held = self._directories.get(path)
        if held is not None and path in self._looked_at:
            return held
        if held is not None and not held.is_at(path):
            held = None  # what is on its way there still holds it; closed when that is garbage
        if held is None:
            held = self._directories[path] = Directory.open(path)
        self._directories.move_to_end(path)
        self._looked_at.add(path)
        return held


def name(entry: Written) -> Outcome:
    """Give a synced part its target name, and let go of it."""
    parcel, directory = entry.parcel, entry.directory
    part = parcel.name + PART_SUFFIX
    try:
        if parcel.overwrite:
            directory.replace(part, parcel.name)
        else:
            directory.rename_new(part, parcel.name)
    except OSError as error:
        with contextlib.suppress(OSError):
            directory.remove(part)
        return error
    finally:
        os.close(entry.descriptor)
    return Delivered(parcel.directory / parcel.name, entry.sha256, entry.mtime_ns)


def _set_time(entry: Written, modified: float) -> None:
    with contextlib.suppress(OSError, OverflowError, ValueError):  # a time the file system cannot hold
        if os.utime in os.supports_fd:
            os.utime(entry.descriptor, (modified, modified))
            # dates of HTTP have whole seconds, which every file system keeps that can be written at offsets like this
            entry.mtime_ns = int(modified) * 1_000_000_000 if modified == int(modified) else None
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


def sync(written: Sequence[Written], named: Sequence[Directory]) -> dict[int, OSError]:
    """Return once the bytes of `written` and the names in `named` are on the disk; what failed, by index."""
    failed: dict[int, OSError] = {}
    syncfs = _syncfs() if len(written) + len(named) >= _SYNC_TOGETHER else None
    if syncfs is not None:
        descriptors = [entry.descriptor for entry in written]
        devices = {os.fstat(descriptor).st_dev: descriptor for descriptor in descriptors}
        if all(map(syncfs, devices.values())):
            return failed
    for index, entry in enumerate(written):
        try:
            os.fsync(entry.descriptor)
        except OSError as error:
            failed[index] = error
    for directory in named:
        directory.sync()
    return failed


def abandon(entry: Written) -> None:
    """It could not be synced: delete it."""
    with contextlib.suppress(OSError):
        entry.directory.remove(entry.parcel.name + PART_SUFFIX)
    os.close(entry.descriptor)


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
