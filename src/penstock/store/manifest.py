"""The manifest: how each row of a batch ended, in SQLite. It is also the queue of those still to come.

A row is known by its identity (URL without credentials, and the place that the list names for it), never by its
position, so a list may grow, shrink or be reordered between runs. Each row is pending, done, failed or unwanted:
exactly one. Outcomes are written after their files are durable; a file that got its name just before a kill is found
by a look at its place. Credentials and header fields of rows are kept in a temporary database that dies with the
process.

Used by one thread at a time, but for `open`. Every method raises StorageError for what the disk refuses.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from penstock.core.digests import parse_checksum
from penstock.core.naming import is_safe_path, with_mark
from penstock.core.template import told_apart
from penstock.errors import StorageError
from penstock.store.entries import Added, Entry, Job, Outcome, Rules, Standing, cells, encodable
from penstock.store.manifest_file import connect, copy_of, drop_lock, prepare, status_of, take_lock, told
from penstock.store.places import Places
from penstock.store.schema import ADD_FOLDERS, ANY_FILE, CHANGED, INSERT_MANY, RECORD_MANY, TAKE_MANY, State, place_key
from penstock.store.targets import Saved, Targets

#: Origins whose numbers are remembered.
_KNOWN_ORIGINS: Final = 50_000
_LEADS_OUT: Final = "the manifest names a file outside the directory: somebody changed it; move it away"
#: Folders that are remembered to be in the table.
_KNOWN_FOLDERS: Final = 10_000


class Manifest:
    """An open manifest. `hash_file(path)` gives a file's sha-256 as text."""

    def __init__(self, connection: sqlite3.Connection, rules: Rules, hash_file: Callable[[Path, str], str]) -> None:
        self._db = connection
        self._root = str(rules.root)
        self._places = Places(self._root)
        self._targets = Targets(connection, rules, self._places, hash_file)
        self._origins: dict[str, int] = {}
        self._turn = 0
        self._run = 0
        self._has_secrets = False
        #: Folders that are known to be in the table.
        self._folders: set[str] = {""}
        self._lock: tuple[int, Path] | None = None

    @classmethod
    def open(cls, path: Path | None, rules: Rules, hash_file: Callable[[Path, str], str]) -> Manifest:
        """Open or make the manifest at `path` for one run; None: one that dies with the process.

        Raises TargetLocked when another run has it, StorageError when it cannot be used.
        """
        if path is None:
            manifest = cls(connect(""), rules, hash_file)
        else:
            lock = take_lock(path)
            try:
                manifest = cls(connect(str(path)), rules, hash_file)
            except BaseException:
                drop_lock(lock)
                raise
            manifest._lock = lock
        try:
            with told(path):
                manifest._begin()
        except BaseException:
            manifest.close()
            raise
        return manifest

    @classmethod
    def rehearse(cls, path: Path | None, rules: Rules, hash_file: Callable[[Path, str], str]) -> Manifest:
        """One that begins as a copy of that at `path`, which is read only, and dies with the process: for finding out
        what a run would do. Raises as `open`."""
        manifest = cls(connect("") if path is None else copy_of(path), rules._replace(is_rehearsal=True), hash_file)
        try:
            with told(path):
                manifest._begin()
                manifest._db.execute("PRAGMA journal_mode = MEMORY")
        except BaseException:
            manifest.close()
            raise
        return manifest

    def standing(self, key: str) -> Standing | None:
        """How the row of this identity stands; None when there is none."""
        with told(None):
            found = self._db.execute(
                "SELECT run, state, target, reason, message FROM file WHERE key = ?", (key,)
            ).fetchone()
        try:
            return None if found is None else Standing(found[0] == self._run, State(found[1]), *found[2:])
        except ValueError:  # SQLite's columns take values of any type
            raise StorageError("the manifest is damaged: a row makes no sense; move it away") from None

    def close(self) -> None:
        """Commit and let go."""
        with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
            self._db.commit()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()
        if self._lock is not None:
            drop_lock(self._lock)
            self._lock = None

    def _begin(self) -> None:
        db = self._db
        prepare(db)
        # beyond every row's, too: one that claims to be of this run would be fetched without being in the list
        self._run = db.execute(
            "SELECT max((SELECT coalesce(max(run), 0) FROM run), (SELECT coalesce(max(run), 0) FROM file)) + 1"
        ).fetchone()[0]
        db.execute(
            "INSERT INTO run(run, started, root) VALUES(?, ?, ?)",
            (self._run, time.time(), _as_stored(os.path.abspath(self._root))),  # it is read from anywhere
        )
        db.execute("DELETE FROM bad")
        db.commit()

    # Rows come in

    def add(self, entries: Sequence[Entry]) -> Added:
        """Record rows of the list, and find out which of them are still to be fetched. What it raises, and `hash_file`
        may raise anything, undoes it."""
        try:
            return self._add_group(entries)
        except BaseException:
            self._origins.clear()  # they may not be in the table any more
            self._folders = {""}
            raise

    def _add_group(self, entries: Sequence[Entry]) -> Added:
        added = Added({}, [], [], [])
        done = repeated = 0
        with told(None), self._db:
            if self._add_all_new(entries, added):
                return added
            for entry in entries:
                origin = self._origin(entry.origin)
                state = self._add(entry, origin, added)
                if state is State.PENDING:
                    count, first = added.waiting.get(origin, (0, self._turn))
                    added.waiting[origin] = count + 1, first
                elif state is State.DONE:
                    done += 1
                elif state is None:
                    repeated += 1
        return added._replace(done=done, repeated=repeated)

    def _add_all_new(self, entries: Sequence[Entry], added: Added) -> bool:
        """The usual case, in one statement: every row is new and nothing is at its target. False when it is not so,
        with nothing done.

        A statement for each row would give the interpreter's lock up and wait for it again each time, while the
        network thread wants it too.
        """
        rows = []
        counts: dict[int, tuple[int, int]] = {}
        folders: set[str] = set()
        turn = self._turn
        for entry in entries:
            target = entry.target
            if entry.headers or entry.secret_urls or self._places.may_have(target):
                return False
            folder = target.rpartition("/")[0]
            if folder not in self._folders:
                folders.add(folder)
            turn += 1
            origin = self._origin(entry.origin)
            count, first = counts.get(origin, (0, turn))
            counts[origin] = count + 1, first
            rows.append(cells(entry, origin, target, turn))
        if not rows:
            return False
        self._db.execute("SAVEPOINT rows")
        inserted = 0
        if self._have_folders(folders):
            inserted = self._db.execute(INSERT_MANY, (self._run, json.dumps(rows))).rowcount
        if inserted != len(rows):
            self._db.execute("ROLLBACK TO rows")
        self._db.execute("RELEASE rows")
        if inserted != len(rows):
            return False
        self._turn = turn
        self._remember(folders)
        added.waiting.update(counts)
        return True

    def _have_folders(self, folders: set[str]) -> bool:
        """Keep the names of `folders` and of those around them for folders; False, with nothing done, when a file has
        one."""
        whole = {around for folder in folders for around in _folders_of(f"{folder}/")}
        if not whole:
            return True
        places = json.dumps([place_key(folder) for folder in whole])
        if self._db.execute(ANY_FILE, (places,)).fetchone()[0]:
            return False
        self._db.execute(ADD_FOLDERS, (places,))
        return True

    def _remember(self, folders: set[str]) -> None:
        if len(self._folders) > _KNOWN_FOLDERS:
            self._folders = {""}
        self._folders |= folders

    def add_bad(self, lines: Sequence[tuple[int, str, str]]) -> None:
        """Record lines that cannot be used: number, text, and why."""
        if not lines:
            return
        rows = [(line, encodable(text), encodable(why)) for line, text, why in lines]
        with told(None), self._db:
            self._db.executemany("INSERT INTO bad(line, text, why) VALUES(?, ?, ?)", rows)

    def set_whole(self) -> None:
        """The list was read to its end: rows that it did not have are none of its rows."""
        with told(None), self._db:
            self._db.execute("UPDATE run SET is_whole = 1 WHERE run = ?", (self._run,))

    def _origin(self, name: str) -> int:
        number = self._origins.get(name)
        if number is None:
            self._db.execute("INSERT OR IGNORE INTO origin(name) VALUES(?)", (name,))
            number = self._db.execute("SELECT id FROM origin WHERE name = ?", (name,)).fetchone()[0]
            assert isinstance(number, int)
            if len(self._origins) >= _KNOWN_ORIGINS:
                self._origins.clear()
            self._origins[name] = number
        return number

    def _add(self, entry: Entry, origin: int, added: Added) -> State | None:
        known = self._db.execute(
            "SELECT id, run, state, target, size, mtime, digest, reason, expected, expected_size FROM file"
            " WHERE key = ?",
            (entry.key,),
        ).fetchone()
        if known is not None:
            return self._meet_again(entry, known, added)
        target = self._below_folders(entry.target)
        row = self._insert(entry, origin, target)
        if row is None:
            target = told_apart(target, entry.urls[0])
            row = self._insert(entry, origin, target)
        if row is None:
            why = f"other rows of the list are saved as {entry.target} and {target}; give it another name"
            added.clashes.append((entry, why))
            return State.FAILED
        if entry.is_named and target != entry.target:
            added.renamed.append((entry, target))
        self._keep_secrets(row, entry)
        return self._targets.judge_existing(row, target, entry, added)

    def _below_folders(self, target: str) -> str:
        """The target, in a folder of another name where a file has the folder's: one for all rows of the folder."""
        folder = target.rpartition("/")[0]
        if folder in self._folders or self._have_folders({folder}):
            self._remember({folder})
            return target
        path = ""
        for component in target.split("/")[:-1]:
            path += component
            if self._db.execute(ANY_FILE, (json.dumps([place_key(path)]),)).fetchone()[0]:
                path = path.removesuffix(component) + with_mark(component, place_key(path))
            path += "/"
        self._have_folders({path.rstrip("/")})
        return path + target.rpartition("/")[2]

    def _insert(self, entry: Entry, origin: int, target: str) -> int | None:
        """The new row's number; None when `target` is another row's, or a folder."""
        self._turn += 1
        row = cells(entry, origin, target, self._turn)
        cursor = self._db.execute(INSERT_MANY, (self._run, json.dumps([row])))
        return cursor.lastrowid if cursor.rowcount else None

    def _meet_again(self, entry: Entry, known: tuple[Any, ...], added: Added) -> State | None:
        row, run, state, target, size, mtime, digest, reason, expected, expected_size = known
        if run == self._run:
            return _repeated(entry, expected, expected_size, added)
        if not isinstance(target, str) or not is_safe_path(target):
            raise StorageError(_LEADS_OUT)
        self._turn += 1
        self._db.execute(
            "UPDATE file SET run = ?, turn = ?, line = ?, url = ?, others = ?, expected = ?, expected_size = ?"
            " WHERE id = ?",
            (
                self._run, self._turn, entry.line, entry.urls[0],
                json.dumps(entry.urls[1:]) if len(entry.urls) > 1 else None,
                None if entry.expected is None else str(entry.expected), entry.size, row,
            ),
        )  # fmt: skip
        self._keep_secrets(row, entry)
        if state == State.DONE.value or reason == CHANGED:
            saved = Saved(row, os.path.join(self._root, target), state, size, mtime, digest, expected)
            return self._targets.look_again(saved, entry, added)
        was_pending = state == State.PENDING.value
        if was_pending:
            self._targets.settle()
            if self._targets.was_published(row, target, entry, (size, mtime)):
                return State.DONE
        return self._targets.try_again(row, target, entry, added, was_pending=was_pending)

    def _keep_secrets(self, row: int, entry: Entry) -> None:
        if entry.secret_urls is None and not entry.headers:
            return
        self._has_secrets = True
        self._db.execute(
            "INSERT OR REPLACE INTO temp.secret(id, urls, headers) VALUES(?, ?, ?)",
            (row, json.dumps(entry.secret_urls or entry.urls), json.dumps(entry.headers)),
        )

    # Rows go out

    def take(self, wanted: Sequence[tuple[int, int, int]]) -> dict[int, list[Job]]:
        """For each (origin, turn, count): up to `count` pending rows of the origin that come after `turn`."""
        with told(None):
            return {origin: list(self._take(origin, turn, count)) for origin, turn, count in wanted}

    def _take(self, origin: int, turn: int, count: int) -> Iterator[Job]:
        [found] = self._db.execute(TAKE_MANY, (origin, turn, self._run, count)).fetchone()
        rows = json.loads(found)
        for row, at, url, others, target, expected, size in rows:
            if not isinstance(target, str) or not is_safe_path(target):
                raise StorageError(_LEADS_OUT)
            urls: tuple[str, ...] = (url, *json.loads(others)) if others else (url,)
            headers: tuple[tuple[str, str], ...] = ()
            if self._has_secrets:
                secret = self._db.execute("SELECT urls, headers FROM temp.secret WHERE id = ?", (row,)).fetchone()
                if secret is not None:
                    urls = tuple(json.loads(secret[0]))
                    headers = tuple((name, value) for name, value in json.loads(secret[1]))
            vacant = not self._places.may_have(target)
            yield Job(row, at, urls, target, parse_checksum(expected) if expected else None, size, headers, vacant)

    # Outcomes

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Write down how rows ended; the files of those that are done are durable."""
        told_times = [self._told(outcome) for outcome in outcomes]
        with told(None), self._db:
            self._db.execute(RECORD_MANY, (json.dumps(told_times),))

    def _told(self, outcome: Outcome) -> Outcome:
        """With what only a look at the file tells, and in words that can be stored."""
        if outcome.message is not None:
            return outcome._replace(message=encodable(outcome.message))
        return outcome if outcome.mtime is not None or outcome.reason else outcome._replace(mtime=self._mtime(outcome))

    def _mtime(self, outcome: Outcome) -> int | None:
        status = status_of(os.path.join(self._root, outcome.target))
        return None if status is None else status.st_mtime_ns

    def failures(self, most: int) -> list[tuple[str, str, int]]:
        """The most frequent (origin, reason, count) of this run's failed rows."""
        with told(None):
            return self._db.execute(
                "SELECT origin.name, reason, count(*) AS n FROM file JOIN origin ON origin.id = file.origin"
                " WHERE run = ? AND state = 2 GROUP BY 1, 2 ORDER BY n DESC LIMIT ?",
                (self._run, most),
            ).fetchall()


def _repeated(entry: Entry, expected: str | None, size: int | None, added: Added) -> State | None:
    """A row that the list had before; one that says of its file what the first did not is told, for it is not
    checked."""
    if (entry.expected is None or str(entry.expected) == expected) and entry.size in {None, size}:
        return None
    why = "the list has this file before, without this size or checksum; give both with its first line"
    added.clashes.append((entry, why))
    return State.FAILED


def _as_stored(path: str) -> str | bytes:
    """A path as SQLite can hold it: the bytes of one that is not UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def _folders_of(target: str) -> list[str]:
    """The folders that a target is in, the outermost first."""
    return [target[:end] for end, letter in enumerate(target) if letter == "/" and end]
