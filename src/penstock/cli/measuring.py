"""Run something under the profiler, if that is asked for, and refuse files that are to be two things."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from penstock.core.urls import escape
from penstock.errors import InvalidRequest, StorageError


def measured(params: Mapping[str, Any], work: Callable[[], int]) -> int:
    """`work`'s exit code; ``--profile`` writes its file when it is over. Raises InvalidRequest, StorageError."""
    trace, path = params["trace"], params["profile"]
    if path is None:
        return work()
    if trace is not None and os.path.abspath(trace) == os.path.abspath(path):
        raise InvalidRequest("--trace and --profile name the same file; give each its own")
    from penstock.cli.profile import profiled

    try:
        return profiled(path, work)
    except OSError as error:
        if error.filename is None or os.fspath(error.filename) != os.fspath(path):
            raise
        message = f"{escape(os.fspath(path))}: {error.strerror}; name another file for the profile"
        raise StorageError(message) from error
