"""Penstock broken on purpose, in a child of the zygote: what the kills and the power cuts must catch."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from penstock.core.ranges import RangeSet
from penstock.core.resume import Record
from penstock.store.journal import Journal
from penstock.store.part import PartFile


def put(module: str, name: str, value: object) -> None:
    """Let `module` know something else under this name."""
    setattr(sys.modules[module], name, value)


def journal_before_sync() -> None:
    """The journal vouches first, the part is synced afterwards."""

    def checkpoint(part: PartFile, journal: Journal, record: Callable[[RangeSet], Record]) -> int:
        done = part.written()
        journal.replace(record(done))
        part.sync()
        return done.size

    put("penstock.engine.checkpoints", "checkpoint", checkpoint)


def noted_after_sync() -> None:
    """What is written is noted after the sync: bytes that came meanwhile are vouched for too."""

    def checkpoint(part: PartFile, journal: Journal, record: Callable[[RangeSet], Record]) -> int:
        part.sync()
        time.sleep(0.01)  # what takes a disk a moment leaves a moment for bytes to come
        done = part.written()
        journal.replace(record(done))
        return done.size

    put("penstock.engine.checkpoints", "checkpoint", checkpoint)


def journal_not_synced() -> None:
    """The journal is renamed into place without its own bytes being on the disk."""
    original, replacing = os.fsync, Journal.replace

    def replace(self: Journal, record: Record) -> None:
        put("os", "fsync", lambda _descriptor: None)
        try:
            replacing(self, record)
        finally:
            put("os", "fsync", original)

    Journal.replace = replace  # type: ignore[method-assign]


def published_without_sync() -> None:
    """The target gets its name while its bytes may still be on their way."""
    from penstock.store.publish import publish as original

    def publish(part: PartFile, *args: Any, **options: Any) -> None:
        part.sync = lambda **_options: None  # type: ignore[method-assign]
        original(part, *args, **options)

    put("penstock.engine.download", "publish", publish)


def delivered_without_sync() -> None:
    """Small files get their names without having been synced."""
    put("penstock.engine.deliveries", "sync", lambda _written, _named: {})


def vouches_for_more() -> None:
    """The journal vouches for bytes that are still to come."""

    def checkpoint(part: PartFile, journal: Journal, record: Callable[[RangeSet], Record]) -> int:
        done = part.written()
        part.sync()
        done.add(0, min(part.size, done.prefix() + 1000))
        journal.replace(record(done))
        return done.size

    put("penstock.engine.checkpoints", "checkpoint", checkpoint)


def forgets_what_is_named() -> None:
    """A row whose file got its name before a kill is not looked for."""
    from penstock.store.targets import Targets

    Targets.was_published = lambda *_args: False  # type: ignore[method-assign]
