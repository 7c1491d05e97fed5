"""The rows of each origin that are still to come: how many the manifest has, and how many of them are in memory.

Knows nothing of the manifest or of downloads. Invariant: no more than `MOST_WAITING` rows are in memory, and an origin
is known as long as it has rows in the manifest or in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from penstock.model import Origin

#: Rows of one origin that wait in memory for their turn: at least, and at most (when there are few origins).
DEPTH: Final = 64
MOST_DEPTH: Final = 1024
#: Rows of all origins that do.
MOST_WAITING: Final = 4096


class Track:
    """One origin's rows: how many are in the manifest and not taken yet, how many are taken and not ended, and up to
    which turn they were taken. `origin` is known once one was. When only `low` are left of those taken, more are."""

    __slots__ = ("low", "origin", "pending", "taken", "turn")

    def __init__(self, turn: int) -> None:
        self.origin: Origin | None = None
        self.low = 0
        self.pending = 0
        self.taken = 0
        self.turn = turn


class Tracks:
    """The tracks of a batch, by the numbers that the manifest gives to origins."""

    def __init__(self) -> None:
        self._tracks: dict[int, Track] = {}
        self._wanting: set[int] = set()
        #: Rows that are in the manifest and not taken yet.
        self.pending = 0
        #: Rows that are taken and have not ended.
        self.in_memory = 0

    def add(self, number: int, count: int, first: int) -> None:
        """`count` rows of an origin more are in the manifest, the first of them with the turn `first`."""
        track = self._tracks.get(number)
        if track is None:
            track = self._tracks[number] = Track(first - 1)
        track.pending += count
        self.pending += count
        self._wanting.add(number)

    def wanted(self) -> list[tuple[int, int, int]]:
        """(origin, turn, count) to take from the manifest: rows of the origins that have room for more."""
        if not self._wanting:
            return []
        room = MOST_WAITING - self.in_memory
        depth = self._depth()
        wanted = []
        for number in list(islice(self._wanting, MOST_WAITING // DEPTH)):
            track = self._tracks[number]
            count = min(depth - track.taken, track.pending, room)
            if count <= 0:
                if room <= 0:
                    break
                self._wanting.discard(number)
                continue
            wanted.append((number, track.turn, count))
            room -= count
        return wanted

    def take(self, number: int, turns: Sequence[int]) -> Track:
        """Rows with these turns were taken."""
        track = self._tracks[number]
        count = len(turns)
        track.pending -= count
        track.taken += count
        self.pending -= count
        self.in_memory += count
        self._wanting.discard(number)
        if turns:
            track.turn = turns[-1]
            track.low = self._depth() // 2
        return track

    def end(self, number: int) -> None:
        """A row that was taken has ended."""
        track = self._tracks[number]
        track.taken -= 1
        self.in_memory -= 1
        if track.pending:
            if track.taken <= track.low:
                self._wanting.add(number)
        elif not track.taken:
            del self._tracks[number]

    def _depth(self) -> int:
        return min(MOST_DEPTH, max(DEPTH, MOST_WAITING // (2 * len(self._tracks) or 1)))
