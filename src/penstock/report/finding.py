"""A cause, and how it is said."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Cause(enum.Enum):
    """What can hold a run back."""

    LINK = "the link"
    HOST = "one slow host"
    CONNECTIONS = "too few connections"
    DISK = "the disk"
    CPU = "the processor"
    LIMIT = "a limit you set"
    NOTHING = "nothing in particular"


@dataclass(frozen=True, slots=True)
class Finding:
    """`sentence` names the bottleneck, `advice` says what to change. Neither has text of a server but origins, which
    are escaped where they are shown."""

    cause: Cause
    sentence: str
    advice: str
    #: The part of the run's time that it cost, 0 to 1, as far as that was measured.
    share: float = 0.0
