"""Hash a file that is still arriving, along its finished prefix: the verified end costs almost nothing more."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from penstock.model import Digest
from penstock.store.part import PartFile

_BLOCK: Final = 1024 * 1024
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
#: One job hashes at most this much, so that other jobs on the same threads get their turn.
_TURN_BYTES: Final = 64 * _BLOCK


class TrailingHash:
    """Several hashes over one part file's prefix. Used by one job at a time."""

    def __init__(self, part: PartFile, algorithms: set[str]) -> None:
        self._part = part
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self.position = 0

    def advance(self, stop: int) -> int:
        """Hash on towards byte `stop`, one turn at the most; returns the bytes hashed so far. Raises OSError."""
        turn = min(stop, self.position + _TURN_BYTES)
        while self.position < turn:
            block = self._part.read(self.position, min(_BLOCK, turn - self.position))
            if not block:
                raise OSError(5, "the part file is shorter than what was written to it")
            for running in self._hashes.values():
                running.update(block)
            self.position += len(block)
        return self.position

    def digest(self, algorithm: str) -> Digest:
        """The digest of everything hashed."""
        return Digest(algorithm, self._hashes[algorithm].digest())


class Stopped(Exception):
    """The digest is not wanted any more."""


def hash_file(path: Path, algorithm: str, is_stopped: Callable[[], bool] = lambda: False) -> str:
    """The digest of a whole file, as ``sha256:HEX``; links are not followed. Raises OSError, ValueError for an
    algorithm that is none, and Stopped once `is_stopped`."""
    if algorithm.startswith("shake"):
        raise ValueError(f"{algorithm} has no fixed length")
    running = hashlib.new(algorithm, usedforsecurity=False)
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a pipe or a device may never end
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        while block := file.read(_BLOCK):
            running.update(block)
            if is_stopped():
                raise Stopped
    return str(Digest(algorithm, running.digest()))
