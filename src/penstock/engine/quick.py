"""The short way of a small file: it came whole with the first answer, so it goes from memory to its place.

No part file is claimed, no journal written, nothing waits for a disk thread but the delivery itself, which many files
share. Whatever is out of the ordinary goes the long way instead (see `download`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from penstock.core.answer import Answer, Partial, Unsatisfied, Whole
from penstock.core.headers import http_date
from penstock.engine.context import Context
from penstock.engine.probe import Opened
from penstock.engine.verify import Mismatch, expected_digests
from penstock.model import IfExists, Representation
from penstock.net.tasks import Promise
from penstock.store.deliver import Corrupt, Delivered, Occupied, Outcome, Parcel


def whole_file(opened: Opened, answer: Answer) -> Representation | None:
    """What came, with its length, when all of it is in memory; else None."""
    if isinstance(answer, Unsatisfied) and answer.total == 0:
        return replace(answer.representation, length=0)
    if not opened.opening.complete or not isinstance(answer, Whole | Partial):
        return None
    size = opened.opening.received
    known = answer.representation
    if isinstance(answer, Partial) and (answer.range.start or answer.range.stop != size):
        return None
    if known.length is not None and known.length != size:
        return None
    return replace(known, length=size)


def deliver(context: Context, opened: Opened, known: Representation, folder: Path, name: str) -> Promise[Outcome]:
    """Send it to its place."""
    assert known.length is not None
    options = context.options
    promise: Promise[Outcome] = Promise(context.loop.soon)
    context.deliveries.put(
        Parcel(
            str(folder),
            name,
            opened.opening.blocks,
            known.length,
            modified=http_date(known.last_modified) if options.remote_time else None,
            overwrite=options.if_exists is IfExists.OVERWRITE,
            expected=tuple(digest for _, digest in expected_digests(context, known)),
            sha256=context.request.sha256,
        ),
        promise.set,
    )
    return promise


def settle(outcome: Outcome, context: Context, known: Representation, folder: Path) -> Delivered | None:
    """That it is there; None when what lies there needs a closer look. Raises Mismatch, OSError."""
    match outcome:
        case Delivered():
            return outcome
        case Occupied():
            return None
        case Corrupt(expected, got, name):
            sources = {digest: source for source, digest in reversed(expected_digests(context, known))}
            raise Mismatch(expected, got, sources[expected], kept=folder / name)
        case OSError() as error:
            raise error
