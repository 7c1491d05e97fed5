"""The states of a download, as a table. ARCHITECTURE.md draws its picture from this."""

from __future__ import annotations

import enum
from typing import Final


class State(enum.Enum):
    """Where a download is in its life."""

    QUEUED = "queued"
    PREPARING = "preparing"  # directory, part file, lock, journal
    PROBING = "probing"  # the first request is on its way
    FETCHING = "fetching"  # bytes arrive
    VERIFYING = "verifying"  # the last bytes are hashed and compared
    PUBLISHING = "publishing"  # synced, renamed
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: From each state, the states that may follow.
TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    State.QUEUED: frozenset({State.PREPARING, State.CANCELLED}),
    State.PREPARING: frozenset({State.PROBING, State.VERIFYING, State.DONE, State.FAILED, State.CANCELLED}),
    # back to PREPARING: what lies on disk is of another representation
    State.PROBING: frozenset(
        {
            State.PREPARING,
            State.FETCHING,
            State.VERIFYING,
            State.PUBLISHING,
            State.DONE,
            State.FAILED,
            State.CANCELLED,
        }
    ),
    # back to PREPARING: the representation changed on the server
    State.FETCHING: frozenset({State.PREPARING, State.VERIFYING, State.FAILED, State.CANCELLED}),
    # back to PREPARING: another source is tried
    State.VERIFYING: frozenset({State.PREPARING, State.PUBLISHING, State.FAILED, State.CANCELLED}),
    State.PUBLISHING: frozenset({State.DONE, State.FAILED, State.CANCELLED}),
    State.DONE: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
