"""Fetch one representation over as many connections as the origin has earned.

Decides nothing about bytes by itself: core/segments.py says who fetches what, core/ramp.py how many connections,
core/retry.py what is worth another try. This room opens and closes lanes accordingly, on the loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from penstock.core.laggards import Laggards
from penstock.core.ramp import Ramp
from penstock.core.refusals import Refusals
from penstock.core.retry import Cause, Failure
from penstock.core.segments import Assignment, Segments
from penstock.engine.context import LEND_SECONDS, Context
from penstock.engine.fits import too_large
from penstock.engine.fresh_link import Link
from penstock.engine.gauge import Gauge
from penstock.engine.lane import End, Lane, SegmentLane, StreamLane
from penstock.engine.measures import Measures
from penstock.engine.patience import Patience
from penstock.engine.pipe import Pipe
from penstock.engine.probe import EXPIRED, MAX_REJECTS, Opened
from penstock.errors import DownloadError
from penstock.events import Raced, Stolen
from penstock.model import Representation
from penstock.net.configure import Exchange
from penstock.net.tasks import Promise
from penstock.net.transfer import Transfer

#: Seconds between looks at rates, stalls and the ramp.
TICK_SECONDS: Final = 0.025
#: Seconds that a connection is given to answer before it counts as not let in.
_ANSWER_SECONDS: Final = 1.0
#: At or below this many bytes left, others join only when the first connection turns out to need them.
_SMALL_BYTES: Final = 1024 * 1024


class RepresentationMoved(Exception):
    """The bytes so far cannot be gone on from; `why` in words.

    The file on the server became another one; or (`failure`) a stream broke that cannot be joined on to.
    """

    def __init__(self, why: str, failure: Failure | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.failure = failure


class Fetch:
    """One representation being fetched into one pipe. `run` returns when every byte was handed to the pipe."""

    def __init__(
        self,
        context: Context,
        known: Representation,
        *,
        url: str,
        segments: Segments,
        pipe: Pipe,
        patience: Patience,
        ranged: bool,
        on_tick: Callable[[float], None],
    ) -> None:
        self.context = context
        self.known = known
        self.segments = segments
        self.pipe = pipe
        #: Bytes received, waste included.
        self.received = 0
        #: Most connections at one time.
        self.most_lanes = 0
        self._link = Link(context, patience, url, self._renewed)
        self._patience = patience
        self._ranged = ranged
        self._on_tick = on_tick
        self._ramp = Ramp(context.options.max_connections)
        self._laggards = Laggards()
        self._lanes: set[Lane] = set()
        self._gauge = Gauge(context, segments.done_bytes)
        self._not_before = 0.0
        self._rejects = 0
        self._measures = Measures()
        self._host = context.host_of(url)
        #: Its turn at the origin, while it waits for one.
        self._turn: Promise[None] | None = None
        self._refusals = Refusals()
        self._over = False
        self._ended: Promise[None] = Promise(context.loop.soon)

    async def run(self, opened: Opened | None, answer_stop: int | None) -> None:
        """Fetch what is missing, beginning with an opened transfer whose answer ends at `answer_stop` (None: a whole
        stream). Raises RepresentationMoved or DownloadError.
        """
        if opened is not None:
            self._adopt(opened, answer_stop)
        timer = self.context.loop.call_later(TICK_SECONDS, self._tick_again)
        try:
            self._settle()
            await self._ended
            self._gauge.tell_all(self.context.now, self.segments.done_bytes, len(self._lanes))
        finally:
            timer.cancel()
            self._close()

    # Lanes

    def _adopt(self, opened: Opened, answer_stop: int | None) -> None:
        lane: SegmentLane | StreamLane
        if answer_stop is None:
            lane = StreamLane(self, self.context.now, self.context.options.max_size)
            lane.adopt(self.known.length)
        else:
            free = next(iter(self.segments.free))
            lane = SegmentLane(self, self.context.now, self.segments.lease(*free))
            lane.adopt(min(answer_stop, free.stop))
            lane.answer_stop = answer_stop
        lane.transfer = opened.transfer
        self._measures.first_answer(opened.transfer)
        self._ramp.on_first_answer(self._measures.setup)
        self._enter(lane)
        opened.transfer.follower = lane
        more = all(lane.on_body(opened.transfer, block) for block in opened.opening.blocks)
        opened.opening.forget()
        if opened.opening.ended:
            lane.on_end(opened.transfer, opened.opening.failure)
        elif more:
            opened.transfer.resume()
        else:
            self._drop(lane, End.CUT)

    def _open(self, assignment: Assignment) -> None:
        lease = assignment.lease
        self._announce(assignment)
        lane = SegmentLane(self, self.context.now, lease)
        validator = self.known.validator
        exchange = Exchange(
            self._link.url,
            self.context.url,
            self.context.options,
            range=lease.range.to_header(),
            if_range=validator.value if validator is not None else None,
        )
        lane.transfer = Transfer(self.context.loop, exchange, lane)
        self._enter(lane)

    def _open_stream(self) -> None:
        lane = StreamLane(self, self.context.now, self.context.options.max_size)
        exchange = Exchange(self._link.url, self.context.url, self.context.options, decode=True)
        lane.transfer = Transfer(self.context.loop, exchange, lane)
        self._enter(lane)

    def _enter(self, lane: Lane) -> None:
        if lane.transfer is not None:
            lane.transfer.download = self.context.number
        if self._lanes:
            self.context.hosts.take_extra(self._host, 1)
        self._lanes.add(lane)
        self.most_lanes = max(self.most_lanes, len(self._lanes))
        self.pipe.share(len(self._lanes))

    def _leave(self, lane: Lane, end: End, why: str | None = None) -> bool:
        """Forget a lane, count its bytes, free what it did not bring; False when it had left already."""
        if lane not in self._lanes:
            return False
        self._lanes.discard(lane)
        self._note(lane, end, why)
        if self._lanes:
            self.context.hosts.take_extra(self._host, -1)
            self.context.queue.free(self._host)
        if lane.transfer is not None:
            self.received += lane.transfer.received
            if lane.transfer.broken_off and lane.accepted:
                self._refusals.on_closed(self.context.now)
        self._measures.left(lane)
        if isinstance(lane, SegmentLane):
            self.pipe.flush(lane.lease.segment.id)
            self.segments.release(lane.lease)
        return True

    def _note(self, lane: Lane, end: End, why: str | None) -> None:
        """Tell the trace what becomes of a lane's bytes; what was told first stands."""
        transfer = lane.transfer
        if transfer is not None and transfer.ending is None and self.context.trace is not None:
            transfer.ending = lane.ending(end, why)

    def _drop(self, lane: Lane, end: End) -> None:
        """Break a lane off: its connection is closed."""
        if lane.transfer is not None:
            lane.transfer.stop()
        self._leave(lane, end)

    def _announce(self, assignment: Assignment) -> None:
        if assignment.victim is None:
            return
        start, stop = assignment.lease.range
        number, now, victim, thief = self.context.number, self.context.now, assignment.victim, assignment.lease
        if assignment.race:
            self.context.emit(Raced(download=number, at=now, segment=victim.segment.id, start=start, stop=stop))
        else:
            self.context.emit(Stolen(download=number, at=now, victim=victim.id, thief=thief.id, start=start, stop=stop))

    # What lanes report

    def changed(self, why: str) -> None:
        """A lane's answer is of another representation."""
        self._end(RepresentationMoved(why))

    def goes_on(self, lane: SegmentLane) -> bool:
        """A steal that came to nothing leaves free what its victim's answer still brings: a request less, and a
        connection that lives on."""
        return not self._over and self.segments.extend(lane.lease, lane.answer_stop, len(self._lanes))

    def segment_completed(self, lane: Lane) -> None:
        """A segment's last byte came; a rival that still fetches it is let go after this callback."""
        assert isinstance(lane, SegmentLane)
        segment = lane.lease.segment
        if len(segment.leases) > 1:
            self.context.loop.soon(self._release_rivals, lane)

    def _release_rivals(self, winner: SegmentLane) -> None:
        for lane in list(self._lanes):
            if lane is not winner and isinstance(lane, SegmentLane) and lane.lease.segment is winner.lease.segment:
                self._drop(lane, End.LOST)
        self._settle()

    def lane_ended(self, lane: Lane, failure: Failure | None) -> None:
        """A lane's transfer is over: as it should (None), or not."""
        end = End.FAILED if failure is not None else End.CUT if lane.is_broken_off else End.WHOLE
        why = None if failure is None else failure.message
        self._note(lane, end, why)
        if self._over or not self._leave(lane, end, why):
            return
        self._patience.arrived(self.segments.done_bytes)
        if lane.accepted:
            self._patience.contacted = True
            self._refusals.on_accepted()
            self.context.answered(self._link.url)
        if isinstance(lane, StreamLane) and failure is None:
            self._stream_ended(lane)
        elif failure is not None:
            self._failed(lane, failure)
        self._settle(lane.meter.rate if failure is None else 0.0)

    def _stream_ended(self, lane: StreamLane) -> None:
        if lane.too_large:
            self._end(too_large(self.context))
        elif self.segments.length is None:
            self.segments.close_at(lane.position)
        elif not self.segments.finished:
            self._failed(lane, Failure(Cause.CUT, "the body ended early"))

    def _failed(self, lane: Lane, failure: Failure) -> None:
        if lane.rejected:
            self._rejects += 1
            if (lane.lost_ranges or self._rejects >= MAX_REJECTS) and self._ranged:
                self._ranged = False
                self.context.warn(f"{failure.message}: going on as one stream")
                return
        if isinstance(lane, StreamLane) and self.segments.length is None and lane.position:
            # nothing proves where a second stream would have to be joined on
            why = f"{failure.message}, and a stream of unknown size cannot be continued"
            self._end(RepresentationMoved(why, failure))
            return
        working = sum(other.accepted for other in self._lanes)
        was_answered = lane.accepted or lane.rejected
        if working and not lane.flowing and self._refusals.is_one(failure, was_answered=was_answered):
            self._turned_away(failure, working)
            return
        self.context.failed(failure, self._link.url)
        try:
            if failure.status in EXPIRED and (self._is_old(lane) or self._link.expire(self.segments.done_bytes)):
                return
            self._wait(self._patience.next_wait(failure, lane.opened))
        except DownloadError as error:
            self._end(error)

    def _turned_away(self, failure: Failure, working: int) -> None:
        hold = self._refusals.take(failure, self.context.now, working)
        if self._refusals.pending and self.context.trace is not None:
            self.context.trace.decided("refused", self.context.number, why=failure.message)
        if hold is not None and hold.everything:
            self._wait(hold.seconds)
        elif hold is not None:
            self.context.loop.call_later(hold.seconds, self._settle)

    def _count_working(self, now: float) -> None:
        """After a refusal: how many were let in? Not to be said before the others that knocked have their answer."""
        if any(not lane.accepted and now - lane.opened < _ANSWER_SECONDS for lane in self._lanes):
            return
        self._refusals.pending = False
        self._ramp.on_refused(now, working=sum(lane.accepted for lane in self._lanes))

    def _wait(self, seconds: float) -> None:
        now, trace = self.context.now, self.context.trace
        if trace is not None and not self._lanes:
            trace.waited("retry", self.context.number, now, now + seconds, str(self._host.origin))
        self._not_before = max(self._not_before, now + seconds)
        self.context.loop.call_later(seconds, self._settle)

    def _is_old(self, lane: Lane) -> bool:
        return lane.transfer is not None and self._link.is_old(lane.transfer.url)

    def _renewed(self, error: BaseException | None) -> None:
        """There is a fresh link, or there is none."""
        if self._over:
            return
        if error is not None:
            self._end(error)
            return
        self._host = self.context.host_of(self._link.url)
        self._settle()

    # Sharing out

    def _settle(self, rate: float = 0.0) -> None:
        """After any change: end if everything is there, else give idle connections work."""
        if self._over:
            return
        if self.segments.finished:
            self._end(None)
            return
        if self.pipe.error is not None:
            self._end(self.pipe.error)
            return
        if self._link.ran_out:
            if not self._lanes:
                self._link.renew()
        elif self.context.now >= self._not_before:
            self._fill(rate)
        elif not self._lanes and self._not_before - self.context.now >= LEND_SECONDS:
            self.context.lend()

    def _fill(self, rate: float) -> None:
        if self._ranged and self._refusals.pending:
            return
        is_first = not self._lanes
        if is_first and not self._has_turn():
            return
        if not self._ranged:
            if is_first:
                self._open_stream()
            return
        limit = self._refusals.allowed(self._ramp.limit, self.context.now)
        allowed = min(limit, max(1, len(self._lanes) + self.context.queue.spare_connections(self._host)))
        if self.most_lanes == 1 and allowed > 1 and not self.segments.has_free:
            self._share_out(allowed)
        while len(self._lanes) < allowed:
            if not is_first and not self._may_ask():
                return
            measured = rate or self._measures.rate
            share = allowed if measured else allowed - len(self._lanes)
            assignment = self.segments.assign(
                share=share,
                rate=measured or 1.0,
                setup=self._measures.setup,
                least_setup=self._measures.least_setup,
            )
            if assignment is None:
                return
            if not is_first:
                self._host.politeness.on_request(self.context.now)
            is_first = False
            self._open(assignment)

    def _has_turn(self) -> bool:
        """True when the first connection may be made: the file has its place at the origin, and the request counts as
        made. Else this is looked at again when its turn has come."""
        try:
            if self._turn is None:
                self._turn = self.context.turn_at(self._host)
                if self._turn is None:
                    return True
                self._turn.on_settled(self._settle)
            if not self._turn.settled:
                return False
            turn, self._turn = self._turn, None
            turn.result()
        except DownloadError as error:
            self._end(error)
            return False
        return True

    def _may_ask(self) -> bool:
        """True when the origin may be asked for more now; else this is looked at again when it may."""
        delay = self._host.politeness.delay(self.context.now)
        if delay > 0:
            self._wait(delay)
        return delay <= 0

    def _share_out(self, share: int) -> None:
        """The first lane holds everything and others join: equal parts."""
        lane = next(iter(self._lanes), None)
        if not isinstance(lane, SegmentLane):
            return
        remaining = lane.lease.segment.remaining
        rate, setup = self._measures.rate, self._measures.setup
        if remaining <= _SMALL_BYTES and (not rate or remaining / rate < 2 * setup):
            return
        self.segments.share_out(lane.lease, share)

    # The clock

    def _tick_again(self) -> None:
        if self._over:
            return
        try:
            self._tick(self.context.now)
        except Exception as error:
            self._end(error)
        if not self._over:
            self.context.loop.call_later(TICK_SECONDS, self._tick_again)

    def _tick(self, now: float) -> None:
        self._measures.take(self._lanes, now, paused=self.context.loop.gate.closed)
        self._replace_dead(now)
        flowing = sum(lane.flowing and not self._measures.is_silent(lane, now) for lane in self._lanes)
        opening = sum(not lane.flowing for lane in self._lanes)
        live = sum(lane.transfer.received for lane in self._lanes if lane.transfer is not None)
        length = self.segments.length
        left = None if length is None else length - self.segments.done_bytes
        self._ramp.on_tick(now, flowing=flowing, opening=opening, received=self.received + live, left=left)
        if self._refusals.pending:
            self._count_working(now)
        self._shed()
        done = self.segments.done_bytes
        self._patience.arrived(done)
        self._on_tick(now)
        self._gauge.tell(now, done, length, len(self._lanes))
        transfers = (lane.transfer for lane in self._lanes if lane.transfer is not None)
        self._gauge.record(now, transfers, self._ramp, flowing=flowing, opening=opening)
        self._settle()

    def _replace_dead(self, now: float) -> None:
        for lane in list(self._lanes):
            if lane.meter.silent_for(now) > self._silence_allowed(lane):
                self._drop(lane, End.SILENT)
                self._failed(lane, Failure(Cause.STALLED, "the connection went silent"))
            elif isinstance(lane, SegmentLane) and lane.lease.segment.complete:
                self._drop(lane, End.WHOLE)  # it has all it needs, and its server keeps it hanging
        lanes = {lane.lease.id: lane for lane in self._lanes if isinstance(lane, SegmentLane)}
        rates = {key: lane.lease.rate for key, lane in lanes.items() if lane.lease.rate is not None}
        silent = {key: lane.meter.silent_for(now) for key, lane in lanes.items() if self._measures.is_silent(lane, now)}
        for key in self._laggards.judge(now, rates, silent):
            self._drop(lanes[key], End.SILENT if key in silent else End.SLOW)

    def _silence_allowed(self, lane: Lane) -> float:
        options = self.context.options
        return options.stall_timeout if lane.accepted else options.connect_timeout + options.stall_timeout

    def _shed(self) -> None:
        """The ramp fell back: let the connections go that have brought least."""
        surplus = len(self._lanes) - self._ramp.limit
        if surplus > 0 and self._ranged:
            for lane in sorted(self._lanes, key=lambda lane: lane.meter.rate)[:surplus]:
                self._drop(lane, End.SURPLUS)

    # The end

    def _end(self, error: BaseException | None) -> None:
        if self._over:
            return
        self._over = True
        if error is None:
            self._ended.set(None)
        else:
            self._ended.fail(error)

    def _close(self) -> None:
        self._over = True
        for lane in list(self._lanes):
            self._drop(lane, End.STOPPED)
        self._link.stop()
        self.pipe.flush_all()
