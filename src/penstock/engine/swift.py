"""The first request for one of many files, on the bet that it is small and nothing is out of the ordinary.

Then a handful of calls is all it takes: request, body in memory, file. Whatever else happens is handed over, the
answer with it, to a `Download`, which knows what to do: nothing is asked for twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from penstock.core.answer import Partial, Whole, read_answer
from penstock.core.headers import http_date
from penstock.core.retry import Cause, Failure
from penstock.core.wanted import unwanted
from penstock.engine.context import Surroundings
from penstock.engine.opening import Opening
from penstock.engine.probe import Opened
from penstock.model import IfExists, Representation, Request, Result
from penstock.net.configure import Exchange
from penstock.net.transfer import Transfer
from penstock.store.deliver import Delivered, Outcome, Parcel


class Swift:
    """One request. `on_arrived` is called when nothing more is wanted of the network; `on_end` gets the result, or what
    a `Download` is to begin with, once."""

    __slots__ = ("_began", "_known", "_on_arrived", "_on_end", "_request", "_shared", "opening", "transfer")

    def __init__(
        self,
        request: Request,
        shared: Surroundings,
        on_arrived: Callable[[], None],
        on_end: Callable[[Result | Opened | Failure], None],
    ) -> None:
        url, options = request.sources[0].url, request.options
        self._request = request
        self._shared = shared
        self._on_arrived = on_arrived
        self._on_end = on_end
        self._began = now = shared.loop.now()
        self.opening = Opening(now, options, shared.purse, self._on_answer)
        exchange = Exchange(url, url, options, range="bytes=0-", decode=True, may_share=True)
        self.transfer = Transfer(shared.loop, exchange, self.opening, is_small=True)
        self._known: Representation | None = None

    def stop(self) -> None:
        """Break it off; `on_end` will not be called, unless the file is on its way to its place."""
        if self._known is None:
            self._on_end = _nobody
            self.transfer.stop()
            self.opening.forget()

    @property
    def is_stoppable(self) -> bool:
        """False while the file is on its way to its place."""
        return self._known is None

    def look(self, now: float) -> None:
        """A few times a second."""
        self.opening.look(self.transfer, now)

    def _on_answer(self) -> None:
        # from a libcurl callback, where libcurl must not be called
        self._shared.loop.soon(self._answered)

    def _answered(self) -> None:
        opening, request = self.opening, self._request
        if opening.head is None:
            self.transfer.stop()
            opening.forget()
            self._on_end(opening.failure or Failure(Cause.CUT, "no answer"))
            return
        known = self._whole()
        if known is None or not self._is_plain(known):
            self._hand_over()
            return
        self._known = known
        options = request.options
        parcel = Parcel(
            request.directory,
            str(request.output),
            opening.blocks,
            opening.received,
            http_date(known.last_modified) if options.remote_time else None,
            False,
            (),
            request.sha256,
        )
        self._shared.deliveries.put(parcel, self._delivered)
        self._on_arrived()

    def _whole(self) -> Representation | None:
        """What came, when all of it is in memory."""
        opening = self.opening
        assert opening.head is not None
        if not opening.complete:
            return None
        answer = read_answer(opening.head, time.time())
        if isinstance(answer, Partial):
            whole = answer.range.start == 0 and answer.range.stop == opening.received == answer.representation.length
            return answer.representation if whole else None
        if isinstance(answer, Whole) and answer.representation.length == opening.received:
            return answer.representation
        return None

    def _is_plain(self, known: Representation) -> bool:
        """True when there is nothing to check and nothing to say."""
        request = self._request
        limit = request.options.max_size
        if unwanted(known, request.options) is not None:
            return False
        if known.digests or request.checksum is not None or known.encoded:
            return False
        return (limit is None or self.opening.received <= limit) and request.size in {None, self.opening.received}

    def _delivered(self, outcome: Outcome) -> None:
        known = self._known
        if not isinstance(outcome, Delivered) or known is None:
            self._known = None
            self._hand_over()
            return
        size = self.opening.received
        self.opening.forget()
        url = self._request.sources[0].url
        self._on_end(
            Result(
                path=outcome.path,
                size=size,
                url=url,
                final_url=url,
                sha256=outcome.sha256,
                validator=known.validator,
                media_type=known.media_type,
                mtime_ns=outcome.mtime_ns,
                elapsed=self._shared.loop.now() - self._began,
                fetched=size,
                connections=1,
            )
        )

    def _hand_over(self) -> None:
        assert self.opening.head is not None
        self._on_end(Opened(self.transfer, self.opening, self.opening.head, self.transfer.exchange.url))


def may_try(request: Request) -> bool:
    """True for a request that may be made this way: one plain source, and a target by name in its directory."""
    if len(request.sources) > 1 or "@" in request.sources[0].url or request.output is None:
        return False
    return request.options.if_exists in {IfExists.ERROR, IfExists.SKIP}


def _nobody(_end: Result | Opened | Failure) -> None:
    """For what ends after it was stopped."""
