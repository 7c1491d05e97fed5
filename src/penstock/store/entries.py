"""What goes into the manifest and comes out of it: rows to be recorded, rows to be fetched, outcomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from penstock.model import Digest, IfExists
from penstock.store.schema import State, place_key


class Entry(NamedTuple):
    """A row of the list, made ready to be recorded. URLs are in normal form; the first has its `origin`."""

    key: str
    urls: tuple[str, ...]
    origin: str
    target: str
    #: True when the list named the target: another name is then told.
    is_named: bool
    line: int
    expected: Digest | None = None
    size: int | None = None
    #: What must not be written down: credentials in URLs, header fields.
    secret_urls: tuple[str, ...] | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Added(NamedTuple):
    """What became of entries: how many are to be fetched, by their origins' numbers, and from which turn on; how many
    are `done`; which `failed` already, and why; how many the list had before (`repeated`); which were `renamed`, for
    another row has the name that the list gives them."""

    waiting: dict[int, tuple[int, int]]
    failed: list[tuple[Entry, str]]
    clashes: list[tuple[Entry, str]]
    renamed: list[tuple[Entry, str]]
    done: int = 0
    repeated: int = 0


class Job(NamedTuple):
    """A row to be fetched. `is_vacant`: nothing is at its target."""

    id: int
    turn: int
    urls: tuple[str, ...]
    target: str
    expected: Digest | None
    size: int | None
    headers: tuple[tuple[str, str], ...]
    is_vacant: bool


class Outcome(NamedTuple):
    """How a row ended: `reason` is None when it is done. Times are Unix seconds."""

    id: int
    target: str
    size: int | None = None
    digest: str | None = None
    validator: str | None = None
    final_url: str | None = None
    started: float = 0.0
    ended: float = 0.0
    reason: str | None = None
    message: str | None = None
    #: Modification time of the file, nanoseconds, where it is known.
    mtime: int | None = None


class Standing(NamedTuple):
    """How a row stands. `is_met`: this run's list has had it already. `reason` and `message` say why it failed."""

    is_met: bool
    state: State
    target: str
    reason: str | None
    message: str | None


class Rules(NamedTuple):
    """How rows that are there already are judged. `leaves_existing`: the policy skips targets that are there,
    `refuses_existing`: it does not touch them. `rechecks`: done files are hashed anew."""

    root: Path
    leaves_existing: bool = False
    refuses_existing: bool = True
    rechecks: bool = False
    #: Nothing is changed on the disk, for it is only to be found out what a run would do.
    is_rehearsal: bool = False

    @classmethod
    def of(cls, root: Path, policy: IfExists, *, rechecks: bool) -> Rules:
        """The rules for a batch into `root`."""
        return cls(root, policy is IfExists.SKIP, policy is IfExists.ERROR, rechecks)


def cells(entry: Entry, origin: int, target: str, turn: int) -> tuple[Any, ...]:
    """A new row, as INSERT_MANY takes it."""
    urls, expected = entry.urls, entry.expected
    others = json.dumps(urls[1:]) if len(urls) > 1 else None
    digest = None if expected is None else str(expected)
    return entry.key, place_key(target), turn, entry.line, origin, urls[0], others, target, digest, entry.size


def encodable(text: str) -> str:
    """Text with what UTF-8 does not know (bytes of a path that is not) as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
