"""What may be on a disk after a power cut: the states that the recorded calls and syncs allow.

The model is POSIX's, which promises less than any file system keeps:

- A write, a length, a time that was not followed by a sync of its file is there, or not; a write may be half there.
  They survive independently of each other.
- A name that was made, changed or removed, and not followed by a sync of its directory, is as before, or as after;
  names survive independently of each other, but a rename is one thing. Syncing a file does not keep its name.
- A sync of the file system keeps everything. SQLite keeps a prefix of its commits, no shorter than up to the last one
  for which it waited.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from tests.chaos.trace import (
    Committed,
    Created,
    Dated,
    Event,
    Linked,
    Made,
    Renamed,
    Sized,
    Synced,
    SyncedAll,
    SyncedNames,
    Unlinked,
    Wrote,
)

#: Number of what is a directory, not a file.
DIRECTORY: Final = 0
#: States of the names that are listed one by one; of more than these a sample is drawn.
MOST_NAMESPACES: Final = 1500
#: States of one file, likewise.
MOST_CONTENTS: Final = 250

Names: TypeAlias = Mapping[str, int]
Change: TypeAlias = Wrote | Sized | Dated


class Bytes(NamedTuple):
    """A file's content, and its time if that was ever set."""

    content: bytes
    mtime_ns: int | None = None


EMPTY: Final = Bytes(b"")


@dataclass
class _File:
    durable: Bytes = EMPTY
    pending: list[Change] = field(default_factory=list)


@dataclass(frozen=True)
class State:
    """One thing that a disk may hold. `manifest` are SQLite's files by name."""

    names: Names
    files: Mapping[int, Bytes]
    manifest: Mapping[str, bytes]

    def content(self, path: str) -> bytes | None:
        """The bytes of a file that has a name and whose directories are there; None when it is not."""
        if any(str(folder) not in self.names for folder in Path(path).parents if str(folder) != "."):
            return None
        number = self.names.get(path, DIRECTORY)
        return None if number == DIRECTORY else self.files[number].content

    def paths(self) -> list[str]:
        """The files that are there."""
        return [path for path in self.names if self.content(path) is not None]

    def lay_out(self, folder: Path) -> None:
        """Make it so on a real disk; two names of one file are that there too."""
        folder.mkdir(parents=True)
        made: dict[int, Path] = {}
        for path in sorted(self.names):
            number = self.names[path]
            if number == DIRECTORY:
                if (folder / path).parent.is_dir():
                    (folder / path).mkdir()
            elif self.content(path) is None:
                continue
            elif number in made:
                os.link(made[number], folder / path)
            else:
                (folder / path).write_bytes(self.files[number].content)
                if self.files[number].mtime_ns is not None:
                    os.utime(folder / path, ns=(self.files[number].mtime_ns, self.files[number].mtime_ns))  # type: ignore[arg-type]
                made[number] = folder / path
        for name, content in self.manifest.items():
            (folder / name).write_bytes(content)


class Disk:
    """The disk as the events so far leave it: what is certain, and what hangs in the air."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.pending_names: list[Event] = []
        self._files: dict[int, _File] = {}
        #: The commits that may be the last one to have survived.
        self.manifests: list[Mapping[str, bytes]] = [{}]

    def feed(self, event: Event) -> None:
        """One more thing happened."""
        match event:
            case Created(file, path):
                self._files[file] = _File()
                if path is not None:
                    self.pending_names.append(event)
            case Wrote() | Sized() | Dated():
                self._files[event.file].pending.append(event)
            case Linked() | Renamed() | Unlinked() | Made():
                self.pending_names.append(event)
            case Synced(file, times):
                self._settle(file, times)
            case SyncedNames(path):
                self._settle_names(path)
            case SyncedAll():
                self._settle_all()
            case Committed(copies, durable):
                self.manifests = [copies] if durable else [*self.manifests, copies]

    def _settle(self, number: int, times: bool) -> None:
        file = self._files[number]
        kept = [] if times else [change for change in file.pending if isinstance(change, Dated)]
        file.durable = _applied(file.durable, [change for change in file.pending if change not in kept])
        file.pending = list(kept)

    def _settle_names(self, folder: str) -> None:
        here = [event for event in self.pending_names if _folder_of(event) == folder]
        sources = self._sources()
        for event in here:
            _rename(self.names, event, sources.get(id(event), {}))
        self.pending_names = [event for event in self.pending_names if event not in here]

    def _settle_all(self) -> None:
        for number in self._files:
            self._settle(number, True)
        self.names = dict(self.current_names())
        self.pending_names = []
        self.manifests = self.manifests[-1:]

    def unsettled(self) -> set[str]:
        """The names that a power cut may change."""
        return {
            path
            for event in self.pending_names
            for path in (getattr(event, "path", None), getattr(event, "old", None), getattr(event, "new", None))
            if path is not None
        }

    def current_names(self) -> Names:
        """The names as the running system sees them."""
        names = dict(self.names)
        for event in self.pending_names:
            _rename(names, event, names)
        return names

    # What a power cut may leave

    def namespaces(self, dice: random.Random, most: int = MOST_NAMESPACES) -> list[Names]:
        """All that the names may be; a sample when there are too many."""
        found: dict[frozenset[tuple[str, int]], Names] = {frozenset(self.names.items()): dict(self.names)}
        sources = self._sources()
        for event in self.pending_names:
            for names in list(found.values()):
                after = dict(names)
                _rename(after, event, sources.get(id(event), {}))
                found[frozenset(after.items())] = after
            if len(found) > most:
                return [self._some_names(dice, sources) for _ in range(most)]
        return list(found.values())

    def _sources(self) -> dict[int, Names]:
        """For each rename that hangs in the air, which file it gives the name: it does so whatever else survives."""
        sources: dict[int, Names] = {}
        names = dict(self.names)
        for event in self.pending_names:
            if isinstance(event, Renamed):
                sources[id(event)] = {event.old: names[event.old]}
            _rename(names, event, names)
        return sources

    def _some_names(self, dice: random.Random, sources: Mapping[int, Names]) -> Names:
        names = dict(self.names)
        chance = dice.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        for event in self.pending_names:
            if dice.random() < chance:
                _rename(names, event, sources.get(id(event), {}))
        return names

    def contents(self, number: int, dice: random.Random, most: int = MOST_CONTENTS) -> Iterator[Bytes]:
        """All that a file may hold, each once; when there are too many, those with one change that is alone, missing
        or half there, and a sample."""
        file = self._files[number]
        seen = set()
        for choice in _choices(file.pending, dice, most):
            key = hash(tuple((id(change), len(getattr(change, "block", ""))) for change in choice))
            if key not in seen:
                seen.add(key)
                yield _applied(file.durable, choice)

    def some_content(self, number: int, dice: random.Random) -> Bytes:
        """One thing that a file may hold."""
        file = self._files[number]
        choice = [dice.choice(_ways(change)) for change in file.pending]
        return _applied(file.durable, [change for change in choice if change is not None])

    def durable(self, number: int) -> Bytes | None:
        """What a file holds, when no power cut can change that."""
        file = self._files[number]
        return None if file.pending else file.durable

    def states(self, dice: random.Random, count: int) -> Iterator[State]:
        """`count` states, drawn; the one in which nothing more survived and the one in which everything did first."""
        everything = {number: _applied(file.durable, file.pending) for number, file in self._files.items()}
        certain = {number: file.durable for number, file in self._files.items()}
        yield State(dict(self.names), certain, self.manifests[0])
        yield State(self.current_names(), everything, self.manifests[-1])
        yield State(self.current_names(), certain, self.manifests[-1])
        namespaces = self.namespaces(dice)
        for _ in range(count - 3):
            names = dice.choice(namespaces)
            wanted = set(names.values()) - {DIRECTORY}
            files = {number: self.some_content(number, dice) for number in sorted(wanted)}
            yield State(names, files, dice.choice(self.manifests))


def _folder_of(event: Event) -> str:
    path = event.new if isinstance(event, Renamed) else getattr(event, "path", None)
    assert path is not None
    return str(Path(path).parent)


def _rename(names: dict[str, int], event: Event, sources: Names) -> None:
    """Let a change of names happen to `names`; `sources` says which file a rename moves."""
    match event:
        case Created(file, str(path)) | Linked(file, path):
            names[path] = file
        case Made(path):
            names[path] = DIRECTORY
        case Renamed(old, new):
            moved = sources[old]
            names[new] = moved
            if names.get(old) == moved:
                del names[old]
        case Unlinked(path):
            names.pop(path, None)


def _choices(pending: Sequence[Change], dice: random.Random, most: int) -> Iterator[list[Change]]:
    """Which of the changes are there, and how much of them."""
    ways = [_ways(change) for change in pending]
    total = 1
    for choices in ways:
        total *= len(choices)
    if total <= most:
        chosen: Iterable[Sequence[Change | None]] = itertools.product(*ways)
    else:
        chosen = [*_one_by_one(pending, ways), *([dice.choice(way) for way in ways] for _ in range(most // 4))]
    for choice in chosen:
        yield [change for change in choice if change is not None]


def _one_by_one(
    pending: Sequence[Change], ways: Sequence[Sequence[Change | None]]
) -> Iterator[Sequence[Change | None]]:
    nothing: list[Change | None] = [None] * len(pending)
    yield nothing
    yield pending
    for index, way in enumerate(ways):
        for change in way:
            yield [*nothing[:index], change, *nothing[index + 1 :]]
            yield [*pending[:index], change, *pending[index + 1 :]]


def _ways(change: Change) -> list[Change | None]:
    """How much of a change may be there."""
    if isinstance(change, Wrote) and len(change.block) > 1:
        return [None, change._replace(block=change.block[: len(change.block) // 2]), change]
    return [None, change]


def _applied(durable: Bytes, changes: Iterable[Change]) -> Bytes:
    content, mtime_ns = bytearray(durable.content), durable.mtime_ns
    for change in changes:
        match change:
            case Wrote(_, offset, block):
                if len(content) < offset:
                    content.extend(bytes(offset - len(content)))
                content[offset : offset + len(block)] = block
            case Sized(_, length, only_up):
                if len(content) < length:
                    content.extend(bytes(length - len(content)))
                elif not only_up:
                    del content[length:]
            case Dated(_, time):
                mtime_ns = time
    return Bytes(bytes(content), mtime_ns)
