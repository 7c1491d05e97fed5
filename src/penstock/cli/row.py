"""What a live line shows of one download, as its events tell. Pure: times are passed in."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import Final

from penstock.cli.steady import Steady, steadied
from penstock.core import words
from penstock.core.urls import escape
from penstock.events import AnyEvent, Cancelled, Failed, Finished, Probed, Progressed, Restarted, Resumed, Retried

#: What is said of a line whose download ended, while it is still there.
SAVED: Final = "saved"
FAILED: Final = "failed"
STOPPED: Final = "stopped"
#: Seconds within which a download that still has connections tells of its progress.
_GRACE_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of one download. `name` is escaped; `length` is None while unknown; bytes, bytes per second."""

    name: str
    done: int = 0
    length: int | None = None
    #: None until the first measure.
    speed: Steady | None = None
    connections: int = 0
    #: True once the server answered.
    is_answered: bool = False
    #: From when until when it waits before it is tried again (seconds on the events' clock).
    wait: tuple[float, float] | None = None
    #: How it ended, in a word; empty while it runs.
    ended: str = ""


def updated(row: Row, event: AnyEvent) -> Row:
    """`row` after `event`."""
    match event:
        case Probed(path=path, length=length):
            return replace(row, name=escape(os.path.basename(path)), length=length, is_answered=True, wait=None)
        case Resumed(kept=kept):
            return replace(row, done=kept)
        case Restarted():
            return replace(row, done=0, speed=None)
        case Retried(at=at, wait=wait):
            # where other connections work on, the next progress tells so before this is shown
            return replace(row, wait=(at + _GRACE_SECONDS if row.connections else at, at + wait))
        case Progressed(at=at, done=done, length=length, speed=speed, connections=connections):
            return replace(
                row,
                done=done,
                length=length,
                speed=steadied(row.speed, at, speed),
                connections=connections,
                wait=None if connections or row.wait is None else (min(at, row.wait[0]), row.wait[1]),
            )
        case Finished(result=result):
            return replace(row, done=result.size, length=result.size, ended=SAVED)
        case Failed():
            return replace(row, ended=FAILED)
        case Cancelled():
            return replace(row, ended=STOPPED)
    return row


def standing(row: Row, now: float, *, briefly: bool = False) -> str:
    """What it does while no bytes come, in a word or two; empty when they do. `briefly`: in at most 13 characters."""
    if row.ended:
        return row.ended
    if row.wait is not None and row.wait[0] <= now < row.wait[1]:
        return f"{'again' if briefly else 'trying again'} in {words.clock(row.wait[1] - now)}"
    if not row.is_answered or (row.wait is not None and row.wait[1] <= now):
        return "connecting"
    if row.length is not None and row.done >= row.length:
        return "saving"  # checked, synced and named
    if row.speed is None:
        return "starting"
    return words.STALLED if row.speed.shown <= 0 else ""


def seconds_left(row: Row) -> float:
    """Seconds until all bytes are there, by the mean speed; infinite while that cannot be told."""
    if row.length is None or row.speed is None or row.speed.mean <= 0:
        return math.inf
    return max(0, row.length - row.done) / row.speed.mean
