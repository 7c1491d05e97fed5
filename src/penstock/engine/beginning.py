"""Small decisions of a download's beginning: what to ask for, what the answer is of, who fetches first.

Values in, values out; nothing here touches the disk or the network.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from penstock.core.answer import Answer, Partial, Unsatisfied, Whole
from penstock.core.naming import choose_name, decoded_name
from penstock.core.ramp import INITIAL_CONNECTIONS
from penstock.core.ranges import Range, RangeSet
from penstock.core.resume import Continue, Record, Restart, Trust, Unreadable
from penstock.core.segments import LEASE_BYTES, Segments
from penstock.engine.place import Place
from penstock.engine.probe import Opened
from penstock.errors import ProtocolError, TargetExists
from penstock.model import Representation, Request


class Left(Protocol):
    """What an earlier run left at a target."""

    @property
    def found(self) -> Record | Unreadable | None:
        """What its journal says."""


def split_output(directory: Path, output: Path) -> tuple[Path, str]:
    """The folder and the name of a target that the caller named."""
    whole = directory / output
    if whole.name in {"", ".."} or str(output).endswith(os.sep):
        raise TargetExists(f"{whole} is a directory; name a file with -o")
    return whole.parent, whole.name


def first_range(plan: Continue | Restart, place: Left | None, min_segment: int) -> str:
    """What to ask for first: everything, or of what is missing the part that one of a few connections will fetch.

    When nothing is missing, the last byte again: its answer confirms what the bytes are of.
    """
    if not isinstance(plan, Continue) or place is None or not isinstance(place.found, Record):
        return "bytes=0-"
    length = place.found.length or 0
    missing = plan.done.missing(length)
    first = next(iter(missing), None)
    if first is None:
        return f"bytes={max(0, length - 1)}-"
    share = max(min_segment, min(LEASE_BYTES, missing.size // INITIAL_CONNECTIONS))
    return Range(first.start, min(first.stop, first.start + share)).to_header()


def known_from(answer: Answer, place: Left, done: RangeSet) -> Representation | None:
    """What is being fetched; None when the answer says nothing about it."""
    match answer:
        case Partial(_, representation) | Whole(representation):
            return representation
        case Unsatisfied(0, representation):
            return replace(representation, length=0)
        case Unsatisfied() if done and isinstance(place.found, Record):
            return place.found.representation
        case _:
            return None


def first_lane(opened: Opened, answer: Answer, segments: Segments, *, ranged: bool) -> tuple[Opened | None, int | None]:
    """Which transfer begins: the probe's own, if its body is of use."""
    if segments.finished or isinstance(answer, Unsatisfied):
        return None, None
    if not ranged:
        # a range of unknown total is read from the start again, as one stream
        return (opened, None) if isinstance(answer, Whole) else (None, None)
    assert isinstance(answer, Partial)
    free = next(iter(segments.free))
    return (opened, answer.range.stop) if free.start == answer.range.start else (None, None)


def recorded(place: Place) -> int:
    """Bytes that the journal we found vouches for."""
    if not isinstance(place.found, Record):
        return 0
    return sum(stop - start for start, stop in place.found.done)


def trust_of(request: Request) -> Trust:
    """How far old bytes may count."""
    options = request.options
    return Trust(unsafe=options.resume_unsafe, proven_later=request.checksum is not None, adopt=options.adopt)


def name_from(answer: Answer, url: str) -> str:
    """The target's name, from the URL that was asked for unless the answer says otherwise (S03)."""
    known = answer.representation if isinstance(answer, Partial | Whole) else Representation()
    name = choose_name(disposition=known.disposition, url=url, media_type=known.media_type)
    return decoded_name(name) if known.encoded else name


def nothing_to_have(url: str) -> ProtocolError:
    """The error for a server that has no byte of a file, not even of all of it; `url` is fit to be shown."""
    return ProtocolError(f"{url}: HTTP 416 for the whole file; the server is in trouble, try again later", url=url)
