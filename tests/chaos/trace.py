"""What a run did to the disk, in order: recorded by the run itself, read back by `tests.chaos.disk`.

Files are numbered in the order in which they were met, so that one that was removed is never taken for another that
has its name or inode number. Paths are relative to the run's directory. Calls are made one at a time while they are
recorded: the order told is the order made.
"""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, TypeAlias

from tests.chaos.calls import Call


class Created(NamedTuple):
    """A file was made, without a name when `path` is None."""

    file: int
    path: str | None


class Wrote(NamedTuple):
    """Bytes were handed to the system."""

    file: int
    offset: int
    block: bytes


class Sized(NamedTuple):
    """The file's length was set; `only_up`: space was reserved, which never shortens it."""

    file: int
    length: int
    only_up: bool


class Dated(NamedTuple):
    """The file's modification time was set, nanoseconds."""

    file: int
    mtime_ns: int


class Linked(NamedTuple):
    """The file got one more name."""

    file: int
    path: str


class Renamed(NamedTuple):
    """A name became another, replacing what had it."""

    old: str
    new: str


class Unlinked(NamedTuple):
    """A name went."""

    path: str


class Made(NamedTuple):
    """A directory was made."""

    path: str


class Synced(NamedTuple):
    """A file's bytes and length are on the disk; with `times` its modification time too."""

    file: int
    times: bool


class SyncedNames(NamedTuple):
    """A directory's names are on the disk."""

    path: str


class SyncedAll(NamedTuple):
    """Everything is on the disk."""


class Committed(NamedTuple):
    """SQLite committed: copies of the database's files, by name. `durable`: it waits for the disk at each commit."""

    copies: dict[str, bytes]
    durable: bool


Event: TypeAlias = (
    Created | Wrote | Sized | Dated | Linked | Renamed | Unlinked | Made | Synced | SyncedNames | SyncedAll | Committed
)


def read_trace(path: Path) -> list[Event]:
    """The events of a run, in order."""
    return list(_read(path))


def _read(path: Path) -> Iterator[Event]:
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)
            except EOFError:
                return


class Recorder:
    """Makes each call, then writes down what it did."""

    def __init__(self, trace: Path, root: Path) -> None:
        """Recorded is what happens below `root`; it goes on from a `trace` that is there already."""
        self._root = os.path.realpath(root)
        self._files: dict[int, int] = {}
        self._count = 0
        self._guard = RLock()
        earlier = read_trace(trace) if trace.exists() else []
        self._file = trace.open("ab", buffering=0)
        self._know(earlier)
        for event in () if earlier else self._what_is_there():
            self._tell(event)

    def watch(self, call: Call, go: Callable[[], Any]) -> Any:
        """For `calls.intercept`."""
        with self._guard:
            was_there = call.name == "open" and os.path.lexists(self._path(call.args[0], call.options.get("dir_fd")))
            result = go()
            for event in getattr(self, f"_{call.name}")(call, result, was_there):
                self._tell(event)
            return result

    def _tell(self, event: Event) -> None:
        self._file.write(pickle.dumps(event))

    def _know(self, earlier: list[Event]) -> None:
        """Know the files that an earlier run made by their numbers."""
        from tests.chaos.disk import DIRECTORY, Disk

        disk = Disk()
        for event in earlier:
            disk.feed(event)
        self._count = sum(isinstance(event, Created) for event in earlier)
        for path, number in disk.current_names().items():
            if number != DIRECTORY:
                self._files[os.stat(os.path.join(self._root, path)).st_ino] = number

    def _what_is_there(self) -> Iterator[Event]:
        """What lay there before the run began is on the disk for good."""
        for folder, _, names in os.walk(self._root):
            if self._inside(folder) not in {None, "."}:
                yield Made(os.path.relpath(folder, self._root))
            for name in names:
                path = self._inside(os.path.join(folder, name))
                if path is not None:
                    yield from self._lies_there(path)
        yield SyncedAll()

    def _lies_there(self, path: str) -> Iterator[Event]:
        with open(os.path.join(self._root, path), "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_ino in self._files:
                yield Linked(self._files[status.st_ino], path)
                return
            number = self._new(status.st_ino)
            yield Created(number, path)
            yield Wrote(number, 0, file.read())
            yield Dated(number, status.st_mtime_ns)

    # One method for each call: the events that it makes

    def _open(self, call: Call, descriptor: int, was_there: bool) -> Iterator[Event]:
        unnamed = call.args[1] & os.O_TMPFILE == os.O_TMPFILE
        path = None if unnamed else self._inside(self._path(call.args[0], call.options.get("dir_fd")))
        if unnamed or (path is not None and not was_there):
            yield Created(self._new(os.fstat(descriptor).st_ino), path)

    def _pwritev(self, call: Call, done: int, _: bool) -> Iterator[Event]:
        yield from self._wrote(call.args[0], call.args[2], b"".join(call.args[1])[:done])

    def _pwrite(self, call: Call, done: int, _: bool) -> Iterator[Event]:
        yield from self._wrote(call.args[0], call.args[2], bytes(call.args[1])[:done])

    def _write(self, call: Call, done: int, _: bool) -> Iterator[Event]:
        yield from self._wrote(call.args[0], os.lseek(call.args[0], 0, os.SEEK_CUR) - done, call.args[1][:done])

    def _ftruncate(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        for file in self._known(call.args[0]):
            yield Sized(file, call.args[1], False)

    def _posix_fallocate(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        for file in self._known(call.args[0]):
            yield Sized(file, call.args[1] + call.args[2], True)

    def _utime(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        for file in self._known(call.args[0]):
            yield Dated(file, os.fstat(call.args[0]).st_mtime_ns)

    def _fsync(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        path = self._inside(os.readlink(f"/proc/self/fd/{call.args[0]}"))
        if path is not None and os.path.isdir(os.path.join(self._root, path)):
            yield SyncedNames(path)
        for file in self._known(call.args[0]):
            yield Synced(file, True)

    def _fdatasync(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        for file in self._known(call.args[0]):
            yield Synced(file, False)

    def _syncfs(self, _call: Call, done: bool, _: bool) -> Iterator[Event]:
        if done:
            yield SyncedAll()

    def _link(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        path = self._inside(self._path(call.args[1], call.options.get("dst_dir_fd")))
        if path is not None:
            yield Linked(self._files[os.stat(os.path.join(self._root, path)).st_ino], path)

    def _replace(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        old = self._inside(self._path(call.args[0], call.options.get("src_dir_fd")))
        new = self._inside(self._path(call.args[1], call.options.get("dst_dir_fd")))
        if old is not None and new is not None:
            yield Renamed(old, new)

    _rename = _replace

    def _unlink(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        path = self._inside(self._path(call.args[0], call.options.get("dir_fd")))
        if path is not None:
            yield Unlinked(path)

    def _mkdir(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        path = self._inside(self._path(call.args[0], call.options.get("dir_fd")))
        if path is not None:
            yield Made(path)

    def _commit(self, call: Call, _result: None, _: bool) -> Iterator[Event]:
        [connection] = call.args
        path = next(row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main")
        durable = connection.execute("PRAGMA synchronous").fetchone()[0] >= 2
        files = [Path(path), Path(path + "-wal")] if path else []
        yield Committed({file.name: file.read_bytes() for file in files if file.exists()}, durable)

    # Files and paths

    def _wrote(self, descriptor: int, offset: int, block: bytes) -> Iterator[Event]:
        for file in self._known(descriptor):
            yield Wrote(file, offset, block)

    def _known(self, descriptor: int) -> list[int]:
        number = self._files.get(os.fstat(descriptor).st_ino)
        return [] if number is None else [number]

    def _new(self, inode: int) -> int:
        self._count += 1
        self._files[inode] = self._count
        return self._count

    def _path(self, path: Any, directory: int | None) -> str:
        base = os.getcwd() if directory is None else os.readlink(f"/proc/self/fd/{directory}")
        return os.path.join(base, os.fspath(path))

    def _inside(self, path: str) -> str | None:
        """The path relative to the root; None for what is elsewhere, or is the manifest's (see `Committed`)."""
        relative = os.path.relpath(path, self._root)
        return None if relative.startswith("..") or ".penstock" in relative else relative


def forget_tree(folder: Path) -> None:
    """Remove a directory and all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
