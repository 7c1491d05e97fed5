"""The manifest's tables, version 1. Anybody may read them with SQLite; only a run writes them.

    run     one line a run: when it began, the directory that targets are relative to, and whether its list was read to
            the end (until it is, rows of the lists before may be among those to come)
    origin  the origins that URLs have
    file    one line a row of the list, in the state in which the last run left it
    folder  the folders that targets are in, so that no target has the name of one
    bad     lines of the last run's list that cannot be used

`state` is 0 pending, 1 done, 2 failed, 3 unwanted (the server was asked, and it is none of the files asked for).
`key` is the row's identity, `place` that of its target (without case, so that two targets never become one file on
another disk). Times are Unix seconds, `mtime` nanoseconds, sizes bytes. URLs are without credentials. `size` and
`mtime` of a pending row are those of what was at its target when it was put in the queue, NULL when nothing was. `run`
is the last run whose list had the row, `turn` its place in that run's queue.
"""

from __future__ import annotations

import enum
import hashlib
from typing import Final

from penstock.core.naming import folded
from penstock.core.urls import identity
from penstock.errors import Reason

#: "PnSt" in SQLite's header tells a manifest from any other database.
APPLICATION_ID: Final = 0x506E5374
VERSION: Final = 1
#: The reason of a row whose file was done and is another one now; `size`, `mtime` and `digest` are still those of what
#: was saved.
CHANGED: Final = "target-changed"
#: That of a row whose file is not one of those asked for.
UNWANTED: Final = Reason.UNWANTED.value


class State(enum.Enum):
    """How a row stands."""

    PENDING = 0
    DONE = 1
    FAILED = 2
    UNWANTED = 3


SCHEMA: Final = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
CREATE TABLE IF NOT EXISTS run(run INTEGER PRIMARY KEY, started REAL NOT NULL, root TEXT NOT NULL,
    is_whole INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS origin(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS file(
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, place TEXT NOT NULL UNIQUE, run INTEGER NOT NULL,
    turn INTEGER NOT NULL, line INTEGER NOT NULL, state INTEGER NOT NULL, origin INTEGER NOT NULL,
    url TEXT NOT NULL, others TEXT, target TEXT NOT NULL, expected TEXT, expected_size INTEGER,
    size INTEGER, mtime INTEGER, digest TEXT, validator TEXT, final_url TEXT, started REAL, ended REAL,
    reason TEXT, message TEXT);
CREATE TABLE IF NOT EXISTS folder(place TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting ON file(origin, turn) WHERE state = 0;
CREATE TABLE IF NOT EXISTS bad(line INTEGER NOT NULL, text TEXT NOT NULL, why TEXT NOT NULL);
"""
TEMPORARY: Final = "CREATE TEMP TABLE IF NOT EXISTS secret(id INTEGER PRIMARY KEY, urls TEXT, headers TEXT);"


# Statements over many rows take them as JSON: one call, not one for each row

INSERT_MANY: Final = """
INSERT OR IGNORE INTO file(key, place, run, turn, line, state, origin, url, others, target, expected, expected_size)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), ?1, json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), 0, json_extract(value, '$[4]'), json_extract(value, '$[5]'),
       json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'),
       json_extract(value, '$[9]')
FROM json_each(?2) WHERE NOT EXISTS (SELECT 1 FROM folder WHERE place = json_extract(value, '$[1]'))
"""
ADD_FOLDERS: Final = "INSERT OR IGNORE INTO folder(place) SELECT value FROM json_each(?)"
#: True when one of the places given is that of a file.
ANY_FILE: Final = "SELECT EXISTS (SELECT 1 FROM file WHERE place IN (SELECT value FROM json_each(?)))"
TAKE_MANY: Final = """
SELECT json_group_array(json_array(id, turn, url, others, target, expected, expected_size)) FROM (
    SELECT * FROM file WHERE state = 0 AND origin = ? AND turn > ? AND run = ? ORDER BY turn LIMIT ?)
"""
#: Takes outcomes as arrays, in the order of `entries.Outcome`'s fields.
RECORD_MANY: Final = f"""
UPDATE file SET
    state = CASE WHEN given.reason IS NULL THEN 1 WHEN given.reason = '{UNWANTED}' THEN 3 ELSE 2 END,
    target = given.target, size = given.size,
    digest = given.digest, validator = given.validator, final_url = given.final_url, started = given.started,
    ended = given.ended, reason = given.reason, message = given.message, mtime = given.mtime
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS target,
             json_extract(value, '$[2]') AS size, json_extract(value, '$[3]') AS digest,
             json_extract(value, '$[4]') AS validator, json_extract(value, '$[5]') AS final_url,
             json_extract(value, '$[6]') AS started, json_extract(value, '$[7]') AS ended,
             json_extract(value, '$[8]') AS reason, json_extract(value, '$[9]') AS message,
             json_extract(value, '$[10]') AS mtime
      FROM json_each(?)) AS given
WHERE file.id = given.id
"""


def row_key(url: str, named: str | None) -> str:
    """The identity of a row: its (first) URL without credentials, and the target that the list names."""
    text = f"{identity(url)}\n{named or ''}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def place_key(target: str) -> str:
    """The identity of a target, whatever its case."""
    return hashlib.blake2b(folded(target).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
