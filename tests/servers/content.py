"""Made-up files of any size: every byte known, none stored, and a misplaced block changes the digest."""

from __future__ import annotations

import functools
import hashlib
import random

#: A prime number of bytes a little over 1 MiB, so that no power of two ever lines up with a repetition.
_PERIOD = 1_048_583
_TURN = 7_919


@functools.cache
def _base(seed: int) -> bytes:
    return random.Random(seed).randbytes(_PERIOD)


class Content:
    """`size` bytes, the same for the same `seed`. Block k of the base pattern is rotated by k times a prime."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size = size
        self.seed = seed

    def read(self, start: int, stop: int) -> bytes:
        """Bytes ``[start, stop)``, cut at the end of the file."""
        stop = min(stop, self.size)
        base = _base(self.seed)
        pieces = []
        while start < stop:
            block, within = divmod(start, _PERIOD)
            at = (within + block * _TURN) % _PERIOD
            take = min(stop - start, _PERIOD - within, _PERIOD - at)
            pieces.append(base[at : at + take])
            start += take
        return b"".join(pieces)

    @functools.cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the whole."""
        return _digest(self.size, self.seed)


@functools.cache
def _digest(size: int, seed: int) -> str:
    content, running = Content(size, seed), hashlib.sha256()
    for start in range(0, size, _PERIOD):
        running.update(content.read(start, start + _PERIOD))
    return running.hexdigest()
