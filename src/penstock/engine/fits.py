"""Is what the server has what was asked for? Judged by its size and type, before anything is written."""

from __future__ import annotations

from penstock.core.wanted import unwanted
from penstock.engine.context import Context
from penstock.errors import DownloadError, Reason
from penstock.model import Representation


def check_fits(context: Context, known: Representation) -> None:
    """Raise DownloadError when it is larger than allowed, not wanted, or not as long as the request says."""
    length, limit = known.length, context.options.max_size
    if limit is not None and length is not None and length > limit:
        raise too_large(context)
    why = unwanted(known, context.options, context.url)
    if why is not None:
        url = context.shown_url
        raise DownloadError(f"{url}: not wanted: {why}", url=url, reason=Reason.UNWANTED)
    if length is not None:
        check_length(context, length)


def check_length(context: Context, length: int) -> None:
    """Raise DownloadError when `length` (bytes) is not what the request says."""
    url, wanted = context.shown_url, context.request.size
    if wanted is not None and length != wanted:
        message = f"{url}: it has {length} bytes, not the {wanted} that were expected; check the list, or the URL"
        raise DownloadError(message, url=url, reason=Reason.SIZE)


def too_large(context: Context) -> DownloadError:
    """The error for a body over ``--max-size``."""
    return DownloadError(
        f"{context.shown_url}: larger than --max-size of {context.options.max_size} bytes; give more if you want it",
        url=context.shown_url,
        reason=Reason.TOO_LARGE,
    )
