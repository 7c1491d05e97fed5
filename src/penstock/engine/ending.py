"""How a download ends that cannot go on: stopped from outside, out of time, or with the error that its caller sees."""

from __future__ import annotations

from penstock.engine.context import Context
from penstock.engine.patience import too_late
from penstock.engine.place import Place, storage_error
from penstock.engine.resources import fault_of
from penstock.engine.verify import Mismatch
from penstock.errors import DigestMismatch, DownloadError, TargetExists


class Deadline(Exception):
    """The download's time is up."""


class Cancel(BaseException):
    """The owner wants it stopped."""


def as_download_error(error: BaseException, context: Context, place: Place | None) -> DownloadError | None:
    """The error a caller sees; None for a cancellation. `place` is what the download has claimed, if anything."""
    url = context.shown_url
    if isinstance(error, Cancel):
        return None
    if isinstance(error, DownloadError):
        error.url = error.url or url
        return error
    if isinstance(error, Deadline):
        return too_late(context)
    if isinstance(error, FileExistsError) and place is not None:
        return TargetExists(
            f"{place.path} appeared while we downloaded; the bytes are kept in {place.part.name}: move one "
            "away and run the same command again",
            url=url,
        )
    if isinstance(error, OSError):
        path = place.path if place is not None else context.request.directory
        failure = storage_error(error, path)
        failure.url = url
        return failure
    fault = fault_of(error, url)
    fault.url = url
    return fault


def corrupt(mismatch: Mismatch, context: Context) -> DigestMismatch:
    """The error for bytes that do not have the digest that was expected of them."""
    who = "" if mismatch.source == "request" else " (from the server)"
    url = context.shown_url
    return DigestMismatch(
        f"{url}: {mismatch.expected.algorithm} is {mismatch.got.value.hex()}, not "
        f"{mismatch.expected.value.hex()}{who}; the bytes are kept in {mismatch.kept}; "
        "check the checksum at its source, or run the same command again",
        url=url,
    )
