"""Read a manifest, while a run writes it or after: counts, reasons, rows. Nothing here writes to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from penstock.core.naming import is_safe_path
from penstock.errors import InvalidRequest, StorageError
from penstock.store.manifest_file import NotManifest, check_kind, check_owner, told
from penstock.store.schema import CHANGED

_COLUMNS = (
    "line", "state", "url", "target", "size", "digest", "validator", "final_url", "started", "ended", "reason",
    "message",
)  # fmt: skip
_STATES = ("pending", "done", "failed", "unwanted")

_WHERE = "that is DIR.penstock, beside the directory of a list"


class Fact(NamedTuple):
    """One row: where it stands and what is known of it. Times are Unix seconds, sizes bytes."""

    line: int
    state: str
    url: str
    target: str
    size: int | None
    digest: str | None
    validator: str | None
    final_url: str | None
    started: float | None
    ended: float | None
    reason: str | None
    message: str | None


class Counts(NamedTuple):
    """Files by state, in the list as far as it is known; `bad` lines could not be used, `older` rows are of earlier
    lists."""

    done: int
    failed: int
    pending: int
    unwanted: int
    bad: int
    older: int
    size: int


class Records:
    """A manifest opened for reading. Raises InvalidRequest when there is none, StorageError when it is unusable."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InvalidRequest(f"{path}: no such manifest ({_WHERE})")
        self.path = path
        with told(path):
            # not opened to be looked at: closing it would drop the locks of a run in this process
            check_owner(path.stat(), path)
            # who may write removes SQLite's -wal and -shm when it is the last to leave; who may not leaves them
            self._db = sqlite3.connect(f"file:{quote(os.fsencode(path.absolute()))}?mode=rw", uri=True)
        try:
            self._since, root = self._runs()
        except NotManifest as error:
            self.close()
            raise InvalidRequest(f"{path}: not a manifest of Penstock's ({_WHERE})") from error
        except BaseException:
            self.close()
            raise
        #: The directory that targets are relative to, as the last run named it.
        self.root = Path(root)

    def _runs(self) -> tuple[int, str]:
        """The last run whose list was read to its end: what was recorded since is all that is known of the list. And
        the directory of the last of all."""
        with told(self.path):
            self._db.execute("PRAGMA query_only = ON")
            if not check_kind(self._db):
                raise NotManifest("it is empty")
            found = self._db.execute("SELECT root FROM run ORDER BY run DESC LIMIT 1").fetchone()
            since = self._db.execute("SELECT coalesce(max(run), 0) FROM run WHERE is_whole").fetchone()[0]
        if found is None:
            raise StorageError(f"{self.path}: the manifest is empty")
        if type(since) is not int or not isinstance(found[0], str | bytes):
            raise StorageError(f"{self.path}: the manifest is damaged: a run makes no sense")
        return since, os.fsdecode(found[0])

    def close(self) -> None:
        """Let go."""
        self._db.close()

    def counts(self) -> Counts:
        """How many files stand how."""
        with told(self.path):
            states = dict(
                self._db.execute("SELECT state, count(*) FROM file WHERE run >= ? GROUP BY state", (self._since,))
            )
            bad = self._db.execute("SELECT count(*) FROM bad").fetchone()[0]
            older = self._db.execute("SELECT count(*) FROM file WHERE run < ?", (self._since,)).fetchone()[0]
            size = self._db.execute(
                "SELECT coalesce(sum(size), 0) FROM file WHERE run >= ? AND state = 1", (self._since,)
            ).fetchone()[0]
        return Counts(states.get(1, 0), states.get(2, 0), states.get(0, 0), states.get(3, 0), bad, older, size)

    def reasons(self) -> list[tuple[str, str, int]]:
        """(origin, reason, count) of what failed, most first."""
        with told(self.path):
            return self._db.execute(
                "SELECT origin.name, coalesce(reason, ''), count(*) AS n FROM file JOIN origin ON"
                " origin.id = file.origin WHERE run >= ? AND state = 2 GROUP BY 1, 2 ORDER BY n DESC, 1, 2",
                (self._since,),
            ).fetchall()

    def rows(self, state: str | None = None) -> Iterator[Fact]:
        """The rows of the list in its order, or those in `state`; bad lines are failed rows without a
        target."""
        where = "" if state is None else f" AND state = {_STATES.index(state)}"
        with told(self.path):
            yield from self._facts(where)
            if state in {None, "failed"}:
                for line, text, why in self._db.execute("SELECT line, text, why FROM bad ORDER BY line"):
                    _state(2, line, text, why)
                    yield Fact(line, "failed", text, "", None, None, None, None, None, None, "invalid-request", why)

    def saved(self) -> Iterator[Fact]:
        """The rows whose files were saved: those that are done, and those that the last run found changed since."""
        with told(self.path):
            yield from self._facts(f" AND (state = 1 OR reason = '{CHANGED}')")

    def _facts(self, where: str) -> Iterator[Fact]:
        for line, number, *rest in self._db.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM file WHERE run >= ?{where} ORDER BY line, turn", (self._since,)
        ):
            yield Fact(line, _state(number, line, *rest), *rest)

    def place(self, target: str) -> Path | None:
        """Where a target is; None for one that leads out of the directory: somebody has been at the manifest."""
        return self.root / target if is_safe_path(target) else None


def _state(number: object, *cells: object) -> str:
    """A row's state in words; raises StorageError for what no run writes: SQLite's columns take values of any type."""
    if type(number) is not int or not 0 <= number < len(_STATES) or any(isinstance(cell, bytes) for cell in cells):
        raise StorageError("the manifest is damaged: a row makes no sense")
    return _STATES[number]
