"""Stand between Penstock and the calls by which it changes the disk, in a process of its own.

`intercept(watch)` lets `watch(call, go)` decide what becomes of each call: `go()` makes it. Nothing in Penstock knows
of this. Seen are the calls of `os` that write, sync, name and create, the bytes of files made by `os.fdopen`, Linux's
``syncfs``, and the commits of SQLite.
"""

from __future__ import annotations

import io
import os
import sqlite3
from collections.abc import Callable
from typing import Any, Final, NamedTuple

#: What is called, and the kind of each: a kill is told as the k-th call of a kind.
KINDS: Final = {
    "pwritev": "write",
    "pwrite": "write",
    "write": "write",
    "ftruncate": "size",
    "posix_fallocate": "size",
    "fsync": "sync",
    "fdatasync": "sync",
    "syncfs": "sync",
    "link": "name",
    "rename": "name",
    "replace": "name",
    "unlink": "name",
    "open": "create",
    "mkdir": "create",
    "utime": "time",
    "commit": "commit",
}


class Call(NamedTuple):
    """A call that is about to be made."""

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def kind(self) -> str:
        """What it does to the disk."""
        return KINDS[self.name]


Watch = Callable[[Call, Callable[[], Any]], Any]


def intercept(watch: Watch) -> None:
    """Hand every call from now on to `watch`. For the life of the process."""
    import penstock.store.deliver as deliver

    for name in KINDS:
        if name not in {"write", "syncfs", "commit"}:
            _intercept_os(name, watch)
    _intercept_files(watch)
    _intercept_sqlite(watch)
    syncfs = deliver._syncfs()
    if syncfs is not None:

        def watched(descriptor: int) -> bool:
            done = watch(Call("syncfs", (descriptor,), {}), lambda: syncfs(descriptor))
            return bool(done)

        deliver._syncfs = lambda: watched  # type: ignore[assignment]


def _intercept_os(name: str, watch: Watch) -> None:
    original = getattr(os, name)

    def watched(*args: Any, **options: Any) -> Any:
        if name == "open" and not args[1] & os.O_CREAT and args[1] & os.O_TMPFILE != os.O_TMPFILE:
            return original(*args, **options)
        return watch(Call(name, args, options), lambda: original(*args, **options))

    for abilities in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
        if original in abilities:
            abilities.add(watched)
    _put(os, name, watched)


def _intercept_files(watch: Watch) -> None:
    original = os.fdopen

    class Watched(io.FileIO):
        def write(self, block: Any) -> int:
            written = watch(Call("write", (self.fileno(), bytes(block)), {}), lambda: super(Watched, self).write(block))
            assert isinstance(written, int)
            return written

    def fdopen(descriptor: int, mode: str = "r", *args: Any, **options: Any) -> Any:
        if mode == "wb" and not args and not options:
            return io.BufferedWriter(Watched(descriptor, "wb"))
        return original(descriptor, mode, *args, **options)

    _put(os, "fdopen", fdopen)


def _intercept_sqlite(watch: Watch) -> None:
    original = sqlite3.connect

    class Watched(sqlite3.Connection):
        def commit(self) -> None:
            watch(Call("commit", (self,), {}), super().commit)

        def __exit__(self, *error: Any) -> Any:
            if error[0] is not None:
                return super().__exit__(*error)
            self.commit()
            return False

    def connect(*args: Any, **options: Any) -> Any:
        return original(*args, **{"factory": Watched, **options})

    _put(sqlite3, "connect", connect)


def _put(module: object, name: str, value: object) -> None:
    setattr(module, name, value)
