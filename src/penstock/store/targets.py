"""What lies at the targets of rows: is it the row's file, as it was when it was saved, or somebody else's?

Each answer is written to the row. Size and time are looked at first; a file is hashed only when they do not tell.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from penstock.core.digests import parse_checksum
from penstock.errors import InvalidRequest
from penstock.model import Digest
from penstock.store.deliver import sync_file_system
from penstock.store.directory import Directory
from penstock.store.entries import Added, Entry, Rules, encodable
from penstock.store.journal import JOURNAL_SUFFIX, Journal
from penstock.store.manifest_file import status_of
from penstock.store.part import PART_SUFFIX
from penstock.store.places import Places
from penstock.store.schema import CHANGED, State


class Saved(NamedTuple):
    """What is known of a row that was done: `size` (bytes), `mtime` (nanoseconds) and `digest` of its file, and the
    digest that the list then `expected`."""

    row: int
    path: str
    state: int
    size: int
    mtime: int | None
    digest: str | None
    expected: str | None

    def has(self, expected: Digest | None) -> bool:
        """True when the file is known to have had it, if any is expected."""
        known = {self.digest, self.expected if self.state == State.DONE.value else None}
        return expected is None or str(expected) in known


class Targets:
    """The targets of the rows in `db`. `hash_file(path)` gives a file's sha-256 as text."""

    def __init__(
        self, db: sqlite3.Connection, rules: Rules, places: Places, hash_file: Callable[[Path, str], str]
    ) -> None:
        self._db = db
        self._rules = rules
        self._root = str(rules.root)
        self._places = places
        self._hash_file = hash_file
        #: True once what a killed run left is on the disk for certain.
        self._is_settled = False

    def judge_existing(self, row: int, target: str, entry: Entry, added: Added) -> State:
        """A target that was there before the row was ever begun is not ours."""
        status = status_of(os.path.join(self._root, target)) if self._places.may_have(target) else None
        if status is None:
            return State.PENDING
        return self._judge_present(row, os.path.join(self._root, target), status, entry, added)

    def _judge_present(self, row: int, path: str, there: os.stat_result, entry: Entry, added: Added) -> State:
        """What is at the target is not ours: the policy says what becomes of it."""
        if stat.S_ISDIR(there.st_mode) and (self._rules.leaves_existing or self._rules.refuses_existing):
            message = f"{path} is a directory; give the row another name (out=), or choose another --template or -d"
            return self._fail(row, "target-exists", message, entry, added)
        if self._rules.leaves_existing:
            has_size = entry.size in {None, there.st_size}
            if not has_size or not (entry.expected is None or self._has_digest(path, entry.expected)):
                return self._judge_other(row, path, there, entry, added)
            self._set_done(
                row, there.st_size, there.st_mtime_ns, None if entry.expected is None else str(entry.expected)
            )
            return State.DONE
        if not self._rules.refuses_existing:
            self.set_pending(row, there)
            return State.PENDING
        message = f"{path} exists; choose --if-exists skip or overwrite, or another directory"
        return self._fail(row, "target-exists", message, entry, added)

    def _judge_other(self, row: int, path: str, there: os.stat_result, entry: Entry, added: Added) -> State:
        """What is at the target has not the size or the digest that the list asks for: only a fetched one may."""
        if not self._rules.leaves_existing:
            self.set_pending(row, there)
            return State.PENDING
        message = f"{path} exists with another size or checksum than the list says; --if-exists overwrite replaces it"
        return self._fail(row, "target-exists", message, entry, added)

    def try_again(self, row: int, target: str, entry: Entry, added: Added, *, was_pending: bool) -> State:
        """A row that was not done: where existing files are left, what is at its target by now may be."""
        path = os.path.join(self._root, target)
        there = status_of(path)
        if there is not None and self._rules.leaves_existing:
            return self._judge_present(row, path, there, entry, added)
        if not was_pending:
            self.set_pending(row, there)
        return State.PENDING

    def look_again(self, saved: Saved, entry: Entry, added: Added) -> State:
        """A row that was done: is its file as it was? Size and time tell that cheaply; where they do not, or with
        `rechecks`, its digest does."""
        there = status_of(saved.path)
        if there is None:
            self.set_pending(saved.row, None)
            return State.PENDING
        if entry.size not in {None, there.st_size}:
            return self._judge_other(saved.row, saved.path, there, entry, added)
        is_asked_for = saved.has(entry.expected)
        has_size = there.st_size == saved.size
        is_untouched = has_size and saved.mtime in {None, there.st_mtime_ns} and is_asked_for
        if is_untouched and (saved.digest is None or not self._rules.rechecks):
            self._set_saved(saved, there, saved.digest)
            return State.DONE
        digest = entry.expected or _parsed(saved.digest)
        if digest is None:  # it was there before us
            return self._judge_present(saved.row, saved.path, there, entry, added)
        if (has_size or not is_asked_for) and self._has_digest(saved.path, digest):
            self._set_saved(saved, there, str(digest))
            return State.DONE
        if not is_asked_for:
            return self._judge_other(saved.row, saved.path, there, entry, added)
        return self._judge_changed(saved, there, entry, added)

    def _judge_changed(self, saved: Saved, there: os.stat_result, entry: Entry, added: Added) -> State:
        """What was recorded of the file stays, so that ``verify`` lists it; only a fetched one takes its place."""
        if self._rules.leaves_existing and entry.expected is None:
            self._db.execute("UPDATE file SET state = 1, reason = NULL, message = NULL WHERE id = ?", (saved.row,))
            return State.DONE
        if not self._rules.refuses_existing and not self._rules.leaves_existing:
            self.set_pending(saved.row, there)
            return State.PENDING
        message = f"{saved.path} changed since it was saved; --if-exists overwrite fetches it again"
        return self._fail(saved.row, CHANGED, message, entry, added)

    def was_published(self, row: int, target: str, entry: Entry, before: tuple[int | None, int | None]) -> bool:
        """A pending row of an earlier run whose target is there: the run was killed before it could say so.

        Targets appear only when complete, so it is ours when nothing was there `before` (size and time), when the row
        was put in the queue. Where something was, only the list's digest tells ours from that file, which somebody may
        have touched since.
        """
        path = os.path.join(self._root, target)
        status = status_of(path)
        if status is None:
            if before != (None, None):
                self.set_pending(row, None)
            return False
        if status.st_nlink != 1 or (entry.size is not None and status.st_size != entry.size):
            return False
        if entry.expected is None:
            if before != (None, None):
                return False
        elif not self._has_digest(path, entry.expected):
            return False
        digest = None if entry.expected is None else str(entry.expected)
        self._set_done(row, status.st_size, status.st_mtime_ns, digest or self._digest(path))
        if not self._rules.is_rehearsal:
            _forget_journal(path)
        return True

    def settle(self) -> None:
        """A run was broken off: it may not have come to sync the names of files and directories that it made."""
        if not self._is_settled and not self._rules.is_rehearsal:
            self._is_settled = True
            with contextlib.suppress(OSError):
                sync_file_system(self._rules.root)

    def _has_digest(self, path: str, expected: Digest) -> bool:
        try:
            return self._hash_file(Path(path), expected.algorithm) == str(expected)
        except OSError:
            return False

    def _digest(self, path: str) -> str | None:
        try:
            return self._hash_file(Path(path), "sha256")
        except OSError:
            return None

    def set_pending(self, row: int, there: os.stat_result | None) -> None:
        """Put it in the queue, and note what is at its target by now: after a kill it must not pass for ours."""
        before = (None, None) if there is None else (there.st_size, there.st_mtime_ns)
        self._db.execute(
            "UPDATE file SET state = 0, reason = NULL, message = NULL, digest = NULL, size = ?, mtime = ? WHERE id = ?",
            (*before, row),
        )

    def _set_saved(self, saved: Saved, there: os.stat_result, digest: str | None) -> None:
        """It is done as before, but for what `there` is known better now."""
        if (saved.state, saved.size, saved.mtime) == (State.DONE.value, there.st_size, there.st_mtime_ns):
            return
        self._db.execute(
            "UPDATE file SET state = 1, size = ?, mtime = ?, digest = ?, reason = NULL, message = NULL WHERE id = ?",
            (there.st_size, there.st_mtime_ns, digest, saved.row),
        )

    def _set_done(self, row: int, size: int, mtime: int, digest: str | None) -> None:
        self._db.execute(
            "UPDATE file SET state = 1, size = ?, mtime = ?, digest = ?, ended = ?, reason = NULL, message = NULL"
            " WHERE id = ?",
            (size, mtime, digest, time.time(), row),
        )

    def _fail(self, row: int, reason: str, message: str, entry: Entry, added: Added) -> State:
        self._db.execute(
            "UPDATE file SET state = 2, ended = ?, reason = ?, message = ? WHERE id = ?",
            (time.time(), reason, encodable(message), row),
        )
        added.failed.append((entry, message))
        return State.FAILED


def _forget_journal(path: str) -> None:
    """The kill may have come between the name and the end of the journal: without a part it vouches for nothing."""
    if status_of(path + JOURNAL_SUFFIX) is None or status_of(path + PART_SUFFIX) is not None:
        return
    folder, name = os.path.split(path)
    with contextlib.suppress(OSError):
        directory = Directory.open(Path(folder))
        try:
            Journal(directory, name).remove()
        finally:
            directory.close()


def _parsed(digest: str | None) -> Digest | None:
    try:
        return None if digest is None else parse_checksum(str(digest))
    except InvalidRequest:  # somebody changed it
        return None
