"""Read a trace strictly, as a viewer that forgives nothing would: Chrome's Trace Event Format, and our own promises.

From "Trace Event Format" (Google, 2016): the array may stand open; every event has ph, pid, tid, ts and name; complete
events (X) have dur and nest or follow each other on a row; b, e and n share cat and id, and each e closes a b of its
name; counters have numbers only; instants say their scope.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

Event = dict[str, Any]

_KEYS = {
    "M": {"ph", "cat", "name", "pid", "tid", "ts", "args"},
    "X": {"ph", "cat", "name", "pid", "tid", "ts", "dur", "args"},
    "b": {"ph", "cat", "name", "pid", "tid", "ts", "id", "args"},
    "e": {"ph", "cat", "name", "pid", "tid", "ts", "id", "args"},
    "n": {"ph", "cat", "name", "pid", "tid", "ts", "id", "args"},
    "i": {"ph", "cat", "name", "pid", "tid", "ts", "s", "args"},
    "C": {"ph", "cat", "name", "pid", "tid", "ts", "args"},
}


def read(path: Path) -> list[Event]:
    """All events of a trace that was ended as it should, checked."""
    text = path.read_text(encoding="ascii")
    assert text.startswith("[\n")
    assert text.endswith("\n]\n")
    events: list[Event] = json.loads(text)
    check(events)
    lines = text.splitlines()[1:-1]
    assert [json.loads(line.removesuffix(",")) for line in lines] == events, "an event a line"
    return events


def read_broken(path: Path) -> list[Event]:
    """What a killed run left: every whole line."""
    lines = path.read_text(encoding="ascii").split("\n")[1:]
    whole = [line for line in lines if line.endswith("},")]
    return [json.loads(line[:-1]) for line in whole]


def check(events: list[Event]) -> None:
    """Raise AssertionError for what a viewer would not take, or would draw wrongly."""
    for event in events:
        keys = _KEYS[event["ph"]]
        assert set(event) == keys, event
        assert event["pid"] == 1
        assert isinstance(event["tid"], int)
        assert isinstance(event["ts"], int)
        assert event["ts"] >= 0, event
        assert isinstance(event["args"], dict)
        assert isinstance(event["name"], str)
        if event["ph"] == "i":
            assert event["s"] in {"g", "p", "t"}
        if event["ph"] == "C":
            assert all(isinstance(value, int | float) for value in event["args"].values()), event
    _check_rows(events)
    _check_pairs(events)


def _check_rows(events: list[Event]) -> None:
    rows = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            assert event["dur"] >= 0
            rows[event["tid"]].append((event["ts"], -event["dur"], event["name"]))
    for row, slices in rows.items():
        open_ends: list[int] = []
        for start, negative, name in sorted(slices):
            end = start - negative
            while open_ends and open_ends[-1] <= start:
                open_ends.pop()
            assert not open_ends or end <= open_ends[-1], f"row {row}: {name} at {start} overlaps another"
            open_ends.append(end)
        named = [event for event in events if event["name"] == "thread_name" and event["tid"] == row]
        assert len(named) == 1, f"row {row} has {len(named)} names"


def _check_pairs(events: list[Event]) -> None:
    spans: dict[tuple[str, int, str], list[int]] = defaultdict(list)
    kinds = {"b": 0, "n": 1, "e": 2}
    order = [event for event in events if event["ph"] in kinds]
    for event in order:
        key = event["cat"], event["id"], event["name"]
        if event["ph"] == "b":
            spans[key].append(event["ts"])
        elif event["ph"] == "e":
            assert spans[key], f"{key} ends, and never began"
            assert spans[key].pop() <= event["ts"], key
    left = [key for key, begun in spans.items() if begun]
    assert not left, f"never ended: {left}"


def named(events: list[Event], name: str) -> list[Event]:
    """Those with a name."""
    return [event for event in events if event["name"] == name]


def transfers(events: list[Event]) -> list[Event]:
    """The requests."""
    return [event for event in events if event["cat"] == "transfer"]
