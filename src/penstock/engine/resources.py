"""What the system must give for a beginning: threads, descriptors, memory."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from penstock.errors import OUT_OF_MEMORY, DownloadError, OutOfResources

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
        return OutOfResources(f"{what}: {OUT_OF_MEMORY}")
    return DownloadError(f"{what}: internal error: {type(error).__name__}: {error}")


def give_back_memory() -> None:
    """Let the system have what the C library holds on to although it is free (glibc; elsewhere nothing happens): the
    blocks of a batch on its many threads leave tens of MiB, more after each batch of a process that goes on."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # only after many downloads: a slow import

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
