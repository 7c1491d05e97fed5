"""One line of a trace for each fact: Chrome's trace events, JSON objects that Perfetto and chrome://tracing read.

Knows no file and no clock: times come in as seconds since the trace began. What the lines mean stands in
docs/reference/trace.md; the format's own words in "Trace Event Format" (Google, 2016).
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

#: Of what the names and arguments below mean; a reader refuses a greater one.
FORMAT: Final = 1
#: Rows of the picture.
RUN_ROW: Final = 0
RATE_ROW: Final = 1
DISK_ROW: Final = 2
WRITE_ROW: Final = 3
#: Connections begin here.
FIRST_SLOT: Final = 10
#: Seconds below which a phase of a transfer has no slice of its own, only a number in the transfer's.
LEAST_PHASE: Final = 0.001
#: The same for the only request of a small file: of many thousands nobody looks at every millisecond.
LEAST_SMALL_PHASE: Final = 0.05

_encode = json.JSONEncoder(separators=(",", ":")).encode
quoted = json.encoder.encode_basestring_ascii

_TRANSFER: Final = (
    '{"ph":"X","cat":"transfer","name":%s,"pid":1,"tid":%d,"ts":%d,"dur":%d,"args":{"download":%d,"status":%d,'
    '"bytes":%d,"connection":%d,"new":%d,"wait":%d%s}}'
)
#: The only request of a small file that went over a connection that was there: most lines of a long list.
_SMALL: Final = (
    '{"ph":"X","cat":"transfer","name":%s,"pid":1,"tid":%d,"ts":%d,"dur":%d,"args":{"download":0,"status":%d,'
    '"bytes":%d,"connection":%d,"new":0,"wait":%d,"url":%s}}'
)
_PHASE: Final = '{"ph":"X","cat":"phase","name":"%s","pid":1,"tid":%d,"ts":%d,"dur":%d,"args":{}}'


class Times(NamedTuple):
    """Where the seconds of one transfer went, each by itself. `queue`: before libcurl began with it."""

    queue: float = 0.0
    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    #: From the request to the first byte of the answer.
    wait: float = 0.0


class Sent(NamedTuple):
    """One request and what came of it. `begin` and `duration` are seconds, `name` the origin, already quoted."""

    name: str
    slot: int
    begin: float
    duration: float
    download: int
    status: int
    size: int
    connection: int
    is_new: bool
    times: Times
    #: Further arguments.
    more: dict[str, str | int]


def microseconds(seconds: float) -> int:
    """As the format counts."""
    return round(seconds * 1e6)


def transfer(sent: Sent) -> list[str]:
    """A request, and below it its phases that are long enough to be seen."""
    times = sent.times
    more = ""
    if sent.is_new:
        more = "".join(
            f',"{name}":{microseconds(value)}'
            for name, value in (("dns", times.dns), ("connect", times.connect), ("tls", times.tls))
            if value > 0
        )
    for name, value in sent.more.items():
        more += f',"{name}":{quoted(value) if isinstance(value, str) else value}'
    begin = microseconds(sent.begin)
    duration = microseconds(sent.begin + sent.duration) - begin  # rounded apart they might not hold their phases
    lines = [
        _TRANSFER
        % (
            sent.name,
            sent.slot,
            begin,
            duration,
            sent.download,
            sent.status,
            sent.size,
            sent.connection,
            sent.is_new,
            microseconds(times.wait),
            more,
        )
    ]
    least = LEAST_PHASE if sent.download else LEAST_SMALL_PHASE
    if sent.duration >= least:
        lines.extend(_phases(sent, least))
    return lines


def small_transfer(
    name: str, slot: int, begin: float, duration: float, status: int, size: int, connection: int, wait: float, url: str
) -> str:
    """The same as `transfer`, in a third of the time, for what is shorter than `LEAST_SMALL_PHASE` and belongs to no
    download; its numbers are rounded down. `name` is quoted already."""
    return _SMALL % (name, slot, begin * 1e6, duration * 1e6, status, size, connection, wait * 1e6, quoted(url))


def _phases(sent: Sent, least: float) -> list[str]:
    """One after another, none past the transfer's own end: viewers nest slices by their times."""
    lines = []
    at = sent.begin + sent.times.queue
    end = sent.begin + sent.duration
    times = sent.times
    before = times.queue + times.dns + times.connect + times.tls + times.wait
    body = max(0.0, sent.duration - before) if sent.size else 0.0
    for name, seconds in (
        ("dns", times.dns),
        ("connect", times.connect),
        ("tls", times.tls),
        ("wait", times.wait),
        ("body", body),
    ):
        stop = min(end, at + seconds)
        if stop - at >= least:
            start = microseconds(at)
            lines.append(_PHASE % (name, sent.slot, start, microseconds(stop) - start))
        at = max(at, stop)
    return lines


def slice_(category: str, name: str, row: int, begin: float, end: float, /, **args: Any) -> str:
    """Something that took time, on a row where nothing else overlaps it."""
    start = microseconds(begin)
    return _event("X", category, name, row, start, args, dur=max(0, microseconds(end) - start))


def begun(category: str, name: str, number: int, at: float, /, **args: Any) -> str:
    """The beginning of something that others may overlap; `number` tells it from its like."""
    return _event("b", category, name, RUN_ROW, microseconds(at), args, id=number)


def ended(category: str, name: str, number: int, at: float, /, **args: Any) -> str:
    """The end of what `begun` began."""
    return _event("e", category, name, RUN_ROW, microseconds(at), args, id=number)


def noted(category: str, name: str, number: int, at: float, /, **args: Any) -> str:
    """A moment within what `begun` began."""
    return _event("n", category, name, RUN_ROW, microseconds(at), args, id=number)


def instant(category: str, name: str, at: float, /, *, everywhere: bool = False, **args: Any) -> str:
    """A moment."""
    return _event("i", category, name, RUN_ROW, microseconds(at), args, s="g" if everywhere else "t")


def counter(name: str, at: float, /, **values: float) -> str:
    """What was measured, one number for each of its parts."""
    return _event("C", "sample", name, RUN_ROW, microseconds(at), values)


def row_name(row: int, name: str) -> str:
    """What a row is called."""
    return _event("M", "__metadata", "thread_name", row, 0, {"name": name})


def process_name(name: str) -> str:
    """What the whole is called."""
    return _event("M", "__metadata", "process_name", RUN_ROW, 0, {"name": name})


def _event(kind: str, category: str, name: str, row: int, at: int, args: dict[str, Any], **rest: Any) -> str:
    known = {key: value for key, value in args.items() if value is not None}
    head = {"ph": kind, "cat": category, "name": name, "pid": 1, "tid": row, "ts": at}
    return _encode(head | rest | {"args": known})
