"""What a download knows of its file and counts on the way, and what is told of that: to listeners, the journal and the
caller."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from penstock.core.ranges import RangeSet
from penstock.core.resume import Record
from penstock.core.urls import identity, redact
from penstock.engine.context import Context
from penstock.engine.fetch import Fetch
from penstock.engine.place import Skipped
from penstock.events import Probed, Resumed
from penstock.model import Digest, Representation, Result


class Account:
    """Of one download, over all its beginnings. Counts are bytes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        #: What the server says it is serving.
        self.known = Representation()
        #: Bytes that came in this run.
        self.fetched = 0
        #: Bytes that an earlier run left, and that count.
        self.resumed = 0
        #: Most connections at once.
        self.most_lanes = 0

    def came_at_once(self, size: int) -> None:
        """All of it came with one answer."""
        self.fetched += size
        self.most_lanes = 1

    def came_by(self, fetch: Fetch) -> None:
        """So much came by a fetch that is over."""
        self.fetched += fetch.received
        self.most_lanes = max(self.most_lanes, fetch.most_lanes)

    def record(self, done: RangeSet) -> Record:
        """What the journal says of the file when these bytes are there."""
        known = self.known
        return Record(
            source=identity(self._context.url),
            length=known.length,
            validator=known.validator,
            etag=known.etag,
            last_modified=known.last_modified,
            done=tuple((piece.start, piece.stop) for piece in done),
        )

    def report_answer(self, url: str, done: RangeSet, path: Path, *, ranged: bool) -> None:
        """Tell of the answer that came from `url`, and of the bytes that are `done` already."""
        context, known = self._context, self.known
        context.emit(
            Probed(
                download=context.number,
                at=context.now,
                final_url=redact(url),
                path=str(path),
                length=known.length,
                accepts_ranges=ranged,
                validator=known.validator,
            )
        )
        self.resumed = done.size
        if done:
            context.emit(Resumed(download=context.number, at=context.now, kept=done.size))
        if known.encoded:
            context.warn("the server sends it compressed though asked not to: decoding it as one stream")
        elif not ranged and known.length is None:
            context.warn("the server does not say the size: one stream, and its end cannot be checked")

    def result(self, path: Path, size: int, url: str, digest: Digest | None, sha256: Digest | None = None) -> Result:
        """The file is at `path`; `digest` was expected of it, `sha256` computed besides."""
        context, known = self._context, self.known
        return Result(
            path=path,
            size=size,
            url=context.shown_url,
            final_url=redact(url),
            digest=digest,
            digest_source=None if digest is None else "server" if context.request.checksum is None else "request",
            sha256=sha256,
            validator=known.validator,
            media_type=known.media_type,
            elapsed=context.now - context.started,
            fetched=self.fetched,
            resumed=self.resumed,
            connections=self.most_lanes,
        )

    def skipped(self, skipped: Skipped) -> Result:
        """The file was there."""
        return replace(self.result(skipped.path, skipped.size, self._context.url, None), skipped=True)
