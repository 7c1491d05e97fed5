"""How connections are shared between origins that give what they are asked for and those that do not, or not yet.

What nothing comes for may hold its connection for minutes: a silent server, a wait that a server asks for. And an
origin that will answer cannot be told from a silent one before it was asked. So all files that need not ever move may
have half of the connections together, and three quarters where their origin has no other: each origin is soon asked for
a first file, and a quarter is left to those that answer. Knows nothing of connections.
"""

from __future__ import annotations

import enum


class Standing(enum.Enum):
    """What is known of an origin, the least first."""

    #: It has files under way, and nothing comes.
    STANDS_STILL = enum.auto()
    #: It has none under way, and has not answered.
    IS_NEW = enum.auto()
    #: It gives what it is asked for.
    MOVES = enum.auto()


def most_unmoved(standing: Standing, total: int) -> int:
    """Of `total`, those that may be with what does not move when one more goes to an origin of this standing."""
    if standing is Standing.MOVES:
        return total
    quarters = 3 if standing is Standing.IS_NEW else 2
    return (quarters * total + 3) // 4
