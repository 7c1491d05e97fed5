"""The manifest's database file: opened, locked and checked before anything is believed or fetched.

One run at a time has a manifest, by a lock that dies with its process. Anybody's file may lie at its path: it is used
only when it is ours, of a version that we know, and whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from penstock.core.naming import folded
from penstock.errors import StorageError, TargetLocked
from penstock.store.lock import is_locked, try_lock
from penstock.store.schema import APPLICATION_ID, SCHEMA, TEMPORARY, VERSION

#: How long another reader (``penstock status``) may keep us from writing, seconds.
_BUSY_SECONDS: Final = 30.0
LOCK_SUFFIX: Final = ".lock"
#: What SQLite keeps beside a database.
_SIDE_SUFFIXES: Final = ("-wal", "-shm", "-journal")
_ANOTHER: Final = "give another file with --manifest"
_MOVE_IT: Final = "move it away to begin a new one (files that are there stay)"
_TABLES: Final = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"


class NotManifest(StorageError):
    """The file is something else. The message says what a run can do."""


def connect(path: str) -> sqlite3.Connection:
    """A connection to the manifest at `path`, made if need be; to a database that dies with it when `path` is empty."""
    if path:
        with told(Path(path)):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
            try:
                check_owner(os.fstat(descriptor), path, f"; {_ANOTHER}")
            finally:
                os.close(descriptor)
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)


def copy_of(path: Path) -> sqlite3.Connection:
    """A copy of the manifest at `path` that dies with its connection; an empty one when there is none. The original is
    read only. Raises TargetLocked when a run has it, StorageError when it cannot be used."""
    copy = connect("")
    try:
        with told(path):
            status = status_of(str(path))
            if status is None:
                return copy
            if stat.S_ISLNK(status.st_mode):  # as a run would not follow it
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            check_owner(status, path, f"; {_ANOTHER}")
            if _has_lock(path):
                raise in_use(path)
            with contextlib.closing(_open_to_read(path)) as original:
                check_kind(original)
                original.backup(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Who may write, and is the last to leave, puts a log that was left into the database: such a one is opened for
    reading. Where there is none, who may only read would leave an empty log behind."""
    mode = "rw" if status_of(f"{path}{_SIDE_SUFFIXES[0]}") is None else "ro"
    own = sqlite3.connect(f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}", uri=True, timeout=_BUSY_SECONDS)
    own.execute("PRAGMA query_only = ON")
    return own


def _has_lock(path: Path) -> bool:
    """True when a run has the manifest."""
    try:
        descriptor = os.open(f"{path}{LOCK_SUFFIX}", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return False
    try:
        return is_locked(descriptor)
    finally:
        os.close(descriptor)


def in_use(path: Path) -> TargetLocked:
    """The error for a manifest that another run has."""
    return TargetLocked(f"{path}: another run is using this manifest; wait for it, or give another one")


def check_owner(status: os.stat_result, path: Path | str, advice: str = "") -> None:
    """Raise StorageError, with `advice`, for a manifest that another user made, or that has something of theirs beside
    it: the log of another run would be replayed into it (S16)."""
    if not hasattr(os, "geteuid"):
        return
    ours = {os.geteuid(), 0}
    if status.st_uid not in ours:
        raise StorageError(f"{path}: the manifest belongs to another user{advice}")
    for suffix in _SIDE_SUFFIXES:
        beside = status_of(f"{path}{suffix}")
        if beside is not None and (beside.st_uid not in ours or not stat.S_ISREG(beside.st_mode)):
            raise StorageError(f"{path}: {suffix} beside the manifest belongs to another user{advice}")


def prepare(db: sqlite3.Connection) -> None:
    """Make the tables of a new manifest; raise StorageError for a file that is something else."""
    check_kind(db)
    db.execute("PRAGMA journal_mode = WAL")
    # rows must survive a power cut if files that came for them do: else these would pass for somebody else's
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA temp_store = FILE")
    db.execute("PRAGMA cache_size = -16000")
    db.execute("PRAGMA wal_autocheckpoint = 4000")
    db.executescript(SCHEMA)
    db.executescript(TEMPORARY)


def check_kind(db: sqlite3.Connection) -> bool:
    """True when it is a manifest that we know how to use, False when it is empty. Raises NotManifest for anything
    else, StorageError for a manifest of another version or layout, and for a damaged one."""
    db.execute("PRAGMA trusted_schema = OFF")
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = dict(db.execute(_TABLES))
    if application != APPLICATION_ID and (application or version or tables):
        raise NotManifest(f"it is not a manifest of Penstock's; {_ANOTHER}")
    if version > VERSION:
        raise StorageError(f"the manifest has version {version}, this Penstock knows {VERSION}; use a newer one")
    if not _is_laid_out(tables):
        raise StorageError(f"the manifest has the layout of an unreleased Penstock; {_MOVE_IT}")
    if tables and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise StorageError(f"the manifest is damaged; {_MOVE_IT}")
    return bool(tables)


def _is_laid_out(tables: dict[str, str]) -> bool:
    """Whether they are as SCHEMA makes them, and nothing else is there: SQLite would run triggers and views (S16). A
    kill while they were made leaves some out; the next run makes those."""
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        model.executescript(SCHEMA)
        ours = dict(model.execute(_TABLES))
    return all(ours.get(name) == sql for name, sql in tables.items())


@contextlib.contextmanager
def told(path: Path | None) -> Iterator[None]:
    """SQLite's errors as ours, naming the file."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
            message = f"it is not a manifest of Penstock's, or damaged; move it away, or {_ANOTHER}"
            raise NotManifest(f"{path or 'the manifest'}: {message}") from error
        raise StorageError(f"{path or 'the manifest'}: {_words(error)}", resumable=True) from error
    except UnicodeDecodeError as error:  # SQLite quotes damaged bytes in its own message
        raise StorageError(f"{path or 'the manifest'}: the manifest is damaged; {_MOVE_IT}") from error
    except StorageError as error:
        if path is not None and not error.message.startswith(str(path)):
            raise type(error)(f"{path}: {error.message}") from error
        raise
    except TargetLocked:
        raise
    except OSError as error:
        raise StorageError(f"{path or 'the manifest'}: {error.strerror or error}") from error


def _words(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")):  # the latter: no room for the index of its log
        return "the disk is full; make room, and the same command goes on"
    if code.startswith("SQLITE_CORRUPT"):
        return f"the manifest is damaged; {_MOVE_IT}"
    if code.startswith("SQLITE_BUSY"):
        return "another program keeps the manifest locked"
    return str(error)


def take_lock(path: Path) -> tuple[int, Path]:
    """Hold ``MANIFEST.lock``: one run at a time, and a lock that dies with its process."""
    name = path.with_name(path.name + LOCK_SUFFIX)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(name, flags, 0o600)
            if not try_lock(descriptor):
                os.close(descriptor)
                raise in_use(path)
            status = status_of(str(name))
            if status is not None and os.path.samestat(status, os.fstat(descriptor)):
                return descriptor, name
            os.close(descriptor)  # its last holder removed it between our open and our lock


def drop_lock(lock: tuple[int, Path]) -> None:
    """Let the lock go."""
    descriptor, name = lock
    with contextlib.suppress(OSError):
        os.unlink(name)
    os.close(descriptor)


def status_of(path: str) -> os.stat_result | None:
    """What is at `path`, a symbolic link itself; None when nothing is, or it cannot be known."""
    try:
        return os.lstat(path)
    except OSError:
        return None


def reserved_targets(manifest: Path | None, directory: Path) -> frozenset[str]:
    """The targets below `directory`, folded, that are the manifest's own files: a row of such a name would become its
    log, and be replayed into it."""
    if manifest is None:
        return frozenset()
    relative = os.path.relpath(os.path.realpath(manifest), os.path.realpath(directory)).replace(os.sep, "/")
    return frozenset(folded(relative + suffix) for suffix in ("", LOCK_SUFFIX, *_SIDE_SUFFIXES))
