"""The exit codes."""

from __future__ import annotations

from penstock.errors import InvalidRequest, StorageError

DONE = 0
FAILED = 1
USAGE = 2
CANNOT_WRITE = 3


def exit_code(error: BaseException) -> int:
    """The exit code for a download that ended in `error`."""
    if isinstance(error, InvalidRequest):
        return USAGE
    return CANNOT_WRITE if isinstance(error, StorageError) else FAILED
