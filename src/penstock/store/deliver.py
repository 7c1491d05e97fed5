"""Put whole small files in their places, many at a time: they came in one piece, so they need no journal.

The order of durability is that of `publish`, once for a group: `write` each, `sync` all, `name` each, `sync` the
directories. A target appears only when its bytes are on the disk, and a kill costs no more than what was in memory.

Where the file system has files without names (Linux), there is no part file at all: one name is made instead of two,
nothing is removed, and nothing is left behind by a kill.
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
HELD_DIRECTORIES: Final = 32
#: From so many files on, one sync of the file system is cheaper than one for each.
_SYNC_TOGETHER: Final = 4


class Parcel:
    """A whole file in memory and where it belongs; once written, also its file on the disk, not yet synced: one without
    a name (`has_part` is False), or a part file, locked."""

    __slots__ = ("blocks", "descriptor", "directory", "expected", "folder", "has_part", "modified", "mtime_ns", "name",
                 "overwrite", "sha256", "size", "wants_sha256")  # fmt: skip

    def __init__(
        self,
        folder: str,
        name: str,
        blocks: Sequence[bytes],
        size: int,
        *,
        modified: float | None = None,
        overwrite: bool = False,
        expected: tuple[Digest, ...] = (),
        sha256: bool = False,
    ) -> None:
        """`modified` is in seconds since the epoch, None leaves the file's time; it must have the digests that are
        `expected`; `sha256` asks for this digest as well."""
        self.folder = folder
        self.name = name
        self.blocks = blocks
        self.size = size
        self.modified = modified
        self.overwrite = overwrite
        self.expected = expected
        self.wants_sha256 = sha256
        # once written
        self.directory: Directory | None = None
        self.descriptor = -1
        self.has_part = False
        self.sha256: str | None = None
        self.mtime_ns: int | None = None


class Delivered(NamedTuple):
    """It is there."""

    #: In hexadecimal digits, if it was asked for.
    sha256: str | None = None
    #: Its modification time, nanoseconds, if it was set.
    mtime_ns: int | None = None


class Occupied(NamedTuple):
    """An earlier run left a part of it, or another process is at work on it, or it could not be given its name here: to
    be looked at more closely."""


class Corrupt(NamedTuple):
    """Its bytes have `got` where `expected` was expected; they are kept under another name in the directory."""

    expected: Digest
    got: Digest
    name: str


Outcome = Delivered | Occupied | Corrupt | OSError


class Deliverer:
    """Writes parcels and gives them their names. Used by one thread at a time. Between groups it holds on to `held`
    directories."""

    def __init__(self, held: int = HELD_DIRECTORIES) -> None:
        self._held = held
        self._directories: OrderedDict[str, Directory] = OrderedDict()
        self._looked_at: set[str] = set()

    def write(self, parcel: Parcel) -> Outcome | None:
        """Put the bytes in a part file; how it ended already, or None."""
        try:
            directory = self._directory(parcel.folder)
            part = parcel.name + PART_SUFFIX
            wrong = _mismatch(parcel) if parcel.expected else None
            if wrong is None and not parcel.overwrite:  # a name can be given only where there is none
                if directory.has_file(part):
                    return Occupied()
                parcel.descriptor = directory.open_unnamed()
            if parcel.descriptor < 0:
                parcel.descriptor = _open_part(directory, part)
                parcel.has_part = True
                if parcel.descriptor < 0:
                    return Occupied()
            parcel.directory = directory
            return self._fill(parcel, part, wrong)
        except OSError as error:
            return error

    def look_again(self, in_use: Iterable[Directory]) -> None:
        """Before the next parcel: do the paths of the directories that are held still lead to them? Of those that are
        not `in_use` only some are held on to."""
        self._looked_at.clear()
        surplus = len(self._directories) - self._held
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

    @staticmethod
    def _fill(parcel: Parcel, part: str, wrong: Corrupt | None) -> Outcome | None:
        directory, descriptor = parcel.directory, parcel.descriptor
        assert directory is not None
        try:
            write_all(descriptor, parcel.blocks, 0, parcel.size)
            if wrong is not None:
                directory.replace(part, wrong.name)
                os.close(descriptor)
                return wrong
            if parcel.wants_sha256:
                parcel.sha256 = hex_digest(parcel.blocks, "sha256")
            if parcel.modified is not None:
                parcel.mtime_ns = _set_time(descriptor, directory, part, parcel.modified)
        except OSError:
            abandon(parcel)
            raise
        return None

    def _directory(self, path: str) -> Directory:
        """The directory, held open; opened anew when the path leads elsewhere by now."""
        held = self._directories.get(path)
        if held is not None and path in self._looked_at:
            return held
        if held is not None and not held.is_at(Path(path)):
            held = None  # what is on its way there still holds it; closed when that is garbage
        if held is None:
            held = self._directories[path] = Directory.open(Path(path))
        self._directories.move_to_end(path)
        self._looked_at.add(path)
        return held


def _mismatch(parcel: Parcel) -> Corrupt | None:
    """The first digest that it does not have."""
    for expected in parcel.expected:
        got = Digest(expected.algorithm, bytes.fromhex(hex_digest(parcel.blocks, expected.algorithm)))
        if got != expected:
            return Corrupt(expected, got, parcel.name + CORRUPT_SUFFIX)
    return None


def _open_part(directory: Directory, part: str) -> int:
    """A new part file, locked; -1 when there is one already."""
    try:
        descriptor = directory.open_new(part)
    except FileExistsError:
        return -1
    if try_lock(descriptor):
        return descriptor
    os.close(descriptor)
    return -1


def name(parcel: Parcel) -> Outcome:
    """Give a synced file its target name, and let go of it."""
    try:
        if _is_named(parcel):
            return Delivered(parcel.sha256, parcel.mtime_ns)
        return Occupied()  # it has to go another way
    except OSError as error:
        return error
    finally:
        os.close(parcel.descriptor)


def _is_named(parcel: Parcel) -> bool:
    directory = parcel.directory
    assert directory is not None
    if not parcel.has_part:
        return directory.give_name(parcel.descriptor, parcel.name)
    part = parcel.name + PART_SUFFIX
    try:
        if parcel.overwrite:
            directory.replace(part, parcel.name)
        else:
            directory.rename_new(part, parcel.name)
    except OSError:
        with contextlib.suppress(OSError):
            directory.remove(part)
        raise
    return True


def _set_time(descriptor: int, directory: Directory, part: str, modified: float) -> int | None:
    """Set the file's time; its nanoseconds where it is known which the file system keeps."""
    try:
        if os.utime not in os.supports_fd:
            os.utime(directory.path / part, (modified, modified))
            return None
        os.utime(descriptor, (modified, modified))
    except (OSError, OverflowError, ValueError):  # a time the file system cannot hold
        return None
    # dates of HTTP have whole seconds, which every file system keeps that can be written at offsets like this
    return int(modified) * 1_000_000_000 if modified == int(modified) else None


def hex_digest(blocks: Sequence[bytes], algorithm: str) -> str:
    """The digest of the bytes in `blocks`, in hexadecimal digits."""
    if algorithm == "sha256":
        running = hashlib.sha256(blocks[0] if blocks else b"", usedforsecurity=False)
        for block in blocks[1:]:
            running.update(block)
        return running.hexdigest()
    running = hashlib.new(algorithm, usedforsecurity=False)
    for block in blocks:
        running.update(block)
    return running.hexdigest()


def sync(written: Sequence[Parcel], named: Sequence[Directory]) -> dict[int, OSError]:
    """Return once the bytes of `written` and the names in `named` are on the disk; what failed, by index."""
    failed: dict[int, OSError] = {}
    syncfs = _syncfs() if len(written) + len(named) >= _SYNC_TOGETHER else None
    if syncfs is not None:
        places = {id(parcel.directory): parcel.descriptor for parcel in written}
        places.update((id(each), each.descriptor) for each in named if each.descriptor is not None)
        devices = {os.fstat(descriptor).st_dev: descriptor for descriptor in places.values()}
        if all(map(syncfs, devices.values())):
            return failed
    for index, parcel in enumerate(written):
        try:
            os.fsync(parcel.descriptor)
        except OSError as error:
            failed[index] = error
    for directory in named:
        directory.sync()
    return failed


def sync_file_system(path: Path) -> None:
    """Return once everything on the file system of the directory `path` is on the disk, where that can be had.
    Raises OSError."""
    syncfs = _syncfs()
    directory = Directory.open(path, create=False)
    try:
        if syncfs is not None and directory.descriptor is not None and syncfs(directory.descriptor):
            return
        if hasattr(os, "sync"):
            os.sync()
    finally:
        directory.close()


def abandon(parcel: Parcel) -> None:
    """It could not be written or synced: delete it."""
    assert parcel.directory is not None
    if parcel.has_part:
        with contextlib.suppress(OSError):
            parcel.directory.remove(parcel.name + PART_SUFFIX)
    os.close(parcel.descriptor)


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


def has_journal(directory: Directory, target: str) -> bool:
    """True when an earlier run left a journal for this name."""
    return directory.exists(Journal(directory, target).name)
