"""Read a document into memory: a web page, or a robots.txt."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from penstock.core.headers import media_type
from penstock.core.retry import Cause, Failure, status_line
from penstock.core.urls import redact
from penstock.engine.context import Context
from penstock.engine.patience import Patience, TransferFailed
from penstock.engine.probe import Opened, open_following
from penstock.model import Document, Head
from penstock.net.configure import Exchange
from penstock.net.tasks import Promise
from penstock.net.transfer import Transfer, Verdict

_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)


class _Rest:
    """Takes a body that was held back, up to `limit` bytes."""

    def __init__(self, limit: int, on_end: Callable[[Failure | None], None]) -> None:
        self.blocks: list[bytes] = []
        self.received = 0
        self._limit = limit
        self._on_end = on_end

    def on_head(self, transfer: Transfer, head: Head) -> Verdict:
        """Never called: the head is known."""
        return Verdict.TAKE

    def on_body(self, transfer: Transfer, block: bytes) -> bool:
        """Take it; at the limit the rest is not wanted."""
        self.blocks.append(block)
        self.received += len(block)
        return self.received < self._limit

    def on_end(self, transfer: Transfer, failure: Failure | None) -> None:
        """It is over."""
        self._on_end(failure)


async def read_document(context: Context, max_size: int) -> Document:
    """The document at the context's URL, cut after `max_size` bytes; raises DownloadError."""
    patience = Patience(context)
    while True:
        try:
            return await _read_once(context, max_size)
        except TransferFailed as failed:
            await context.sleep(patience.next_wait(failed.failure))


async def _read_once(context: Context, max_size: int) -> Document:
    exchange = Exchange(context.url, context.url, context.options, decode=True, may_share=True, notes_address=True)
    opened = await open_following(context, exchange)
    try:
        if opened.head.status != 200:
            failure = Failure(Cause.STATUS, status_line(opened.head.status), status=opened.head.status)
            context.failed(failure)
            raise TransferFailed(failure)
        context.answered()
        content = await _body(context, opened, max_size)
    finally:
        opened.drop()
    field = opened.head.get("content-type")
    charset = _CHARSET.search(field or "")
    return Document(
        url=redact(opened.url),
        content=content[:max_size],
        media_type=media_type(field),
        charset=charset[1] if charset else None,
        address=opened.transfer.address,
    )


async def _body(context: Context, opened: Opened, max_size: int) -> bytes:
    if opened.opening.ended:
        return b""
    ended: Promise[Failure | None] = Promise(context.loop.soon)
    rest = _Rest(max_size, ended.set)
    opened.transfer.follower = rest
    opened.transfer.resume()
    watch = context.loop.call_later(
        context.options.deadline or 10 * context.options.stall_timeout,
        lambda: ended.set(Failure(Cause.STALLED, "it took too long")),
    )
    failure = await ended
    watch.cancel()
    if failure is not None:
        raise TransferFailed(failure)
    return b"".join(rest.blocks)
