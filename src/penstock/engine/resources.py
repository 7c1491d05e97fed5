"""What the system must give for a beginning: threads, descriptors, memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from penstock.errors import DownloadError, OutOfResources

_ADVICE = "raise the limits (ulimit -a) or end other programs"


@contextlib.contextmanager
def enough_resources() -> Iterator[None]:
    """Around what begins threads and opens descriptors: the system's refusal as OutOfResources."""
    try:
        yield
    except DownloadError:
        raise
    except (RuntimeError, OSError, MemoryError) as error:  # RuntimeError: "can't start new thread"
        words = str(error) or "out of memory"
        raise OutOfResources(f"too few threads, open files or memory to begin: {words}; {_ADVICE}") from error


def fault_of(error: BaseException, what: str) -> DownloadError:
    """The error that a caller sees for an exception that nothing foresees; `what` begins the message: what it hit."""
    if isinstance(error, MemoryError):
        return OutOfResources(f"{what}: out of memory; ask for fewer files or connections at once")
    return DownloadError(f"{what}: internal error: {type(error).__name__}: {error}")
