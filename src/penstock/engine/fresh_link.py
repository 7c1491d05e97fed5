"""Where redirects led for one download, and a fresh link from the source when that one runs out (F28)."""

from __future__ import annotations

from collections.abc import Callable

from penstock.core.retry import Cause, Failure
from penstock.engine.context import Context
from penstock.engine.patience import Patience, TransferFailed
from penstock.engine.probe import open_following
from penstock.net.configure import Exchange
from penstock.net.tasks import Task


class Link:
    """The `url` that is asked; `on_fresh(error)` hears when there is another one, or why there is none."""

    def __init__(
        self, context: Context, patience: Patience, url: str, on_fresh: Callable[[BaseException | None], None]
    ) -> None:
        self.url = url
        #: True from the failure that showed it until a fresh link is there.
        self.ran_out = False
        self._context = context
        self._patience = patience
        self._on_fresh = on_fresh
        self._task: Task | None = None
        self._asked_at = -1

    def is_old(self, url: str) -> bool:
        """A fresh link is being asked for, or came while `url` was on its way."""
        return self.ran_out or url != self.url

    def expire(self, done: int) -> bool:
        """It gave an error that a link gives that ran out, with `done` bytes there; False: then it is an error. Once
        for each time that bytes came: a fresh link that fails at once is an answer too."""
        if self.url == self._context.url or self.ran_out or done == self._asked_at:
            return False
        self.ran_out = True
        self._asked_at = done
        return True

    def renew(self) -> None:
        """Ask the source for a fresh one, unless that is being done; no connection needs the old one's place."""
        if self._task is None:
            self._task = Task(self._ask_source(), self._answered)
            self._task.start()

    def stop(self) -> None:
        """It is not wanted any more."""
        if self._task is not None:
            self._task.throw(GeneratorExit())

    async def _ask_source(self) -> str:
        context = self._context
        exchange = Exchange(context.url, context.url, context.options, range="bytes=0-0")
        while True:
            try:
                opened = await open_following(context, exchange)
            except TransferFailed as failed:
                await context.rest(self._patience.next_wait(failed.failure))
                continue
            opened.drop()
            if opened.head.status in {200, 206}:
                return opened.url
            failure = Failure(Cause.STATUS, f"HTTP {opened.head.status}", status=opened.head.status)
            await context.rest(self._patience.next_wait(failure))

    def _answered(self, url: str | None, error: BaseException | None) -> None:
        self._task = None
        self.ran_out = False
        if url is not None:
            self.url = url
        self._on_fresh(error)
