"""The manifest's tables, version 1. Anybody may read them with SQLite; only a run writes them.

    run     one line a run: when it began, and the directory that targets are relative to
    origin  the origins that URLs have
    file    one line a row of the list, in the state in which the last run left it
    bad     lines of the last run's list that cannot be used

`state` is 0 pending, 1 done, 2 failed. `key` is the row's identity, `place` that of its target (without case, so that
two targets never become one file on another disk). Times are Unix seconds, `mtime` nanoseconds, sizes bytes. URLs are
without credentials. `run` is the last run whose list had the row, `turn` its place in that run's queue.
"""

from __future__ import annotations

import enum
import hashlib
from typing import Final

from penstock.core.naming import folded
from penstock.core.urls import identity

#: "PnSt" in SQLite's header tells a manifest from any other database.
APPLICATION_ID: Final = 0x506E5374
VERSION: Final = 1


class State(enum.Enum):
    """How a row stands."""

    PENDING = 0
    DONE = 1
    FAILED = 2


SCHEMA: Final = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
CREATE TABLE IF NOT EXISTS run(run INTEGER PRIMARY KEY, started REAL NOT NULL, root TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS origin(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS file(
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, place BLOB NOT NULL UNIQUE, run INTEGER NOT NULL,
    turn INTEGER NOT NULL, line INTEGER NOT NULL, state INTEGER NOT NULL, origin INTEGER NOT NULL,
    url TEXT NOT NULL, others TEXT, target TEXT NOT NULL, expected TEXT, expected_size INTEGER,
    size INTEGER, mtime INTEGER, digest TEXT, validator TEXT, final_url TEXT, started REAL, ended REAL,
    reason TEXT, message TEXT);
CREATE INDEX IF NOT EXISTS waiting ON file(origin, turn) WHERE state = 0;
CREATE TABLE IF NOT EXISTS bad(line INTEGER NOT NULL, text TEXT NOT NULL, why TEXT NOT NULL);
"""
TEMPORARY: Final = "CREATE TEMP TABLE IF NOT EXISTS secret(id INTEGER PRIMARY KEY, urls TEXT, headers TEXT);"


def row_key(url: str, named: str | None) -> bytes:
    """The identity of a row: its (first) URL without credentials, and the target that the list names."""
    text = f"{identity(url)}\n{named or ''}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def place_key(target: str) -> bytes:
    """The identity of a target, whatever its case."""
    return hashlib.blake2b(folded(target).encode("utf-8", "surrogateescape"), digest_size=12).digest()
