"""How many connections the process has descriptors for (``ulimit -n``)."""

from __future__ import annotations

from typing import Final

#: Descriptors that are taken by other things: standard streams, the selector, the manifest, directories, libraries.
_OTHERS: Final = 28
#: Descriptors that a connection takes, with its share of part files and directories.
_EACH: Final = 3
#: With fewer there is no use in going on.
_LEAST: Final = 1


def connections_within_limits(wanted: int) -> int:
    """`wanted`, or as many connections as the limit on open files allows."""
    try:
        import resource
    except ImportError:  # Windows counts sockets apart from files
        return wanted
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(_LEAST, min(wanted, (soft - _OTHERS) // _EACH))
