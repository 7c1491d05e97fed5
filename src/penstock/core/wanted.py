"""Whether a file is wanted, by its media type and size."""

from __future__ import annotations

import fnmatch

from penstock.model import Options, Representation


def unwanted(known: Representation, options: Options) -> str | None:
    """Why the options do not want it, in words; None when they do, or it cannot be told."""
    if not (options.min_size or options.accept_types or options.reject_types):
        return None
    if options.min_size is not None and known.length is not None and known.length < options.min_size:
        return f"{known.length} bytes are fewer than {options.min_size}"
    kind = known.media_type or "application/octet-stream"
    if any(fnmatch.fnmatchcase(kind, pattern) for pattern in options.reject_types):
        return f"it is {kind}"
    if options.accept_types and not any(fnmatch.fnmatchcase(kind, pattern) for pattern in options.accept_types):
        return f"it is {kind}"
    return None
