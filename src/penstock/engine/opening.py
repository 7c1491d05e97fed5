"""Follow a transfer up to its head, and collect its body if it is a small one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from penstock.core.retry import Cause, Failure
from penstock.engine.purse import Purse
from penstock.model import Head, Options
from penstock.net.transfer import Transfer, Verdict

#: Seconds after the head that a small body may take to be collected; a slower one goes to the disk as it comes.
COLLECT_SECONDS: Final = 1.0


class Opening:
    """Follows a transfer up to its head; keeps how it ended if it ends before somebody takes it over.

    With a `purse` it keeps a small body in memory, and has its answer only when that is complete, too large after
    all, or slow. `on_answer` is called once, perhaps from a libcurl callback: with `head` set, or with `failure`.
    """

    __slots__ = ("_connect_timeout", "_on_answer", "_opened", "_purse", "_room", "_stall_timeout", "answered", "blocks",
                 "ended", "failure", "head", "received")  # fmt: skip

    def __init__(self, opened: float, options: Options, purse: Purse | None, on_answer: Callable[[], None]) -> None:
        self._purse = purse
        self._connect_timeout = options.connect_timeout
        self._stall_timeout = options.stall_timeout
        self._on_answer = on_answer
        self.begin(opened)

    def again(self, opened: float) -> None:
        """Follow the next transfer, made at `opened`."""
        if self.answered:
            self.begin(opened)
        else:  # nothing was heard of the last one
            self._opened = opened

    def begin(self, opened: float) -> None:
        """Follow a new transfer, made at `opened`."""
        self.answered = False
        self.head: Head | None = None
        self.ended = False
        self.failure: Failure | None = None
        #: What was collected of the body, in order.
        self.blocks: list[bytes] = []
        self.received = 0
        self._room = 0
        self._opened = opened

    @property
    def complete(self) -> bool:
        """True when the whole body was collected."""
        return self._room > 0 and self.ended and self.failure is None

    def look(self, transfer: Transfer, now: float) -> None:
        """Called a few times a second: give up what does not answer, and collect nothing slowly."""
        if self.answered:
            return
        if transfer.head is None:
            if self._is_silent(transfer, now - self._opened):
                self.failure = Failure(Cause.STALLED, "no answer in time")
                self._answer(None)
        elif now - self._opened - (transfer.setup or 0.0) > COLLECT_SECONDS:
            self._stop_collecting(transfer)

    def _is_silent(self, transfer: Transfer, age: float) -> bool:
        if age <= self._stall_timeout:
            return False
        asked = transfer.asked
        return age > (self._connect_timeout if asked is None else asked) + self._stall_timeout

    def forget(self) -> None:
        """What was collected is not held any more."""
        if self._purse is not None and self._room:
            self._purse.give_back(self._room)
            self._room = 0
        self.blocks = []

    def on_head(self, transfer: Transfer, head: Head) -> Verdict:
        """Collect a small body, hold any other that may be data, and read past the rest."""
        if head.status not in {200, 206}:
            self._answer(head)
            return Verdict.DRAIN
        if self._purse is not None:
            self._room = self._purse.take(head)
        if self._room:
            return Verdict.TAKE
        self._answer(head)
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
        self._answer(transfer.head if failure is None or self.received else None)

    def _stop_collecting(self, transfer: Transfer) -> None:
        transfer.hold()
        self._answer(transfer.head)

    def _answer(self, head: Head | None) -> None:
        if not self.answered:
            self.answered = True
            self.head = head
            self._on_answer()
