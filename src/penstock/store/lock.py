"""An advisory lock on a part file, so that two processes never write to one. It dies with its holder."""

from __future__ import annotations

import contextlib
import errno
import sys

if sys.platform == "win32":
    import msvcrt

    #: Far beyond any byte of data, so that the lock never stands in the way of a read.
    _LOCK_OFFSET = 2**62

    def try_lock(descriptor: int) -> bool:
        """Take the lock without waiting; False when another holds it."""
        import os

        os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    _try_shared = try_lock

    def _unlock(descriptor: int) -> None:
        import os

        os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock without waiting; False when another holds it.

        A file system without locks (some network mounts) grants it: better unguarded than unusable.
        """
        return _try(descriptor, fcntl.LOCK_EX)

    def _try_shared(descriptor: int) -> bool:
        return _try(descriptor, fcntl.LOCK_SH)

    def _try(descriptor: int, kind: int) -> bool:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_locked(descriptor: int) -> bool:
    """True when another holds the lock. To find out it is taken for a moment, shared where the system can, so that
    those who only look do not see each other."""
    if not _try_shared(descriptor):
        return True
    with contextlib.suppress(OSError):  # there are no locks here
        _unlock(descriptor)
    return False
