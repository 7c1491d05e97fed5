"""A trace file as records, one line at a time.

Knows the form of the file and not what the records mean. A run that was killed leaves no end and perhaps half a line:
every whole line counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

from penstock.core.trace_lines import FORMAT
from penstock.core.urls import escape
from penstock.errors import InvalidRequest

Record: TypeAlias = dict[str, Any]

#: Bytes of a line that are read at most: an event is some hundred.
LONGEST_LINE: Final = 1 << 20
#: Lines that are looked at before a file without the first event of a run counts as something else.
_MOST_BEFORE: Final = 2000


def records(path: Path) -> Iterator[Record]:
    """Every whole event of the trace at `path`, from the first event of the run on.

    Raises InvalidRequest, as soon as it is seen, for what is not there, cannot be read, or is no trace of Penstock's.
    """
    try:
        with path.open("rb") as file:
            yield from _checked(path, _lines(file))
    except OSError as error:
        raise _refusal(path, (error.strerror or str(error)).lower()) from error


def _lines(file: Any) -> Iterator[Record]:
    while line := file.readline(LONGEST_LINE):
        record = _parsed(line)
        if record is not None:
            yield record


def _parsed(line: bytes) -> Record | None:
    """The event of one line; None for brackets, halves and what is no event."""
    text = line.strip().lstrip(b"[").rstrip(b"]").strip().rstrip(b",")
    if not text.startswith(b"{"):
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):  # half a line, or not ours
        return None
    return record if isinstance(record, dict) and isinstance(record.get("ph"), str) else None


def _checked(path: Path, events: Iterator[Record]) -> Iterator[Record]:
    """The events once the one is found that says whose they are."""
    for _, event in zip(range(_MOST_BEFORE), events, strict=False):
        if event.get("cat") == "run" and event.get("name") == "run":
            arguments = event.get("args")
            found = arguments.get("format") if isinstance(arguments, dict) else None
            if found != FORMAT:
                raise _refusal(path, f"a trace in format {str(found)[:20]}; this Penstock reads format {FORMAT}")
            yield event
            yield from events
            return
    raise _refusal(path, "not a trace of Penstock's; 'penstock get --trace FILE URL' writes one")


def _refusal(path: Path, why: str) -> InvalidRequest:
    return InvalidRequest(f"{escape(str(path))}: {escape(why)}")
