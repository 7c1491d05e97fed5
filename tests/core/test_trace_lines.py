"""Lines of a trace: JSON that nests, whatever goes in."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from penstock.core import trace_lines as lines
from penstock.core.trace_lines import Sent, Times, quoted
from tests import traces

seconds = some.floats(min_value=0, max_value=1e6, allow_nan=False)
part = some.floats(min_value=0, max_value=5, allow_nan=False)
texts = some.text(max_size=20)
times = some.builds(Times, queue=part, dns=part, connect=part, tls=part, wait=part)


@given(
    texts,
    seconds,
    part,
    times,
    some.booleans(),
    some.integers(0, 10**12),
    some.dictionaries(some.sampled_from(["end", "why"]), texts),
    some.integers(0, 1),
)
def test_a_transfer_and_its_phases_nest(
    origin: str,
    begin: float,
    duration: float,
    spent: Times,
    is_new: bool,
    size: int,
    more: dict[str, str | int],
    download: int,
) -> None:
    sent = Sent(quoted(origin), 12, begin, duration, download, 206, size, 7, is_new, spent, more)
    events = [json.loads(line) for line in lines.transfer(sent)]
    traces.check([*events, json.loads(lines.row_name(12, "connection 3"))])
    first = events[0]
    assert first["name"] == origin
    assert first["args"]["bytes"] == size
    assert first["args"]["new"] == is_new
    assert first["args"].get("why") == more.get("why")
    phases = [event["name"] for event in events[1:]]
    assert phases == [name for name in ("dns", "connect", "tls", "wait", "body") if name in phases]
    assert all(event["dur"] >= 900 for event in events[1:])
    assert sum(event["dur"] for event in events[1:]) <= first["dur"] + 10


@given(texts, seconds, some.floats(0, 0.049), some.integers(0, 10**12), some.floats(0, 0.04), texts)
def test_a_small_file_s_only_request_is_the_same_in_less_time(
    origin: str, begin: float, duration: float, size: int, wait: float, url: str
) -> None:
    line = lines.small_transfer(quoted(origin), 12, begin, duration, 206, size, 7, wait, url)
    sent = Sent(quoted(origin), 12, begin, duration, 0, 206, size, 7, False, Times(wait=wait), {"url": url})
    (same,) = lines.transfer(sent)
    short, long = json.loads(line), json.loads(same)
    for each in (short, long):
        assert all(abs(each.pop(key) - value * 1e6) <= 1.5 for key, value in (("ts", begin), ("dur", duration)))
        assert abs(each["args"].pop("wait") - wait * 1e6) <= 1
    assert short == long


def test_the_phases_of_a_new_connection() -> None:
    spent = Times(queue=0.5, dns=0.01, connect=0.02, tls=0.03, wait=0.04)
    sent = Sent('"http://a"', 10, 1.0, 1.0, 1, 206, 5, 1, True, spent, {"segment": 4, "start": 0, "stop": 5})
    first, *phases = [json.loads(line) for line in lines.transfer(sent)]
    assert [(event["name"], event["ts"], event["dur"]) for event in phases] == [
        ("dns", 1_500_000, 10_000),
        ("connect", 1_510_000, 20_000),
        ("tls", 1_530_000, 30_000),
        ("wait", 1_560_000, 40_000),
        ("body", 1_600_000, 400_000),
    ]
    assert first["args"] == {
        "download": 1, "status": 206, "bytes": 5, "connection": 1, "new": 1, "wait": 40_000,
        "dns": 10_000, "connect": 20_000, "tls": 30_000, "segment": 4, "start": 0, "stop": 5,
    }  # fmt: skip


def test_one_without_a_body_has_none() -> None:
    sent = Sent('"http://a"', 10, 0.0, 1.0, 1, 503, 0, 1, False, Times(wait=0.9), {})
    assert [json.loads(line)["name"] for line in lines.transfer(sent)] == ["http://a", "wait"]


def test_what_is_short_has_no_phases() -> None:
    for download, duration in (1, 0.0009), (0, 0.04):
        spent = Times(wait=duration / 2, connect=duration / 3)
        sent = Sent('"http://a"', 10, 0.0, duration, download, 200, 9, 1, True, spent, {})
        assert len(lines.transfer(sent)) == 1


@given(texts, texts, seconds, some.dictionaries(some.sampled_from(["a", "b"]), texts | some.none() | some.integers()))
def test_every_other_kind_is_an_event_too(category: str, name: str, at: float, args: dict[str, Any]) -> None:
    made = [
        lines.begun(category, name, 1, at, **args),
        lines.noted(category, name, 1, at, **args),
        lines.ended(category, name, 1, at),
        lines.slice_(category, name, 3, at, at + 1, **args),
        lines.row_name(3, name),
        lines.instant(category, "i", at, **args),
        lines.counter("c", at, a=1, b=2.5),
    ]
    events = [json.loads(line) for line in made]
    traces.check(events)
    assert all("\n" not in line and line.isascii() for line in made)
    assert events[0]["args"] == {key: value for key, value in args.items() if value is not None}
