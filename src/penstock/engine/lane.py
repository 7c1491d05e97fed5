"""One connection at work: a transfer filling a lease, or reading the whole stream past what is already there."""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING, Protocol

from penstock.core.answer import Accept, Changed, Reject, Turned, Whole, difference, judge_segment, read_answer
from penstock.core.rates import RateMeter
from penstock.core.retry import Cause, Failure, status_line
from penstock.core.segments import Lease
from penstock.net.transfer import Ending, Transfer, Verdict

if TYPE_CHECKING:
    from penstock.core.segments import Segments
    from penstock.engine.pipe import Pipe
    from penstock.model import Head, Representation

#: Key of the whole stream's gather in the pipe; segments have positive numbers.
_STREAM = 0


class End(enum.Enum):
    """How a lane ended, in the words of a trace."""

    #: As it should.
    WHOLE = "whole"
    #: Its tail was given to another, and it came to its new end.
    CUT = "cut"
    #: The other one won the race.
    LOST = "lost"
    #: Far slower than its fellows: replaced.
    SLOW = "slow"
    #: It brought nothing: replaced.
    SILENT = "silent"
    #: Fewer connections are allowed now.
    SURPLUS = "surplus"
    #: The download ended, or was stopped.
    STOPPED = "stopped"
    FAILED = "failed"


class Owner(Protocol):
    """Who runs the lanes."""

    segments: Segments
    pipe: Pipe
    known: Representation

    def lane_ended(self, lane: Lane, failure: Failure | None) -> None:
        """A lane's transfer is over."""

    def changed(self, why: str) -> None:
        """The representation is another one now."""

    def goes_on(self, lane: SegmentLane) -> bool:
        """The last byte of a lane's segment arrived, and its answer has more: is that wanted of it too?"""

    def segment_completed(self, lane: Lane) -> None:
        """The last byte of a lane's segment arrived."""


class Lane:
    """What a lane of either kind has: a transfer, a meter, and how its answer was judged."""

    def __init__(self, owner: Owner, now: float) -> None:
        self.owner = owner
        self.opened = now
        self.meter = RateMeter(now)
        self.transfer: Transfer | None = None
        #: True once its answer was found good.
        self.accepted = False
        #: Why its answer was found bad.
        self.failure: Failure | None = None
        #: True when its answer shows that asking for ranges is no use.
        self.lost_ranges = False
        #: True for an answer that counts against the source.
        self.rejected = False

    @property
    def flowing(self) -> bool:
        """True once it has brought a byte."""
        return self.transfer is not None and self.transfer.received > 0

    @property
    def is_broken_off(self) -> bool:
        """True when we ended its transfer before the server did."""
        return self.transfer is not None and self.transfer.broken_off

    def ending(self, end: End, why: str | None) -> Ending:
        """What became of its bytes, for a trace."""
        raise NotImplementedError

    def refuse(self, failure: Failure) -> Verdict:
        """Remember why the answer is no good."""
        self.failure = failure
        return Verdict.ABORT

    def on_end(self, transfer: Transfer, failure: Failure | None) -> None:
        """The transfer is over (from the transfer)."""
        self.owner.lane_ended(self, self.failure or failure or self.missing())

    def missing(self) -> Failure | None:
        """What is wrong with a transfer that ended well by itself: nothing, or bytes that were promised."""
        raise NotImplementedError


class SegmentLane(Lane):
    """Fills a lease with a range request's answer."""

    def __init__(self, owner: Owner, now: float, lease: Lease) -> None:
        super().__init__(owner, now)
        self.lease = lease
        #: Where the server's answer ends.
        self.answer_stop = lease.segment.stop

    def adopt(self, stop: int) -> None:
        """Take over an answer that was judged elsewhere and ends at `stop`."""
        self.accepted = True
        self.answer_stop = stop
        self.owner.segments.shorten(self.lease, stop)

    def on_head(self, transfer: Transfer, head: Head) -> Verdict:
        """Judge the answer (RFC 9110 §15.3.7): its bytes are used only if they are what was asked for."""
        answer = read_answer(head, time.time())
        match judge_segment(answer, self.lease.range, self.owner.known):
            case Accept(stop):
                self.adopt(stop)
                return Verdict.TAKE
            case Turned(refusal):
                status = refusal.status
                return self.refuse(
                    Failure(Cause.STATUS, status_line(status), status=status, retry_after=refusal.retry_after)
                )
            case Reject(why, no_ranges):
                self.rejected = True
                self.lost_ranges = no_ranges
                return self.refuse(Failure(Cause.BAD_RESPONSE, why))
            case Changed(why):
                self.owner.changed(why)
                return self.refuse(Failure(Cause.BAD_RESPONSE, why))

    def on_body(self, transfer: Transfer, block: bytes) -> bool:
        """Write what is new of the block; False once the segment needs no more of this answer."""
        lease = self.lease
        segment = lease.segment
        while True:
            offset, skip, size = self.owner.segments.received(lease, len(block))
            if size:
                self.owner.pipe.put(segment.id, offset, block, skip, size)
            if segment.frontier < segment.stop:
                return True
            past = lease.position - segment.stop
            if past < 0 or segment.stop >= self.answer_stop or not self.owner.goes_on(self):
                break
            if not past:
                return True
            block = block[len(block) - past :]
        self.owner.segment_completed(self)
        # an answer that ends just here is left to end by itself: its connection lives on
        return lease.position == self.answer_stop

    def ending(self, end: End, why: str | None) -> Ending:
        """It filled its lease from the beginning."""
        lease = self.lease
        stop = max(lease.start, min(lease.position, lease.segment.stop))
        return Ending(end.value, lease.segment.id, lease.start, stop, why)

    def missing(self) -> Failure | None:
        """Bytes below the answer's own end that did not come."""
        if not self.accepted or self.lease.segment.complete or self.lease.position >= self.answer_stop:
            return None
        return Failure(Cause.CUT, "the body ended early")


class StreamLane(Lane):
    """Reads the whole representation from byte zero, writing only what is not there yet."""

    def __init__(self, owner: Owner, now: float, max_size: int | None) -> None:
        super().__init__(owner, now)
        self.position = 0
        self.length: int | None = None
        self._max_size = max_size
        self.too_large = False

    def adopt(self, length: int | None) -> None:
        """Take over an answer of `length` bytes that was judged elsewhere."""
        self.accepted = True
        self.length = length

    def on_head(self, transfer: Transfer, head: Head) -> Verdict:
        """Only a 200 of the same representation will do."""
        answer = read_answer(head, time.time())
        if not isinstance(answer, Whole):
            return self.refuse(Failure(Cause.STATUS, status_line(head.status), status=head.status))
        why = difference(self.owner.known, answer.representation)
        if why is not None:
            self.owner.changed(why)
            return self.refuse(Failure(Cause.BAD_RESPONSE, why))
        self.adopt(answer.representation.length)
        return Verdict.TAKE

    def on_body(self, transfer: Transfer, block: bytes) -> bool:
        """Write what nobody has; never past the said length."""
        size = len(block)
        if self.length is not None:
            size = min(size, self.length - self.position)
        if self._max_size is not None and self.position + size > self._max_size:
            self.too_large = True
            return False
        for piece in self.owner.segments.absorb(self.position, size):
            self.owner.pipe.put(_STREAM, piece.offset, block, piece.skip, piece.size)
        self.position += size
        return self.length is None or self.position < self.length or size == len(block)

    def ending(self, end: End, why: str | None) -> Ending:
        """It read from the file's first byte."""
        return Ending(end.value, _STREAM, 0, self.position, why)

    def missing(self) -> Failure | None:
        """Bytes below the said length that did not come."""
        if self.length is None or self.position >= self.length or self.too_large:
            return None
        return Failure(Cause.CUT, "the body ended early")
