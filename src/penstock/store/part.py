"""The part file: the bytes so far, and which of them were written.

Knows offsets and bytes, not segments or the network. Writes come from one thread, syncs from another; `written` is
the only state they share, and it is guarded. Other programs may delete, replace or shorten the file while we have it:
then nothing more is written, and what is gone is not claimed.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from collections.abc import Sequence
from typing import Final

from penstock.core.ranges import RangeSet
from penstock.errors import StorageError
from penstock.store.directory import ASIDE_SUFFIX, Directory
from penstock.store.lock import is_locked, try_lock

PART_SUFFIX: Final = ".part"
#: posix_fallocate is asked for this much at a time: glibc emulates it byte by byte where the file system cannot, and
#: a long call could not be given up.
_ALLOCATE_STEP: Final = 1 << 30
#: Room for some journals on any file system: what is given up for them on a full disk.
_SHED_BYTES: Final = 256 * 1024
#: The unit of `st_blocks` (stat(2)).
_BLOCK_BYTES: Final = 512
#: What a body of unknown length leaves of the disk, or a sixteenth of a small one.
HEADROOM_BYTES: Final = 256 * 1024 * 1024
#: The file system cannot reserve space ahead: not an error, the file grows as it is written.
_NO_PREALLOCATION: Final = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, getattr(errno, "ENOTSUP", errno.EOPNOTSUPP)}
#: Times that a part is opened which another process removes at that very moment.
_MOST_TRIES: Final = 1000


class PartFile:
    """``NAME.part``, opened, locked and written at offsets."""

    def __init__(self, directory: Directory, name: str, descriptor: int) -> None:
        self.directory = directory
        self.name = name
        self._fd = descriptor
        self._written = RangeSet()
        #: The file is at least this long, bytes, unless another program shortened it.
        self._extent = 0
        self._guard = threading.Lock()

    @classmethod
    def open(cls, directory: Directory, target: str) -> PartFile | None:
        """Open or create the part of `target` and lock it; None when another process holds it. Raises OSError, or
        StorageError for a file that somebody else put there."""
        name = target + PART_SUFFIX
        for tries in itertools.count(1):
            try:
                descriptor = _open_or_make(directory, name, target)
            except FileNotFoundError:  # its last holder removed it just now; or no file can be made here (/proc)
                if tries >= _MOST_TRIES:
                    raise
                continue
            if not try_lock(descriptor):
                os.close(descriptor)
                return None
            # its last holder may have renamed it away between our open and our lock
            there = directory.status(name)
            if there is not None and os.path.samestat(there, os.fstat(descriptor)):
                return cls(directory, name, descriptor)
            os.close(descriptor)
            if tries >= _MOST_TRIES:
                break
        raise OSError(errno.ESTALE, "it is made and removed all the time", str(directory.path / name))

    @classmethod
    def look_at(cls, directory: Directory, target: str) -> PartFile | None:
        """The part of `target` to be read only, None when there is none. Raises BlockingIOError when another process
        holds it, else as `open`; changes nothing."""
        name = target + PART_SUFFIX
        try:
            descriptor = directory.open_file(name, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            _check_ours(descriptor, directory, name, target)
            if is_locked(descriptor):
                raise BlockingIOError(errno.EWOULDBLOCK, "another process holds it", str(directory.path / name))
        except BaseException:
            os.close(descriptor)
            raise
        return cls(directory, name, descriptor)

    @property
    def size(self) -> int:
        """The file's length on disk, bytes."""
        return os.fstat(self._fd).st_size

    @property
    def allocated(self) -> int:
        """What it takes on the disk, bytes."""
        return getattr(os.fstat(self._fd), "st_blocks", 0) * _BLOCK_BYTES

    def reset(self, done: RangeSet | None = None) -> None:
        """Forget what was written but for `done`; with none, drop the bytes as well."""
        with self._guard:
            self._written = RangeSet() if done is None else done.copy()
        if done is None:
            os.ftruncate(self._fd, 0)
        self._extent = self.size

    def allocate(self, length: int) -> None:
        """Reserve `length` bytes on disk, or only set the length where the file system cannot. Raises OSError, before
        anything is reserved when the disk cannot hold so much: others need it meanwhile."""
        if length <= 0:
            return
        if hasattr(os, "statvfs") and length - self.allocated > self._free()[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if hasattr(os, "posix_fallocate"):
            try:
                for start in range(0, length, _ALLOCATE_STEP):
                    os.posix_fallocate(self._fd, start, min(_ALLOCATE_STEP, length - start))
            except OSError as error:
                if error.errno not in _NO_PREALLOCATION:
                    raise
        self.truncate(length)

    def check_headroom(self) -> None:
        """Raise OSError when a body without a known end has used up all but the last of the disk (S14)."""
        if not hasattr(os, "statvfs"):
            return
        free, size = self._free()
        if free < min(HEADROOM_BYTES, size // 16):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _free(self) -> tuple[int, int]:
        """Bytes of the file system that we may still use, and all that it has."""
        return usable_space(os.fstatvfs(self._fd))

    def truncate(self, length: int) -> None:
        """Set the file's length to `length` bytes."""
        os.ftruncate(self._fd, length)
        with self._guard:
            self._written = self._written.within(0, length)
            self._extent = length

    def shed(self) -> None:
        """Give up a little of the end, so that on a full disk there is room for a journal that vouches for the rest."""
        stop = max((piece.stop for piece in self.written()), default=0)
        self.truncate(max(0, stop - _SHED_BYTES))

    def write(self, offset: int, blocks: Sequence[bytes | memoryview]) -> int:
        """Write `blocks` one after another from `offset` on; returns the bytes written. Raises OSError."""
        size = sum(map(len, blocks))
        status = os.fstat(self._fd)
        if status.st_size < self._extent or not status.st_nlink:
            self.check_untouched()  # a write past the end would put zeros where bytes were
        write_all(self._fd, blocks, offset, size)
        with self._guard:
            self._written.add(offset, offset + size)
            self._extent = max(self._extent, offset + size)
        return size

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`."""
        if hasattr(os, "pread"):
            return os.pread(self._fd, size, offset)
        with self._guard:
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.read(self._fd, size)

    def written(self) -> RangeSet:
        """A copy of what was written and is still there: handed to the system, not yet durable."""
        size = self.size
        with self._guard:
            if size >= self._extent:
                return self._written.copy()
            return self._written.within(0, size)

    def prefix(self) -> int:
        """Bytes written from zero on without a gap."""
        with self._guard:
            return self._written.prefix()

    def sync(self, *, times: bool = False) -> None:
        """Return once everything written before the call is on the disk; with `times` its modification time too."""
        if hasattr(os, "fdatasync") and not times:
            os.fdatasync(self._fd)
        else:
            os.fsync(self._fd)

    def set_time(self, modified: float) -> None:
        """Set the modification time, seconds since the epoch."""
        if os.utime in os.supports_fd:
            os.utime(self._fd, (modified, modified))
        else:
            os.utime(self.directory.path / self.name, (modified, modified))

    def is_same_file(self, name: str) -> bool:
        """True when `name` in the same directory is this very file."""
        there = self.directory.status(name)
        return there is not None and os.path.samestat(there, os.fstat(self._fd))

    @property
    def is_there(self) -> bool:
        """False when another program deleted it, or put another file in its place."""
        return self.is_same_file(self.name)

    def check_untouched(self) -> None:
        """Raise OSError when another program deleted, replaced or shortened the file."""
        if not self.is_there:
            raise FileNotFoundError(errno.ENOENT, f"another program deleted or replaced {self.name}")
        if self.size < self._extent:
            raise OSError(errno.ESTALE, f"another program cut {self.name} short; the same command goes on")

    def discard(self) -> None:
        """Delete the part and what a crash left of replacing the target by it, unless its name is another file's by
        now; the descriptor stays until `close`."""
        if self.is_there:
            self.directory.remove(self.name + ASIDE_SUFFIX)
            self.directory.remove(self.name)

    def close(self) -> None:
        """Let go of the file and its lock."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1


def usable_space(status: os.statvfs_result) -> tuple[int, int]:
    """Bytes of a file system that we may still use, and all that it has."""
    blocks = status.f_bavail if os.geteuid() else status.f_bfree
    return blocks * status.f_frsize, status.f_blocks * status.f_frsize


def _open_or_make(directory: Directory, name: str, target: str) -> int:
    try:
        return directory.open_new(name)
    except FileExistsError:
        descriptor = directory.open_file(name, os.O_RDWR)
    try:
        _check_ours(descriptor, directory, name, target)
        if _has_name(descriptor, directory, name + ASIDE_SUFFIX):  # killed as it replaced the target
            directory.remove(name + ASIDE_SUFFIX)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_ours(descriptor: int, directory: Directory, name: str, target: str) -> None:
    """Raise StorageError for a part that another user made, and could change after it was checked; or that has another
    name besides the target's: writing to it would change that other file (S04)."""
    status = os.fstat(descriptor)
    where = directory.path / name
    if hasattr(os, "geteuid") and status.st_uid not in {os.geteuid(), 0}:
        raise StorageError(f"{where}: it belongs to another user; delete it, or choose another name with -o")
    names = 1 + sum(_has_name(descriptor, directory, other) for other in (name + ASIDE_SUFFIX, target))
    if status.st_nlink > names:
        raise StorageError(f"{where}: it is a link to another file too; delete it, or choose another name with -o")


def _has_name(descriptor: int, directory: Directory, name: str) -> bool:
    there = directory.status(name)
    return there is not None and os.path.samestat(there, os.fstat(descriptor))


if hasattr(os, "pwritev"):
    #: Blocks that one call takes.
    _IOV_MAX: Final = os.sysconf("SC_IOV_MAX") if "SC_IOV_MAX" in os.sysconf_names else 16

    def write_all(descriptor: int, blocks: Sequence[bytes | memoryview], offset: int, size: int) -> None:
        """Write `blocks`, `size` bytes in all, from `offset` on. Raises OSError."""
        if len(blocks) > _IOV_MAX:  # chunks of a byte or so
            blocks = (b"".join(blocks),)
        done = os.pwritev(descriptor, blocks, offset)
        if done < size:  # a signal or a nearly full disk cut it short
            _write_rest(descriptor, memoryview(b"".join(blocks))[done:], offset + done)

    def _write_rest(descriptor: int, rest: memoryview, offset: int) -> None:
        while rest:
            done = os.pwrite(descriptor, rest, offset)
            rest = rest[done:]
            offset += done

else:

    def write_all(descriptor: int, blocks: Sequence[bytes | memoryview], offset: int, size: int) -> None:
        """Write `blocks`, `size` bytes in all, from `offset` on. Raises OSError."""
        os.lseek(descriptor, offset, os.SEEK_SET)
        rest = memoryview(b"".join(blocks))
        while rest:
            rest = rest[os.write(descriptor, rest) :]
