"""Check the bytes against every digest that somebody vouches for, hashing along while they arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from penstock.core.digests import is_weak
from penstock.engine.context import Context
from penstock.events import Verified
from penstock.model import Digest, Representation
from penstock.store.hashing import TrailingHash
from penstock.store.part import PartFile

#: A turn of hashing is not worth a job for less than this many new bytes.
_LEAST_TURN: Final = 4 * 1024 * 1024


class Mismatch(Exception):
    """The bytes have `got` where `source` expected `expected`; they are `kept` under another name."""

    def __init__(self, expected: Digest, got: Digest, source: str, kept: Path | None = None) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got
        self.source = source
        self.kept = kept


def expected_digests(context: Context, known: Representation) -> list[tuple[str, Digest]]:
    """The digests to check, each with who expects it: the request's, and the strongest that the server sent."""
    expected = []
    if context.request.checksum is not None:
        expected.append(("request", context.request.checksum))
    if known.digests:
        expected.append(("server", known.digests[0]))
    return expected


def announce(context: Context, known: Representation) -> Digest | None:
    """Say that the bytes have every digest that was expected; the first of them, None when there was none."""
    expected = expected_digests(context, known)
    for source, digest in expected:
        if is_weak(digest) and source == "request":
            context.warn(f"{digest.algorithm} agrees, but it no longer proves much; prefer sha-256")
        context.emit(Verified(download=context.number, at=context.now, digest=digest, source=source))
    return expected[0][1] if expected else None


class Verifier:
    """The digests to check for one part file: the request's, and the strongest the server sent."""

    def __init__(self, context: Context, part: PartFile, known: Representation) -> None:
        self._context = context
        self._part = part
        self._known = known
        self._expected = expected_digests(context, known)
        algorithms = {digest.algorithm for _, digest in self._expected}
        if context.request.sha256:
            algorithms.add("sha256")
        self._is_wanted = bool(algorithms)
        self._hash = TrailingHash(part, algorithms)
        #: The file's SHA-256, if the request wants it, once `finish` has returned.
        self.sha256: Digest | None = None
        self._busy = False
        self._is_ending = False

    def tick(self) -> None:
        """Hash on, if enough of the prefix is new."""
        if not self._is_wanted or self._busy:
            return
        prefix = self._part.prefix()
        if prefix - self._hash.position < _LEAST_TURN:
            return
        self._busy = True
        self._context.workers.submit(lambda: self._hash.advance(prefix), self._advanced)

    def _advanced(self, _position: int | None, error: BaseException | None) -> None:
        self._busy = False  # an error will come again, and be raised, at the end
        if error is None and not self._is_ending:
            self.tick()

    async def finish(self, length: int) -> Digest | None:
        """Hash the rest and compare; the digest that was asked for (or the server's), None when there is none.

        Raises Mismatch, OSError.
        """
        if not self._is_wanted:
            return None
        self._is_ending = True
        while self._busy:
            await self._context.sleep(0.001)
        while self._hash.position < length:
            await self._context.disk(lambda: self._hash.advance(length))
        if self._context.request.sha256:
            self.sha256 = self._hash.digest("sha256")
        for source, expected in self._expected:
            got = self._hash.digest(expected.algorithm)
            if got.value != expected.value:
                raise Mismatch(expected, got, source)
        return announce(self._context, self._known)
