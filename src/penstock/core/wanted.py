"""Whether a file is wanted, by its name, media type and size."""

from __future__ import annotations

import fnmatch
from urllib.parse import unquote, urlsplit

from penstock.model import Options, Representation


def unwanted(known: Representation, options: Options, url: str = "") -> str | None:
    """Why the options do not want it, in words; None when they do, or it cannot be told. Without its `url` it is not
    known whether its name makes it wanted whatever its type."""
    if not (options.min_size or options.accept_types or options.reject_types):
        return None
    if options.min_size is not None and known.length is not None and known.length < options.min_size:
        return f"{known.length} bytes are fewer than {options.min_size}"
    kind = known.media_type or "application/octet-stream"
    if any(fnmatch.fnmatchcase(kind, pattern) for pattern in options.reject_types):
        return f"it is {kind}"
    if not options.accept_types or any(fnmatch.fnmatchcase(kind, pattern) for pattern in options.accept_types):
        return None
    return None if any(fits(url, pattern) for pattern in options.accept_names) else f"it is {kind}"


def fits(url: str, pattern: str) -> bool:
    """True when a glob fits the URL's name, or with a slash in it the end of its path, or from a first slash on all of
    it; without case."""
    path = unquote(urlsplit(url).path).lower()
    pattern = pattern.lower()
    if "/" in pattern:
        return fnmatch.fnmatchcase(path, pattern if pattern.startswith("/") else f"*/{pattern}")
    return fnmatch.fnmatchcase(path.rpartition("/")[2], pattern)
