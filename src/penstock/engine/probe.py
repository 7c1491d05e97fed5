"""The first request, whose body is the first data: follow redirects, survive failures, hold the body back.

The head comes at once, but the disk is not ready for the bytes yet; the transfer is held until a lane takes it over.
A small body may be collected in memory instead, and then needs no part file of its own making.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from penstock.core.answer import Answer, Broken, Refusal, read_answer
from penstock.core.redirects import Follow, Refused, follow
from penstock.core.retry import Cause, Failure, status_line
from penstock.core.urls import redact
from penstock.engine.context import Context
from penstock.engine.patience import Patience, TransferFailed
from penstock.engine.purse import Purse
from penstock.errors import ProtocolError, Reason, ServerRefused
from penstock.model import Head
from penstock.net.configure import Exchange
from penstock.net.tasks import Promise
from penstock.net.transfer import Transfer, Verdict

#: Unusable answers to range requests after which the source is read as one stream.
MAX_REJECTS: Final = 3
#: Seconds that a redirect's own body may take to its end, which keeps the connection usable.
_DRAIN_SECONDS: Final = 2.0
#: Seconds after the head that a small body may take to be collected; a slower one goes to the disk as it comes.
COLLECT_SECONDS: Final = 1.0


class Opening:
    """Follows a transfer up to its head; keeps how it ended if it ends before somebody takes it over.

    With a `purse` it keeps a small body in memory, and has its answer only when that is complete, too large after
    all, or slow.
    """

    def __init__(self, context: Context, purse: Purse | None = None) -> None:
        self.answered: Promise[Head] = Promise(context.loop.soon)
        self.ended = False
        self.failure: Failure | None = None
        #: What was collected of the body, in order.
        self.blocks: list[bytes] = []
        self.received = 0
        self._purse = purse
        self._room = 0
        self._opened = context.now
        self._patience = context.options.connect_timeout + context.options.stall_timeout

    @property
    def complete(self) -> bool:
        """True when the whole body was collected."""
        return self._room > 0 and self.ended and self.failure is None

    def look(self, transfer: Transfer, now: float) -> None:
        """Called a few times a second: give up what does not answer, and collect nothing slowly."""
        if self.answered.settled:
            return
        if transfer.head is None:
            if now - self._opened > self._patience:
                self.late()
        elif now - self._opened - (transfer.setup or 0.0) > COLLECT_SECONDS:
            self._stop_collecting(transfer)

    def late(self) -> None:
        """The time for an answer is over."""
        self.answered.fail(TransferFailed(Failure(Cause.STALLED, "no answer in time")))

    def forget(self) -> None:
        """What was collected is not held any more."""
        if self._purse is not None and self._room:
            self._purse.give_back(self._room)
            self._room = 0

    def on_head(self, transfer: Transfer, head: Head) -> Verdict:
        """Collect a small body, hold any other that may be data, and read past the rest."""
        if head.status not in {200, 206}:
            self.answered.set(head)
            return Verdict.DRAIN
        if self._purse is not None:
            self._room = self._purse.take(head)
        if self._room:
            return Verdict.TAKE
        self.answered.set(head)
        return Verdict.HOLD

    def on_body(self, transfer: Transfer, block: bytes) -> bool:
        """Collect; past the room that was taken, hold the rest back."""
        self.blocks.append(block)
        self.received += len(block)
        if self.received > self._room:
            self._stop_collecting(transfer)
        return True

    def on_end(self, transfer: Transfer, failure: Failure | None) -> None:
        """The transfer ended by itself: complete, without a body, or broken."""
        self.ended = True
        self.failure = failure
        if transfer.head is not None and (failure is None or self.received):
            self.answered.set(transfer.head)
        else:
            self.answered.fail(TransferFailed(failure or Failure(Cause.CUT, "no answer")))

    def _stop_collecting(self, transfer: Transfer) -> None:
        assert transfer.head is not None
        transfer.hold()
        self.answered.set(transfer.head)


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


async def open_following(context: Context, exchange: Exchange, purse: Purse | None = None) -> Opened:
    """Make a request and follow its redirects; raises TransferFailed, or ServerRefused for a bad redirect.

    With a `purse` a small body is collected on the way.
    """
    hops = 0
    while True:
        await context.permission()
        opening = Opening(context, purse)
        transfer = Transfer(context.loop, exchange, opening)
        context.watch(partial(opening.look, transfer), partial(getattr, opening, "received"))
        try:
            head = await opening.answered
        except BaseException as error:
            transfer.stop()
            opening.forget()
            if isinstance(error, TransferFailed):
                context.failed(error.failure)
            raise
        finally:
            context.watch(None)
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
    context: Context,
    patience: Patience,
    *,
    range_header: str | None,
    if_range: str | None,
    purse: Purse | None = None,
) -> tuple[Opened, Answer]:
    """Ask the source until it answers with something usable; the answer is never a Refusal or Broken.

    `range_header` None asks for the whole; with a `purse` a small body is collected. Raises DownloadError.
    """
    rejects = 0
    while True:
        exchange = Exchange(
            context.url, context.url, context.options, range=range_header, if_range=if_range, decode=True
        )
        try:
            opened = await open_following(context, exchange, purse)
        except TransferFailed as failed:
            await context.sleep(patience.next_wait(failed.failure))
            continue
        answer = read_answer(opened.head, time.time())
        if not isinstance(answer, Refusal | Broken):
            patience.contacted = True
            context.answered()
            return opened, answer
        opened.drop()
        if isinstance(answer, Refusal):
            failure = Failure(
                Cause.STATUS, status_line(answer.status), status=answer.status, retry_after=answer.retry_after
            )
            context.failed(failure)
            await context.sleep(patience.next_wait(failure))
            continue
        if range_header is None:
            raise ProtocolError(f"{context.shown_url}: unusable answer: {answer.why}", url=context.shown_url)
        rejects += 1
        if answer.no_ranges or rejects >= MAX_REJECTS:
            context.warn(f"{answer.why}: reading it as one stream")
            range_header = if_range = None
