"""Memory for the bodies of small files, shared by all downloads: it is bounded, however many are under way."""

from __future__ import annotations

from typing import Final

from penstock.core.headers import content_length
from penstock.model import Head

#: A body of at most this many bytes may be collected in memory.
SMALL_BYTES: Final = 1024 * 1024
#: Room taken for a body whose length is not said, bytes.
UNSAID_BYTES: Final = 128 * 1024
#: Bytes that all collected bodies may hold together, until they are on the disk.
PURSE_BYTES: Final = 24 * 1024 * 1024


class Purse:
    """What is left of the memory for small bodies. Belongs to the loop's thread."""

    def __init__(self, size: int = PURSE_BYTES) -> None:
        self._left = size

    def take(self, head: Head) -> int:
        """Bytes of room taken for the body that `head` announces; 0 when it is too large, or there is no room."""
        length = None if head.get("content-encoding") else content_length(head.all("content-length"))
        wanted = UNSAID_BYTES if length is None else max(1, length)
        if wanted > SMALL_BYTES or wanted > self._left:
            return 0
        self._left -= wanted
        return wanted

    def give_back(self, room: int) -> None:
        """The bytes are written, or dropped."""
        self._left += room
