"""A directory held open, so that names in it cannot be redirected while a download runs.

Every operation goes through the held descriptor and never follows a symbolic link at the last step (POSIX
``openat`` with O_NOFOLLOW); the way to it is walked as `walk` says. Where the platform has no such calls (Windows), the
joined path is used instead.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
from pathlib import Path
from typing import Final

from penstock.store.walk import CAN_WALK, open_walking

_NOT_FILES: Final = frozenset({".", ".."})
_HELD: Final = os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY")
_SAFE: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)
#: Where a descriptor has a name by which a file without one can be given one (Linux, open(2): O_TMPFILE).
_DESCRIPTORS: Final = "/proc/self/fd"
#: Of the second name that a file has for a moment, to replace another one by it.
ASIDE_SUFFIX: Final = "~"
#: What file systems say that have no files without names, and kernels that never heard of them.
_NO_UNNAMED: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL})


class Directory:
    """The place of a download's files. Create with `Directory.open`; close when done."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._fd = descriptor
        #: Directories in which a name was made on the way here, and not yet synced.
        self._made_in: list[Path] = []
        self._has_unnamed = descriptor is not None and hasattr(os, "O_TMPFILE") and os.path.isdir(_DESCRIPTORS)

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Directory:
        """Hold `path`, making it and its parents when missing and `create`. Raises OSError."""
        made_in = _to_be_made_in(path) if create else []
        if CAN_WALK:
            directory = cls(path, open_walking(path, create=create))
        else:
            if create:
                path.mkdir(parents=True, exist_ok=True)
            if not _HELD:
                if not path.is_dir():
                    raise NotADirectoryError(20, "Not a directory", str(path))
                return cls(path, None)
            directory = cls(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        directory._made_in = made_in
        return directory

    def __del__(self) -> None:
        self.close()

    @property
    def descriptor(self) -> int | None:
        """What it is held by; None where the platform cannot hold it, and once it is closed."""
        return self._fd

    def close(self) -> None:
        """Let go of the directory."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def check_writable(self) -> None:
        """Raise OSError when no file can be made here: before any request, not after a gigabyte."""
        if os.access(self.path, os.W_OK | os.X_OK):
            return
        if hasattr(os, "statvfs") and os.statvfs(self.path).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, "Read-only file system", str(self.path))
        raise PermissionError(errno.EACCES, "Permission denied", str(self.path))

    def is_at(self, path: Path) -> bool:
        """True when `path` still leads to this very directory."""
        if self._fd is None:
            return path.is_dir()
        try:
            return os.path.samestat(os.stat(path), os.fstat(self._fd))
        except OSError:
            return False

    def open_new(self, name: str, mode: int = 0o666) -> int:
        """A descriptor of `name`, made just now; raises FileExistsError when something has that name."""
        return os.open(self._at(name), os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFE, mode, dir_fd=self._fd)

    def open_unnamed(self) -> int:
        """A descriptor of a new file that has no name yet: it vanishes when it is closed, or its process is killed,
        before `give_name`. -1 where there are no such files."""
        if not self._has_unnamed:
            return -1
        try:
            return os.open(".", os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o666, dir_fd=self._fd)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
            self._has_unnamed = False
            return -1

    def give_name(self, descriptor: int, name: str) -> bool:
        """Let a file without a name appear as `name`, all at once; raises FileExistsError when something has that name.
        False when this cannot be done here; then `open_unnamed` gives no more of them."""
        try:
            os.link(f"{_DESCRIPTORS}/{descriptor}", self._at(name), dst_dir_fd=self._fd)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}:
                raise
            self._has_unnamed = False
            return False
        return True

    def open_file(self, name: str, flags: int, mode: int = 0o666) -> int:
        """A descriptor of `name`, which must be a regular file or not exist. Raises OSError."""
        # opened without waiting: a pipe that was planted there would be waited for until somebody writes to it
        descriptor = os.open(self._at(name), flags | _SAFE | _NO_WAIT, mode, dir_fd=self._fd)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise OSError(22, "Not a regular file", str(self.path / name))

    def status(self, name: str) -> os.stat_result | None:
        """What `name` itself is (links not followed), or None when it is not there."""
        try:
            return os.stat(self._at(name), dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def exists(self, name: str) -> bool:
        """True when something, a dangling link too, has that name."""
        return self.status(name) is not None

    def has_file(self, name: str) -> bool:
        """True when `name` leads to something: cheaper than `exists`."""
        return os.access(self._at(name), os.F_OK, dir_fd=self._fd)

    def remove(self, name: str) -> None:
        """Delete `name` if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._fd)

    def replace(self, old: str, new: str) -> None:
        """Rename, silently replacing what was there."""
        os.replace(self._at(old), self._at(new), src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def rename_new(self, old: str, new: str) -> None:
        """Rename and never replace: FileExistsError when `new` is there."""
        if self.name_new(old, new):
            os.unlink(self._at(old), dir_fd=self._fd)

    def name_new(self, old: str, new: str) -> bool:
        """Let `old` appear as `new` and never replace: FileExistsError when `new` is there. True when it has both
        names now, False when `old` is gone.

        A hard link appears atomically or not at all. Where the file system has none, look and then rename.
        """
        if os.name == "nt":
            os.rename(self._at(old), self._at(new))
            return False
        try:
            os.link(self._at(old), self._at(new), src_dir_fd=self._fd, dst_dir_fd=self._fd, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError:
            if self.exists(new):
                raise FileExistsError(17, "File exists", str(self.path / new)) from None
            self.replace(old, new)
            return False
        return True

    def name_over(self, old: str, new: str) -> bool:
        """Let `old` appear as `new` at once, replacing what was there. True when it has both names now, False when
        `old` is gone."""
        aside = old + ASIDE_SUFFIX
        self.remove(aside)
        try:
            os.link(self._at(old), self._at(aside), src_dir_fd=self._fd, dst_dir_fd=self._fd, follow_symlinks=False)
        except (OSError, NotImplementedError):  # no hard links here
            self.replace(old, new)
            return False
        self.replace(aside, new)
        return True

    def sync(self) -> None:
        """Make the names in here survive a power cut, and the way here too, where the platform can."""
        if self._fd is not None:
            with contextlib.suppress(OSError):  # some network file systems refuse to sync a directory
                os.fsync(self._fd)
        self.sync_parents()

    def sync_parents(self) -> None:
        """Make directories that were made on the way here survive a power cut, where the platform can."""
        made_in, self._made_in = self._made_in, []
        for path in made_in if self._fd is not None else ():
            with contextlib.suppress(OSError):
                _sync(path)

    def _at(self, name: str) -> str:
        if os.sep in name or not name or name in _NOT_FILES or (os.altsep and os.altsep in name):
            raise ValueError(f"not a file name: {name!r}")
        return name if self._fd is not None else str(self.path / name)


def _to_be_made_in(path: Path) -> list[Path]:
    """The directories in which a name will be made, so that `path` is one."""
    return [each.parent for each in itertools.takewhile(lambda each: not each.exists(), (path, *path.parents))]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
