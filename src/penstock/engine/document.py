"""Read a document into memory: a web page, or a robots.txt."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from penstock.core.headers import media_type, retry_after
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
#: Between two looks at whether there is an answer.
_LOOK_SECONDS: Final = 0.25


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
    """The document at the context's URL, cut after `max_size` bytes; raises DownloadError. Of one whose media type is
    not accepted the content is not read."""
    patience = Patience(context)
    watch = Watch(context)
    try:
        while True:
            try:
                return await _read_once(context, max_size)
            except TransferFailed as failed:
                await context.sleep(patience.next_wait(failed.failure))
    finally:
        watch.stop()


class Watch:
    """Looks at a reader a few times a second, as the runner looks at downloads: who is silent is given up."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._timer = context.loop.call_later(_LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._context.loop.call_later(_LOOK_SECONDS, self._look)
        self._context.look(self._context.now)


async def _read_once(context: Context, max_size: int) -> Document:
    exchange = Exchange(context.url, context.url, context.options, decode=True, may_share=True)
    opened = await open_following(context, exchange)
    try:
        if opened.head.status != 200:
            status, again = opened.head.status, retry_after(opened.head.get("retry-after"), time.time())
            failure = Failure(Cause.STATUS, status_line(status), status=status, retry_after=again)
            context.failed(failure, opened.url)
            raise TransferFailed(failure)
        context.answered(opened.url)
        field = opened.head.get("content-type")
        kind = media_type(field)
        is_wanted = kind is None or not context.options.accept_types or kind in context.options.accept_types
        content = await _body(context, opened, max_size) if is_wanted else b""
    finally:
        opened.drop()
    charset = _CHARSET.search(field or "")
    return Document(
        url=redact(opened.url),
        content=content[:max_size],
        media_type=kind,
        charset=charset[1] if charset else None,
    )


async def _body(context: Context, opened: Opened, max_size: int) -> bytes:
    if opened.opening.ended:
        if opened.opening.failure is not None:  # broken right behind the head: not the same as empty
            raise TransferFailed(opened.opening.failure)
        return b""
    ended: Promise[Failure | None] = Promise(context.loop.soon)
    rest = _Rest(max_size, ended.set)
    opened.transfer.follower = rest
    opened.transfer.resume()
    watch = context.loop.call_later(
        10 * context.options.stall_timeout,
        lambda: ended.set(Failure(Cause.STALLED, "it took too long")),
    )
    try:
        failure = await ended
    finally:
        watch.cancel()
    if failure is not None:
        raise TransferFailed(failure)
    return b"".join(rest.blocks)
