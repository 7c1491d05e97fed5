"""What one record says: a request, an origin, a decision in words."""

from __future__ import annotations

from typing import Any

from penstock.core import words
from penstock.core.trace_lines import FIRST_SLOT
from penstock.report.facts import Transfer
from penstock.report.fields import amount, number, seconds, text
from penstock.report.reading import Record
from penstock.report.ticks import MOST_ROWS


def transfer(record: Record, at: float, arguments: dict[str, Any]) -> Transfer:
    """A request, of its event at `at` seconds."""
    start, stop = number(arguments, "start"), number(arguments, "stop")
    return Transfer(
        row=min(MOST_ROWS, max(0, amount(record, "tid") - FIRST_SLOT)),
        origin=origin(text(record, "name", 300)),
        begin=at,
        end=at + seconds(record, "dur"),
        download=amount(arguments, "download"),
        url=text(arguments, "url"),
        status=amount(arguments, "status"),
        size=amount(arguments, "bytes"),
        connection=amount(arguments, "connection"),
        is_new=bool(arguments.get("new")),
        dns=seconds(arguments, "dns"),
        connect=seconds(arguments, "connect"),
        tls=seconds(arguments, "tls"),
        wait=seconds(arguments, "wait"),
        filled=None if start is None or stop is None or stop < start else (int(start), int(stop)),
        ending=text(arguments, "end", 40),
        why=text(arguments, "why", 300),
    )


def origin(name: str) -> str:
    """An origin as people write it: without the port that goes without saying."""
    if name.startswith("http://"):
        return name.removesuffix(":80")
    return name.removesuffix(":443") if name.startswith("https://") else name


def origin_of(url: str) -> str:
    """The origin of a URL."""
    end = url.find("/", url.find("://") + 3)
    return origin(url if end < 0 else url[:end])


def in_words(arguments: dict[str, Any]) -> str:
    """What a decision says of itself."""
    facts = []
    start, stop = number(arguments, "start"), number(arguments, "stop")
    if start is not None and stop is not None:
        facts.append(f"{words.size(max(0.0, stop - start))} at {words.size(start)}")
    if "victim" in arguments and "thief" in arguments:
        facts.append(f"by request {amount(arguments, 'thief')} from {amount(arguments, 'victim')}")
    facts.extend(said for name in ("why", "message") if (said := text(arguments, name, 300)))
    if (wait := number(arguments, "wait")) is not None:
        facts.append(f"waits {words.duration(wait / 1e6)}")
    if attempt := amount(arguments, "attempt"):
        facts.append(f"attempt {attempt}")
    return "; ".join(facts)
