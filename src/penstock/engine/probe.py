"""The first request, whose body is the first data: follow redirects, survive failures, hold the body back.

The head comes at once, but the disk is not ready for the bytes yet; the transfer is held until a lane takes it over.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

from penstock.core.answer import Answer, Broken, Refusal, read_answer
from penstock.core.redirects import Follow, Refused, follow
from penstock.core.retry import Cause, Failure, status_line
from penstock.core.urls import redact
from penstock.engine.context import Context
from penstock.engine.patience import Patience, TransferFailed
from penstock.errors import ProtocolError, Reason, ServerRefused
from penstock.model import Head
from penstock.net.configure import Exchange
from penstock.net.tasks import Promise
from penstock.net.transfer import Transfer, Verdict

#: Unusable answers to range requests after which the source is read as one stream.
MAX_REJECTS: Final = 3
#: Seconds that a redirect's own body may take to its end, which keeps the connection usable.
_DRAIN_SECONDS: Final = 2.0


class Opening:
    """Follows a transfer up to its head; keeps how it ended if it ends before somebody takes it over."""

    def __init__(self, context: Context) -> None:
        self.answered: Promise[Head] = Promise(context.loop.soon)
        self.ended = False
        self.failure: Failure | None = None

    def late(self) -> None:
        """The time for an answer is over."""
        self.answered.fail(TransferFailed(Failure(Cause.STALLED, "no answer in time")))

    def on_head(self, transfer: Transfer, head: Head) -> Verdict:
        """Hold a body that may be data; read past any other."""
        self.answered.set(head)
        return Verdict.HOLD if head.status in {200, 206} else Verdict.DRAIN

    def on_body(self, transfer: Transfer, block: bytes) -> bool:
        """Never called while held."""
        return False

    def on_end(self, transfer: Transfer, failure: Failure | None) -> None:
        """The transfer ended by itself: without a body, or broken."""
        self.ended = True
        self.failure = failure
        self.answered.fail(TransferFailed(failure or Failure(Cause.CUT, "no answer")))


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


async def open_following(context: Context, exchange: Exchange) -> Opened:
    """Make a request and follow its redirects; raises TransferFailed, or ServerRefused for a bad redirect."""
    hops = 0
    while True:
        opening = Opening(context)
        transfer = Transfer(context.loop, exchange, opening)
        watch = context.loop.call_later(context.options.connect_timeout + context.options.stall_timeout, opening.late)
        try:
            head = await opening.answered
        except BaseException:
            transfer.stop()
            raise
        finally:
            watch.cancel()
        step = follow(
            exchange.url,
            head,
            hops,
            max_redirects=context.options.max_redirects,
            allow_downgrade=context.options.allow_downgrade,
        )
        if isinstance(step, Refused):
            transfer.stop()
            message = f"{redact(exchange.url)}: {step.why}"
            raise ServerRefused(message, url=context.shown_url, reason=Reason.REDIRECT, status=head.status)
        if not isinstance(step, Follow):
            return Opened(transfer, opening, head, exchange.url)
        context.loop.call_later(_DRAIN_SECONDS, transfer.stop)
        hops += 1
        exchange = replace(exchange, url=step.url)


async def probe(
    context: Context, patience: Patience, *, range_header: str | None, if_range: str | None
) -> tuple[Opened, Answer]:
    """Ask the source until it answers with something usable; the answer is never a Refusal or Broken.

    `range_header` None asks for the whole. Raises DownloadError.
    """
    rejects = 0
    while True:
        exchange = Exchange(
            context.url, context.url, context.options, range=range_header, if_range=if_range, decode=True
        )
        try:
            opened = await open_following(context, exchange)
        except TransferFailed as failed:
            await context.sleep(patience.next_wait(failed.failure))
            continue
        answer = read_answer(opened.head, time.time())
        if not isinstance(answer, Refusal | Broken):
            patience.contacted = True
            return opened, answer
        opened.drop()
        if isinstance(answer, Refusal):
            failure = Failure(
                Cause.STATUS, status_line(answer.status), status=answer.status, retry_after=answer.retry_after
            )
            await context.sleep(patience.next_wait(failure))
            continue
        if range_header is None:
            raise ProtocolError(f"{context.shown_url}: unusable answer: {answer.why}", url=context.shown_url)
        rejects += 1
        if answer.no_ranges or rejects >= MAX_REJECTS:
            context.warn(f"{answer.why}: reading it as one stream")
            range_header = if_range = None
