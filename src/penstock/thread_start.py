"""Start a thread, or say that it cannot be started."""

from __future__ import annotations

import sys
import threading
from typing import Final

#: Bytes that a new thread needs besides its stack before its first line: the interpreter's next arena is 1 MiB.
_FIRST_BYTES: Final = 2 * 1024 * 1024
#: Bytes of a stack where the system sets no limit; glibc then gives 2 MiB on 64 bits, others may give more.
_USUAL_STACK: Final = 8 * 1024 * 1024


def start_thread(thread: threading.Thread) -> None:
    """Start it. Raises RuntimeError when the system does not give a thread, or has no room for one."""
    check_room()
    thread.start()


def check_room() -> None:
    """Raise RuntimeError when there is no room for a thread; before whatever starts one.

    `Thread.start` waits until the new thread says that it runs, and so for ever for one that runs out of memory before
    it can (python/cpython#140746, open in every version). Where the address space is limited, room for it is therefore
    looked for beforehand.
    """
    if not _has_room():
        raise RuntimeError("can't start new thread")  # the interpreter's own words


def _has_room() -> bool:
    if sys.platform == "win32":
        return True
    try:
        import mmap
        import resource

        address_space = getattr(resource, "RLIMIT_AS", None)  # not everywhere
        if address_space is None or resource.getrlimit(address_space)[0] == resource.RLIM_INFINITY:
            return True
        stack = threading.stack_size() or resource.getrlimit(resource.RLIMIT_STACK)[0]
        mmap.mmap(-1, (_USUAL_STACK if stack == resource.RLIM_INFINITY else stack) + _FIRST_BYTES).close()
    except (ImportError, OSError, ValueError, OverflowError, MemoryError):  # ImportError: no room for the module
        return False
    return True
