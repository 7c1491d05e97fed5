"""Open a directory step by step, through no link that somebody else may have put in the way (S04).

A step is trusted when it belongs to the user or to root, or lies in a trusted directory in which only its owner can
make names: then nobody else made it. Links are followed only when they are trusted, much as Linux does it in sticky
directories (``fs.protected_symlinks``); every step is opened before it is judged, so that it cannot be exchanged in
between.

Only on Linux, whose O_PATH needs no permission to read the directories on the way; elsewhere the system's own walk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

CAN_WALK: Final = hasattr(os, "O_PATH") and os.open in os.supports_dir_fd and os.readlink in os.supports_dir_fd
#: Links on one way, at most: as many as Linux follows (path_resolution(7)).
MAX_LINKS: Final = 40
_STEP: Final = getattr(os, "O_PATH", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def open_walking(path: Path, *, create: bool) -> int:
    """A descriptor of the directory at `path`, which is made if it is missing and `create`. Raises OSError; ELOOP for a
    link that is not to be trusted."""
    steps = [*reversed(path.parts)]
    if path.is_absolute():
        steps.pop()
    at, is_trusted, links = _root(path.anchor or "."), True, 0
    try:
        while steps:
            name = steps.pop()
            step = _open_step(at, name, path, create=create)
            try:
                status = os.fstat(step)
                is_safe = (name == ".." and is_trusted) or _is_safe(status, os.fstat(at), is_trusted)
                if not stat.S_ISLNK(status.st_mode):
                    is_trusted, at, step = is_safe, step, at
                    continue
                links += 1
                if not is_safe or links > MAX_LINKS:
                    raise OSError(errno.ELOOP, "a symbolic link that is not to be trusted", str(path))
                leads = Path(os.readlink("", dir_fd=step))
            finally:
                os.close(step)
            steps.extend(reversed(leads.parts))
            if leads.is_absolute():
                steps.pop()
                os.close(at)
                at, is_trusted = _root("/"), True
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=at)
    finally:
        os.close(at)


def _root(path: str) -> int:
    return os.open(path, _STEP | os.O_DIRECTORY)


def _open_step(at: int, name: str, path: Path, *, create: bool) -> int:
    """A descriptor of a directory or of a link, which is not followed."""
    while True:
        try:
            return os.open(name, _STEP | os.O_DIRECTORY, dir_fd=at)  # as a directory, or it would not be mounted
        except FileNotFoundError:
            if not create:
                raise
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=at)
            create = False
        except NotADirectoryError:
            step = os.open(name, _STEP, dir_fd=at)
            if stat.S_ISLNK(os.fstat(step).st_mode):
                return step
            os.close(step)
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None


def _is_safe(status: os.stat_result, parent: os.stat_result, is_parent_trusted: bool) -> bool:
    """True when nobody but the user, root, or the one who owns `parent` can have put it there."""
    if status.st_uid in {os.geteuid(), 0}:
        return True
    return is_parent_trusted and not parent.st_mode & _OTHERS_MAY_WRITE
