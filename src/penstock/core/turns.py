"""Whose turn it is: origins take turns, whatever their number of files waiting.

A ring of origins that have something waiting and are not known to be held back. Knows nothing of files, sockets or
clocks. Invariant: an origin is in the ring at most once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Turns(Generic[K]):
    """Round robin over keys."""

    def __init__(self) -> None:
        self._ring: deque[K] = deque()
        self._inside: set[K] = set()

    def __len__(self) -> int:
        return len(self._ring)

    def join(self, key: K) -> None:
        """Give `key` turns from now on, after the others."""
        if key not in self._inside:
            self._inside.add(key)
            self._ring.append(key)

    def return_to(self, keys: Sequence[K]) -> None:
        """Give turns again to `keys`, whose turn it was: before the others, the first of them first."""
        for key in reversed(keys):
            if key not in self._inside:
                self._inside.add(key)
                self._ring.appendleft(key)

    def leave(self, key: K) -> None:
        """No more turns for `key`."""
        if key in self._inside:
            self._inside.discard(key)
            self._ring.remove(key)

    def next(self, ready: Callable[[K], bool]) -> K | None:
        """The key whose turn it is, or None; keys that are not `ready` leave, to join again when they are."""
        while self._ring:
            key = self._ring.popleft()
            if ready(key):
                self._ring.append(key)
                return key
            self._inside.discard(key)
        return None
