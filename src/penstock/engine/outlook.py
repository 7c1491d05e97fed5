"""What a download would find at its target: the steps of `place`, looked at and not taken.

Nothing is made, locked for longer than a look, or changed. These functions block, and run on a disk thread.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from penstock.core.naming import numbered
from penstock.core.resume import Record, Unreadable
from penstock.engine.place import (
    MAX_NAMES,
    all_names_taken,
    check_target,
    directory_error,
    read_journal,
    storage_error,
    target_exists,
    target_locked,
)
from penstock.errors import StorageError, TargetExists, TargetLocked
from penstock.model import IfExists
from penstock.store.deliver import has_journal
from penstock.store.directory import Directory
from penstock.store.journal import Journal
from penstock.store.part import PartFile, usable_space


@dataclass(frozen=True, slots=True)
class Outlook:
    """A target, and what an earlier run left of it. Sizes are bytes."""

    path: Path
    #: Something is at the target.
    exists: bool = False
    #: That is to be left as it is; its size.
    left_size: int | None = None
    found: Record | Unreadable | None = None
    part_size: int = 0
    #: What the part takes on the disk.
    allocated: int = 0
    #: An earlier run ended between giving the target its name and cleaning up.
    published: bool = False


def open_existing(folder: Path) -> Directory | None:
    """Hold a target directory, None when it is still to be made. Raises StorageError where that cannot be, as a run
    would before it asks anything."""
    try:
        nearest = _nearest(folder)
        directory = Directory.open(nearest, create=False)
        try:
            directory.check_writable()
        except OSError:
            directory.close()
            raise
    except OSError as error:
        raise directory_error(error, folder) from error
    if nearest == folder:
        return directory
    directory.close()
    return None


def look(folder: Path, name: str, policy: IfExists) -> Outlook:
    """What a download to `name` in `folder` would find. Raises TargetExists, TargetLocked, StorageError as it would."""
    directory = open_existing(folder)
    if directory is None:
        return Outlook(folder / name)
    try:
        return _look_free(directory, name) if policy is IfExists.RENAME else _look_exact(directory, name, policy)
    except OSError as error:
        if isinstance(error, StorageError | TargetExists | TargetLocked):
            raise
        raise storage_error(error, folder / name) from error
    finally:
        directory.close()


def look_behind(folder: Path, guess: str, policy: IfExists) -> Outlook | None:
    """The same for a download whose name is not known yet: where an earlier run left a journal under the name that is
    `guess`ed, it is that. Else None."""
    directory = open_existing(folder)
    if directory is None:
        return None
    try:
        if policy is IfExists.RENAME or not has_journal(directory, guess):
            return None
    except OSError as error:
        raise storage_error(error, folder / guess) from error
    finally:
        directory.close()
    return look(folder, guess, policy)


def check_room(outlook: Outlook, length: int) -> None:
    """Raise StorageError when the disk has no room for a file of `length` bytes, as reserving it would."""
    if not hasattr(os, "statvfs"):
        return
    folder = outlook.path.parent
    try:
        free, size = usable_space(os.statvfs(_nearest(folder)))
    except OSError as error:
        raise directory_error(error, folder) from error
    if not size:  # of the system's own making, as /proc: files are not made there
        raise storage_error(OSError(errno.ENOENT, os.strerror(errno.ENOENT)), outlook.path)
    if length - outlook.allocated > free:
        raise storage_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), outlook.path)


def _nearest(folder: Path) -> Path:
    """The folder, or of those around it the nearest that is there."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)


def _look_exact(directory: Directory, name: str, policy: IfExists) -> Outlook:
    path = directory.path / name
    status = directory.status(name)
    if status is not None and policy is IfExists.SKIP:
        return Outlook(path, exists=True, left_size=status.st_size)
    check_target(path, status, policy)
    try:
        outlook = _look_at(directory, name)
    except BlockingIOError:
        raise target_locked(path) from None
    if status is not None and policy is IfExists.ERROR and not outlook.published:
        raise target_exists(path)
    return outlook


def _look_free(directory: Directory, name: str) -> Outlook:
    for number in range(MAX_NAMES):
        candidate = numbered(name, number) if number else name
        status = directory.status(candidate)
        if status is not None and status.st_nlink == 1:
            continue
        try:
            outlook = _look_at(directory, candidate)
        except BlockingIOError:
            continue
        if status is None or outlook.published:
            return outlook
    raise all_names_taken(directory.path / name)


def _look_at(directory: Directory, name: str) -> Outlook:
    path = directory.path / name
    exists = directory.exists(name)
    journal = Journal(directory, name)
    part = PartFile.look_at(directory, name)
    if part is None:
        return Outlook(path, exists=exists, found=journal.load())
    try:
        return Outlook(
            path,
            exists=exists,
            found=read_journal(journal, part),
            part_size=part.size,
            allocated=part.allocated,
            published=part.is_same_file(name),
        )
    finally:
        part.close()
