r"""Events for programs: one JSON object a line on stdout (``--json``).

Each object has ``event``, ``time`` (Unix seconds) and ``download`` (a number, counted from 1 in one run); bytes are
integers, durations seconds, speeds bytes per second; what is unknown is null. The lines are ASCII: everything else
is written as ``\uXXXX``. URLs are without credentials. New fields and events may be added.

    started       url
    probed        final_url, path, length, accepts_ranges, validator
    resumed       kept
    restarted     why, dropped
    progressed    done, length, speed, connections
    stolen        victim, thief, start, stop
    raced         segment, start, stop
    retried       why, wait, attempt
    warned        message
    checkpointed  durable
    verified      digest, source
    finished      path, size, url, final_url, digest, validator, media_type, elapsed, fetched, resumed,
                  connections, skipped, sha256, mtime_ns, digest_source
    failed        reason, message, url, resumable, exit_code; status and retry_after when the server refused
    cancelled     resumable
    rowrejected   line, text, why
    batchprogressed
                  total, listed, done, skipped, failed, active, size, speed, pace, ended

    summary       total, done, skipped, failed, pending, rejected, size, elapsed, failures, exit_code

The last three are of a list and have ``download`` 0, as has a `warned` about an origin. `summary` is the last line of
a list that came to an end or was stopped, and no event; `failures` are the most frequent [origin, reason, count]. A
`batchprogressed` that tells nothing new is left out.

With ``--dry-run`` there are instead, for one URL (`action` is fetch, resume, restart, finish or skip), and for each row
of a list (fetch, again, skip, repeat or fail; bad lines are `rowrejected`), `plan` last:

    planned       action, url, final_url, path, length, accepts_ranges, validator, media_type, kept, why, exists,
                  replaces, checksum, digest
    planned       action, line, url, path, why
    plan          total, fetch, again, skip, repeat, fail, rejected, exit_code

A validator is ``{"kind": "etag", "value": "\"1\""}`` or null; a digest is ``"sha256:HEX"`` or null; `reason` is one
of `penstock.errors.Reason`. Each download that was started ends in exactly one of `finished`, `failed` and `cancelled`.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.cli.codes import exit_code
from penstock.cli.streams import SturdyStream
from penstock.errors import DownloadError, ServerRefused
from penstock.events import AnyEvent, BatchProgressed, Failed, Finished
from penstock.model import Digest, Preview, Summary, Validator


class JsonLines:
    """Writes every event to `stream`."""

    def __init__(self, stream: SturdyStream) -> None:
        self._stream = stream
        # events carry the monotonic clock, which means nothing outside this process
        self._offset = time.time() - time.monotonic()
        self._last: dict[str, Any] = {}

    def show(self, event: AnyEvent) -> None:
        """Take an event; called on one thread."""
        if isinstance(event, BatchProgressed):
            # ten times a second, and for hours when an origin asks to wait
            told, self._last = self._last, _fields(event)
            if self._last == told:
                return
        self._stream.line(json.dumps(self._object(event)))

    def end(self, summary: Summary, exit_code: int) -> None:
        """Say how a list ended; after the last event."""
        self.say("summary", _fields(summary) | {"exit_code": exit_code})

    def preview(self, preview: Preview) -> None:
        """Say what a download would do."""
        self.say("planned", _fields(preview) | {"replaces": preview.replaces}, download=1)

    def say(self, event: str, fields: Mapping[str, object], *, download: int = 0) -> None:
        """Say what is no event of a run."""
        head = {"event": event, "time": round(time.time(), 3), "download": download}
        self._stream.line(json.dumps(head | dict(fields)))

    def _object(self, event: AnyEvent) -> dict[str, Any]:
        head = {
            "event": type(event).__name__.lower(),
            "time": round(event.at + self._offset, 3),
            "download": event.download,
        }
        if isinstance(event, Finished):
            return head | _fields(event.result)
        if isinstance(event, Failed):
            return head | _error(event.error)
        return head | _fields(event)


def _fields(fact: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(fact)]
    return {name: _plain(getattr(fact, name)) for name in names if name not in {"download", "at"}}


def _plain(value: object) -> object:
    if isinstance(value, Validator):
        return {"kind": value.kind, "value": value.value}
    return str(value) if isinstance(value, Digest | Path) else value


def _error(error: DownloadError) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "reason": error.reason.value,
        "message": error.message,
        "url": error.url,
        "resumable": error.resumable,
        "exit_code": exit_code(error),
    }
    if isinstance(error, ServerRefused):
        fields |= {"status": error.status, "retry_after": error.retry_after}
    return fields
