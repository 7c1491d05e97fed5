"""Where a download's bytes go: the directory, the name, the part file with its lock, and the journal found there.

These functions block, and run on a disk thread.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock.core.naming import numbered
from penstock.core.ranges import RangeSet
from penstock.core.resume import Record, Unreadable
from penstock.errors import StorageError, TargetExists, TargetLocked
from penstock.model import IfExists
from penstock.store.directory import Directory
from penstock.store.journal import Journal
from penstock.store.part import PART_SUFFIX, PartFile
from penstock.store.publish import clean_up
from penstock.store.samples import bears_out, take_samples

#: Names tried under ``--if-exists rename`` before giving up.
MAX_NAMES: Final = 10_000


@dataclass(slots=True)
class Place:
    """A claimed target: nobody else writes to its part while we hold it."""

    directory: Directory
    target: str
    part: PartFile
    journal: Journal
    #: What the journal said when we came.
    found: Record | Unreadable | None
    #: Length of the part file when we came, bytes.
    part_size: int
    #: An earlier run ended between giving the target its name and cleaning up: nothing is left to do.
    published: bool = False

    @property
    def path(self) -> Path:
        """The target."""
        return self.directory.path / self.target


@dataclass(frozen=True, slots=True)
class Skipped:
    """The target is there and the policy is to leave it."""

    path: Path
    size: int


def open_directory(path: Path) -> Directory:
    """Hold the target directory, making it if need be; raises StorageError before any request is made."""
    try:
        directory = Directory.open(path)
    except OSError as error:
        raise directory_error(error, path) from error
    try:
        directory.check_writable()
        directory.sync_parents()
    except OSError as error:
        directory.close()
        raise storage_error(error, path) from error
    return directory


def claim(directory: Directory, name: str, policy: IfExists) -> Place | Skipped:
    """Take `name` (or, under the rename policy, the first free one like it) for a download.

    Raises TargetExists, TargetLocked, StorageError.
    """
    try:
        if policy is IfExists.RENAME:
            return _claim_free(directory, name)
        return _claim_exact(directory, name, policy)
    except OSError as error:
        if isinstance(error, StorageError | TargetExists | TargetLocked):
            raise
        raise storage_error(error, directory.path / name) from error


def _claim_exact(directory: Directory, name: str, policy: IfExists) -> Place | Skipped:
    path = directory.path / name
    status = directory.status(name)
    if status is not None and policy is IfExists.SKIP:
        return Skipped(path, status.st_size)
    check_target(path, status, policy)
    place = _open(directory, name)
    if place is None:
        raise target_locked(path)
    if status is not None and policy is IfExists.ERROR and not place.published:
        _close(place)
        raise target_exists(path)
    return place


def _claim_free(directory: Directory, name: str) -> Place:
    for number in range(MAX_NAMES):
        candidate = numbered(name, number) if number else name
        status = directory.status(candidate)
        if status is not None and status.st_nlink == 1:
            continue
        place = _open(directory, candidate)
        if place is None:
            continue
        if status is None or place.published:
            return place
        _close(place)
    raise all_names_taken(directory.path / name)


def _open(directory: Directory, name: str) -> Place | None:
    part_status = directory.status(name + PART_SUFFIX)
    part = PartFile.open(directory, name)
    if part is None:
        return None
    journal = Journal(directory, name)
    published = part_status is not None and part.is_same_file(name)
    try:
        found = read_journal(journal, part)
        return Place(directory, name, part, journal, found, part.size, published)
    except BaseException:
        part.close()
        raise


def read_journal(journal: Journal, part: PartFile) -> Record | Unreadable | None:
    """What the journal says of the part, as far as the part bears it out. Raises OSError."""
    found = journal.load()
    if isinstance(found, Record) and not bears_out(part, found.samples):
        return Unreadable("the part file holds other bytes than it lists")
    return found


def check_target(path: Path, status: os.stat_result | None, policy: IfExists) -> None:
    """Raise StorageError or TargetExists for what lies at a target, a file that is no part of ours, and must stay."""
    if status is not None and path.is_dir():
        raise StorageError(f"{path} is a directory; give the file another name with -o")
    if status is not None and policy is IfExists.ERROR and status.st_nlink == 1:
        raise target_exists(path)


def _close(place: Place) -> None:
    if place.part_size == 0 and place.found is None:
        place.part.discard()
    place.part.close()


def prepare(place: Place, record: Record, *, keep: bool) -> None:
    """Make the part ready for `record`'s representation: empty, or with its done ranges; space reserved.

    Raises OSError: ENOSPC here costs nothing but the attempt.
    """
    if not keep:
        place.journal.remove()
        place.part.reset()
    else:
        place.part.reset(RangeSet(record.done))
    # before the part is made longer: a journal of before may list bytes past a truncated end, and must not find zeros
    samples = take_samples(place.part, RangeSet(record.done)) if keep else ()
    place.journal.replace(record._replace(samples=samples))
    if record.length is not None and place.part.size != record.length:
        place.part.allocate(record.length)


def forget(place: Place) -> None:
    """Delete part and journal: there is nothing in them to go on from. Those of another process are left alone."""
    if place.part.is_there:
        place.journal.remove()
        place.part.discard()


def finish_publishing(place: Place) -> None:
    """Clean up after a run that was killed between naming the target and forgetting its part."""
    clean_up(place.part, place.journal, has_both=True)


def target_exists(path: Path) -> TargetExists:
    """The error for a target that is there, under the policy that does not touch it."""
    return TargetExists(f"{path} exists; choose --if-exists skip, overwrite or rename, or give it another name")


def directory_error(error: OSError, path: Path) -> StorageError:
    """The error for a directory that cannot be opened or made."""
    if isinstance(error, FileNotFoundError):
        return StorageError(f"{path}: it cannot be made; choose another directory with -d")
    return storage_error(error, path)


def target_locked(path: Path) -> TargetLocked:
    """The error for a target that another process is downloading to."""
    return TargetLocked(f"{path}: another process is downloading to it; wait for it, or give another name with -o")


def all_names_taken(path: Path) -> TargetExists:
    """The error for a target that has no free name like it."""
    return TargetExists(f"{path}: so are {MAX_NAMES} names like it; delete some, or give another name with -o")


_TOO_MANY: Final = "too many files are open; raise the limit (ulimit -n), and the same command goes on"
_NO_PERMISSION: Final = "no permission to write there; choose another directory with -d, or change its permissions"
_NOT_THERE: Final = "no file can be made there; choose another directory with -d"
_NO_DIRECTORY: Final = "a part of the path is not a directory; choose another one with -d"
_WORDS: Final = {
    errno.ENOSPC: "the disk is full; make room, and the same command goes on",
    errno.EDQUOT: "the disk quota is used up; make room, and the same command goes on",
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: "the file system is read-only; choose another directory with -d",
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.ENOTDIR: _NO_DIRECTORY,
    errno.EEXIST: _NO_DIRECTORY,
    errno.EFBIG: "the file system cannot hold a file of this size, or ulimit -f forbids it; choose another with -d",
    errno.ELOOP: "it is a symbolic link, which is not followed; name the place that it leads to",
    errno.ENAMETOOLONG: "the name is too long for the file system; give another one with -o",
}


def storage_error(error: OSError, path: Path) -> StorageError:
    """A disk's error in words that say where, what and what to do."""
    number = error.errno or 0
    is_its_own = error.strerror == os.strerror(number)  # ours say more
    words = _NOT_THERE if number == errno.ENOENT and is_its_own else _WORDS.get(number)
    words = words or (error.strerror or os.strerror(number) if number else str(error))
    failure = StorageError(f"{path}: {words}", resumable=True)
    failure.errno = number
    return failure
