"""The rows of each origin that are still to come: how many the manifest has, and how many of them are in memory.

An origin of which nothing was had yet may be one of hundreds that never give anything. When there are many such, each
has few rows in memory, and all together do not have all of it: one that gives its files is never without rows for long.

Knows nothing of the manifest or of downloads. Invariant: no more than `MOST_WAITING` rows are in memory, and an origin
is known as long as it has rows in the manifest or in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from penstock.core.politeness import FIRST_FILES
from penstock.model import Origin

#: Rows of one origin that wait in memory for their turn: at least, and at most (when there are few origins).
DEPTH: Final = 64
MOST_DEPTH: Final = 1024
#: Rows of all origins that do.
MOST_WAITING: Final = 4096
#: Rows of all origins of which none was had: at most, and beyond which each has no more than the files that it may have
#: under way by then, and as many again.
MOST_UNHAD: Final = 3 * MOST_WAITING // 4
MANY_UNHAD: Final = MOST_WAITING // 4
FIRST_DEPTH: Final = 2 * FIRST_FILES
#: Rows of an origin that stands still count as one in so many of those that the list is read ahead.
STILL_ROWS: Final = 10
#: Origins of which rows are taken at once.
_AT_ONCE: Final = MOST_WAITING // DEPTH


class Track:
    """One origin's rows: how many are in the manifest and not taken yet, how many are taken and not ended, and up to
    which turn they were taken. `origin` is known once one was. When only `low` are left of those taken, more are.
    `gives`: a row of it was had. `is_still`: none ended between the last two looks, nor since; `has_ended`: one did
    since the last."""

    __slots__ = ("gives", "has_ended", "is_still", "low", "origin", "pending", "taken", "turn")

    def __init__(self, turn: int) -> None:
        self.gives = self.has_ended = self.is_still = False
        self.origin: Origin | None = None
        self.low = 0
        self.pending = 0
        self.taken = 0
        self.turn = turn


class Tracks:
    """The tracks of a batch, by the numbers that the manifest gives to origins."""

    def __init__(self) -> None:
        self._tracks: dict[int, Track] = {}
        #: Those that have room for more rows, in the order of their turns: of which some were had, and of which none.
        self._wanting: dict[int, None] = {}
        self._new: dict[int, None] = {}
        #: Rows that are in the manifest and not taken yet.
        self.pending = 0
        #: Rows that are taken and have not ended.
        self.in_memory = 0
        #: Those of them whose origins have not given anything.
        self.unhad = 0
        self._still = 0

    @property
    def ahead(self) -> int:
        """Rows that the list is read ahead: those of origins that stand still count for little, or they would hide
        whatever comes after them in the list. They cost no memory, and the bound is only ten times as far away."""
        return self.pending - self._still + self._still // STILL_ROWS

    def look(self) -> None:
        """Now and then: find out which origins stand still."""
        self._still = 0
        for track in self._tracks.values():
            track.is_still = not track.has_ended
            track.has_ended = False
            self._still += track.pending if track.is_still else 0

    def add(self, number: int, count: int, first: int) -> None:
        """`count` rows of an origin more are in the manifest, the first of them with the turn `first`."""
        track = self._tracks.get(number)
        if track is None:
            track = self._tracks[number] = Track(first - 1)
        self._count_pending(track, count)
        self._want(number, track)

    def wanted(self) -> list[tuple[int, int, int]]:
        """(origin, turn, count) to take from the manifest: rows of the origins that have room for more."""
        room = MOST_WAITING - self.in_memory
        wanted = self._wanted_of(self._wanting, self._depth(), room)
        room = min(room - sum(count for *_, count in wanted), MOST_UNHAD - self.unhad)
        many = min(room, MANY_UNHAD - self.unhad)
        return wanted + (self._wanted_of(self._new, DEPTH, many) or self._wanted_of(self._new, FIRST_DEPTH, room))

    def _wanted_of(self, line: dict[int, None], depth: int, room: int) -> list[tuple[int, int, int]]:
        wanted: list[tuple[int, int, int]] = []
        for number in list(islice(line, _AT_ONCE)) if line and room > 0 else ():
            track = self._tracks[number]
            count = min(depth - track.taken, track.pending, room)
            if room <= 0:
                break
            if count <= 0:
                del line[number]
                continue
            wanted.append((number, track.turn, count))
            room -= count
        return wanted

    def _want(self, number: int, track: Track) -> None:
        (self._wanting if track.gives else self._new)[number] = None

    def take(self, number: int, turns: Sequence[int]) -> Track:
        """Rows with these turns were taken."""
        track = self._tracks[number]
        count = len(turns)
        self._count_pending(track, -count)
        track.taken += count
        self.in_memory += count
        if not track.gives:
            self.unhad += count
        self._wanting.pop(number, None)
        self._new.pop(number, None)
        if turns:
            track.turn = turns[-1]
            track.low = (self._depth() if track.gives else FIRST_DEPTH) // 2
        return track

    def end(self, number: int, *, was_had: bool) -> None:
        """A row that was taken has ended; `was_had`: its origin gave what it was asked for."""
        track = self._tracks[number]
        if was_had and not track.gives:
            track.gives = True
            track.low = track.taken  # now there may be more at once
            self.unhad -= track.taken
            self._new.pop(number, None)
        elif not track.gives:
            self.unhad -= 1
        track.has_ended = True
        if track.is_still:
            track.is_still = False
            self._still -= track.pending
        track.taken -= 1
        self.in_memory -= 1
        if track.pending:
            if track.taken <= track.low:
                self._want(number, track)
        elif not track.taken:
            del self._tracks[number]

    def _count_pending(self, track: Track, change: int) -> None:
        track.pending += change
        self.pending += change
        if track.is_still:
            self._still += change

    def _depth(self) -> int:
        return min(MOST_DEPTH, max(DEPTH, MOST_WAITING // (2 * len(self._tracks) or 1)))
