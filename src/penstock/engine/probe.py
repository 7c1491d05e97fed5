"""The first request, whose body is the first data: follow redirects, survive failures, hold the body back.

The head comes at once, but the disk is not ready for the bytes yet; the transfer is held until a lane takes it over.
A small body may be collected in memory instead, and then needs no part file of its own making.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from penstock.core.addresses import is_public_url
from penstock.core.answer import Answer, Broken, Refusal, read_answer
from penstock.core.redirects import Follow, Refused, follow
from penstock.core.retry import Cause, Failure, status_line
from penstock.core.urls import redact
from penstock.engine.context import Context
from penstock.engine.opening import Opening
from penstock.engine.patience import Patience, TransferFailed
from penstock.engine.purse import Purse
from penstock.errors import ProtocolError, Reason, ServerRefused
from penstock.model import Head
from penstock.net.configure import Exchange
from penstock.net.tasks import Promise
from penstock.net.transfer import Transfer, Verdict

#: Unusable answers to range requests after which the source is read as one stream.
MAX_REJECTS: Final = 3
#: Seconds between a redirect and its use, for want of a place where it leads, from which on its link may have run out.
LINK_SECONDS: Final = 10.0
#: Statuses that such a link gives.
EXPIRED: Final = frozenset({401, 403, 404, 410})
#: Seconds that a redirect's own body may take to its end, which keeps the connection usable.
_DRAIN_SECONDS: Final = 2.0


@dataclass(slots=True)
class Opened:
    """A transfer whose head is known and whose body waits."""

    transfer: Transfer
    opening: Opening
    head: Head
    #: Where redirects led.
    url: str

    def drop(self) -> None:
        """It is not wanted: break it off."""
        self.transfer.stop()
        self.opening.forget()


async def open_following(
    context: Context, exchange: Exchange, purse: Purse | None = None, first: Opened | None = None
) -> Opened:
    """Make a request and follow its redirects; raises TransferFailed, or ServerRefused for a bad redirect.

    With a `purse` a small body is collected on the way. `first` is the first answer, when it is there already. A link
    that ran out while its turn had not come is asked for once more, and then it does not wait behind others again.
    """
    hops, source = 0, exchange
    context.hurries = False
    while True:
        asked = context.now
        try:
            opened = first or await _open(context, exchange, purse)
        except TransferFailed as failed:
            if hops and failed.failure.cause is Cause.PRIVATE:  # not the source's own address: S18
                raise _leads_inside(exchange.url, context) from None
            raise
        first = None
        has_waited = hops and opened.transfer.opened - asked >= LINK_SECONDS
        if has_waited and not context.hurries and opened.head.status in EXPIRED:
            opened.drop()
            context.answered(opened.url)
            context.hurries = True
            hops, exchange = 0, source
            continue
        step = follow(
            exchange.url,
            opened.head,
            hops,
            max_redirects=context.options.max_redirects,
            allow_downgrade=context.options.allow_downgrade,
        )
        if isinstance(step, Refused):
            opened.drop()
            message = f"{redact(exchange.url)}: {step.why}"
            raise ServerRefused(message, url=context.shown_url, reason=Reason.REDIRECT, status=opened.head.status)
        if not isinstance(step, Follow):
            return opened
        if context.options.public_only and not is_public_url(step.url):  # a proxy would go there for us
            opened.drop()
            raise _leads_inside(step.url, context)
        context.answered(exchange.url)
        if not opened.opening.ended:
            _Leftover(context, opened)
        hops += 1
        exchange = replace(exchange, url=step.url)


class _Leftover:
    """The rest of a redirect's body on its way: until it has come, the connection counts beside the download's own."""

    def __init__(self, context: Context, opened: Opened) -> None:
        self._context = context
        self._host = context.host_of(opened.url)
        self._transfer = opened.transfer
        self._is_over = False
        context.hosts.take_extra(self._host, 1)
        opened.transfer.follower = self
        context.loop.call_later(_DRAIN_SECONDS, self._break_off)

    def on_head(self, transfer: Transfer, head: Head) -> Verdict:
        """Never called: the head is known."""
        return Verdict.DRAIN

    def on_body(self, transfer: Transfer, block: bytes) -> bool:
        """Never called: nobody wants it."""
        return False

    def on_end(self, transfer: Transfer, failure: Failure | None) -> None:
        """It is over."""
        if not self._is_over:
            self._is_over = True
            self._context.hosts.take_extra(self._host, -1)
            self._context.queue.free(self._host)

    def _break_off(self) -> None:
        self._transfer.stop()
        self.on_end(self._transfer, None)


def _leads_inside(url: str, context: Context) -> ServerRefused:
    message = f"{redact(url)}: a redirect to a private address; --allow-private follows it"
    return ServerRefused(message, url=context.shown_url, reason=Reason.REDIRECT)


async def _open(context: Context, exchange: Exchange, purse: Purse | None) -> Opened:
    """Make one request; raises TransferFailed."""
    await context.permission(exchange.url)
    answered: Promise[None] = Promise(context.loop.soon)
    opening = Opening(context.now, context.options, purse, partial(answered.set, None))
    transfer = Transfer(context.loop, exchange, opening)
    transfer.download = context.number
    context.watch(partial(opening.look, transfer), partial(getattr, opening, "received"))
    try:
        await answered
        if opening.head is None:
            raise TransferFailed(opening.failure or Failure(Cause.CUT, "no answer"))
    except BaseException as error:
        transfer.stop()
        opening.forget()
        if isinstance(error, TransferFailed):
            context.failed(error.failure, exchange.url)
        raise
    finally:
        context.watch(None)
    return Opened(transfer, opening, opening.head, exchange.url)


async def probe(
    context: Context,
    patience: Patience,
    *,
    range_header: str | None,
    if_range: str | None,
    purse: Purse | None = None,
    first: Opened | None = None,
) -> tuple[Opened, Answer]:
    """Ask the source until it answers with something usable; the answer is never a Refusal or Broken.

    `range_header` None asks for the whole; with a `purse` a small body is collected; `first` is the first answer, when
    it is there already. Raises DownloadError.
    """
    rejects = 0
    while True:
        exchange = Exchange(
            context.url,
            context.url,
            context.options,
            range=range_header,
            if_range=if_range,
            decode=True,
            may_share=True,  # most of many are small: each on a connection of its own would cost a handshake
        )
        try:
            if first is not None:
                first.transfer.download = context.number
            opened, first = await open_following(context, exchange, purse, first), None
        except TransferFailed as failed:
            await context.rest(patience.next_wait(failed.failure))
            continue
        answer = read_answer(opened.head, time.time())
        if not isinstance(answer, Refusal | Broken):
            patience.contacted = True
            context.answered(opened.url)
            return opened, answer
        opened.drop()
        if isinstance(answer, Refusal):
            failure = Failure(
                Cause.STATUS, status_line(answer.status), status=answer.status, retry_after=answer.retry_after
            )
            context.failed(failure, opened.url)
            await context.rest(patience.next_wait(failure))
            continue
        if range_header is None:
            message = f"{context.shown_url}: unusable answer: {answer.why}; the server or a proxy is at fault"
            raise ProtocolError(f"{message}, try again later", url=context.shown_url)
        rejects += 1
        if answer.no_ranges or rejects >= MAX_REJECTS:
            context.warn(f"{answer.why}: reading it as one stream")
            range_header = if_range = None
