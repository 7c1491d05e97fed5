"""Events as lines of a trace."""

from __future__ import annotations

from typing import Any

from penstock.core import trace_lines as lines
from penstock.events import (
    AnyEvent,
    Cancelled,
    Failed,
    Finished,
    Probed,
    Raced,
    Restarted,
    Resumed,
    Retried,
    Started,
    Stolen,
    Warned,
)


def line_of(event: AnyEvent, at: float) -> str | None:
    """The line for an event that happened `at` seconds after the trace began; None for what a trace tells otherwise:
    progress by its samples, checkpoints and checks by how long they took."""
    number = event.download
    match event:
        case Started(url=url):
            return lines.begun("download", "download", number, at, url=url)
        case Probed(final_url=url, length=length, accepts_ranges=ranges):
            return lines.noted("download", "probed", number, at, url=url, length=length, ranges=ranges)
        case Resumed(kept=kept):
            return lines.noted("download", "resumed", number, at, kept=kept)
        case Restarted(why=why, dropped=dropped):
            return lines.noted("download", "restarted", number, at, why=why, dropped=dropped)
        case Stolen(victim=victim, thief=thief, start=start, stop=stop):
            return _decided("steal", number, at, victim=victim, thief=thief, start=start, stop=stop)
        case Raced(segment=segment, start=start, stop=stop):
            return _decided("race", number, at, segment=segment, start=start, stop=stop)
        case Retried(why=why, wait=wait, attempt=attempt):
            return _decided("retry", number, at, why=why, wait=lines.microseconds(wait), attempt=attempt)
        case Warned(message=message):
            return _decided("warning", number, at, message=message)
        case Finished() | Failed() | Cancelled():
            return lines.ended("download", "download", number, at, **_end(event))
    return None


def _decided(name: str, number: int, at: float, **args: Any) -> str:
    return lines.instant("decision", name, at, download=number, **args)


def _end(event: Finished | Failed | Cancelled) -> dict[str, Any]:
    match event:
        case Finished(result=result):
            return {
                "state": "done",
                "name": result.path.name,
                "size": result.size,
                "fetched": result.fetched,
                "resumed": result.resumed,
                "connections": result.connections,
                "skipped": result.skipped,
            }
        case Failed(error=error):
            return {"state": "failed", "reason": error.reason.value, "message": error.message}
        case _:
            return {"state": "cancelled"}
