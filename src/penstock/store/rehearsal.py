"""What a run would do with each row of a list, found out without doing it.

The manifest is copied into a database that dies with the process, and the rows are recorded there by the very code
that would record them: so this cannot come to another judgement than a run. Memory does not grow with the list.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from penstock.store.entries import Added, Entry, Rules, Standing
from penstock.store.manifest import Manifest
from penstock.store.schema import State


class Action(enum.Enum):
    """What becomes of a row."""

    FETCH = "fetch"
    #: Fetch what an earlier run could not, or what is not there any more.
    AGAIN = "again"
    SKIP = "skip"
    #: The list has it before: it is no file of its own.
    REPEAT = "repeat"
    #: It cannot be fetched, and that shows already.
    FAIL = "fail"


class Foretold(NamedTuple):
    """What would become of a row: saved at `target`, relative to the directory; `why` in words, if there is a why."""

    action: Action
    target: str
    why: str = ""


class Rehearsal:
    """A list's run, on paper. `path` is the manifest, None for none. Raises as `Manifest.open`."""

    def __init__(
        self, path: Path | None, rules: Rules, hash_file: Callable[[Path, str], str], *, renames: bool = False
    ) -> None:
        """`renames`: a file gets another name where its target is there."""
        self._rules = rules
        self._there = "gets another name than what is there" if renames else "replaces what is there"
        self._manifest = Manifest.rehearse(path, rules, hash_file)

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manifest.close()

    def foretell(self, entry: Entry) -> Foretold:
        """What a run would do with the next row of its list. Raises StorageError."""
        before = self._manifest.standing(entry.key)
        added = self._manifest.add([entry])
        after = self._manifest.standing(entry.key)
        if after is None or added.clashes or added.failed:
            return Foretold(Action.FAIL, entry.target, _refusal(added))
        if before is not None and before.is_met:
            return Foretold(Action.REPEAT, after.target, "the list has it before")
        if after.state is State.DONE:
            return Foretold(Action.SKIP, after.target, _why_done(before))
        if before is not None and before.state is not State.PENDING:
            return Foretold(Action.AGAIN, after.target, _why_again(before))
        return Foretold(Action.FETCH, after.target, self._how(entry, after, added))

    def _how(self, entry: Entry, after: Standing, added: Added) -> str:
        """What is to be known of a row that is fetched for the first time."""
        if after.target != entry.target:
            return f"another row has the name {entry.target}"
        if os.path.lexists(os.path.join(self._rules.root, after.target)):
            return self._there
        return ""


def _refusal(added: Added) -> str:
    return next((why for _, why in (*added.clashes, *added.failed)), "it cannot be recorded")


def _why_done(before: Standing | None) -> str:
    return "it is there already" if before is None else "done already"


def _why_again(before: Standing) -> str:
    if before.state is State.DONE:
        return "it was done, but its file is missing or another one now"
    if before.state is State.UNWANTED:
        return "it was not wanted before"
    return f"failed before: {before.reason}"
