"""How many connections an origin has earned.

Theory of operation. More connections help while each brings its own share (a cap per connection), help no
more once something shared is full, and hurt where a server collapses or turns them away. Which of these it is
shows only by trying, so the ramp climbs and looks: it compares the throughput *around its own steps* and
never otherwise, so that a link that slows down by itself does not shrink it.

Climbing is optimistic, because every moment at half the connections costs half the speed: as soon as the
connections opened last flow and the throughput has risen by half of what proportional growth promised, the
next doubling follows, after as little as one tick. Where growth stops showing, or the ceiling is reached, one
long window proves the last step. A step that did not keep its promise starts a search for the top between the
levels already tried, by bisection; past the top lies what is not worth having. Since a single tick can deceive
(in slow start it makes a collapse look like growth), a level that was never compared with a lower one over a
long window is checked once, when it has been held for a while.

    state      what is open                      goes on to
    STARTING   the first few                     GROWING once they flow, HOLDING when they are the ceiling
    GROWING    twice as many as before           GROWING when it paid at once, HOLDING when proven at the
                                                 ceiling, SEARCHING when the proof fails
    SEARCHING  a level between two known ones    SEARCHING, then HOLDING at the best
    HOLDING    the best level known              SEARCHING once, when no lower one was measured; PROBING,
                                                 rarely, or soon when the link became faster
    PROBING    a quarter more than the best      GROWING when it paid, else back to HOLDING

A refusal ends any state: what worked is held, and the level above it is closed for a while that doubles each
time. Knows nothing of sockets or clocks. Invariant: 1 <= limit <= ceiling.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

INITIAL_CONNECTIONS = 4
#: The same for an origin whose first answer took more than QUICK_SETUP: there each step costs two round trips.
FAR_CONNECTIONS = 8

#: A step pays when it brings this share of the gain that proportional growth promised.
PAYS = 0.5
#: A step up that brings less than this part of what was there before is a collapse, taken back at once.
COLLAPSED = 0.88
#: So much worse that three ticks are enough to see it.
CLEARLY_WORSE = 0.82
#: So much worse that the level stays closed for a while.
RUINOUS = 0.7
#: Of levels that bring this part of the most, the highest is the best: the rest is noise, and should the
#: bottleneck go away, more connections are ready to use it.
ALIKE = 0.97
#: A level is worth its connections while each brings at least this part of what it brings at a lower level.
ON_LINE = 0.9

#: Seconds of measuring that prove a level, that condemn a clearly worse one, and keep a held one fresh.
PROOF_SECONDS = 0.5
GLANCE_SECONDS = 0.15
HOLD_SECONDS = 1.0
#: A tick after a longer gap is not compared with the one before: the machine slept, or the thread was busy.
MAX_GAP = 1.0
#: Connections that flow within this many seconds of a step are too near for slow start to matter.
QUICK_SETUP = 0.075
#: Slow start lasts longer than the set-up: so many times, at most MAX_SETTLE seconds, are left out.
SETTLE_SETUPS = 2.0
MAX_SETTLE = 2.0
#: This part of the connections must flow before a rate counts as the level's: one that is stuck stops nobody.
ENOUGH = 0.75
#: Seconds after which a level that is held, but was never compared with a lower one for PROOF_SECONDS, is: a
#: single tick, noisy or in slow start, may have made a collapse look like growth. Late, since it costs speed
#: and reconnects; sooner where the tick was surely in slow start: the very first, or any of a far origin.
CHECK_SECONDS = 10.0
EARLY_CHECK_SECONDS = 2.0
#: Seconds after which connections that stay silent are taken as they are.
PATIENCE = 3.0

#: Seconds between probes of a held level; doubles with each one in vain, up to the last.
PROBE_SECONDS = 10.0
MAX_PROBE_SECONDS = 160.0
#: A held level that brings this much more than it did says that the link changed; then a probe is due at
#: once, but not within MIN_HOLD seconds of the last step.
BECAME_FASTER = 1.15
MIN_HOLD = 2.0
#: With less than this many seconds left no level is searched for or checked any more: what it costs would not come in.
WORTH_SECONDS = 5.0

#: Refusals within this many seconds of the first are one event.
REFUSAL_BURST = 1.0
#: Seconds for which a refused level stays closed, doubling each time; less when nothing worked, because then
#: the origin is in trouble and the count may not be to blame.
REFUSED_SECONDS = 30.0
ALL_REFUSED_SECONDS = 2.0
COLLAPSED_SECONDS = 60.0
MAX_CLOSED_SECONDS = 600.0


class _State(enum.Enum):
    STARTING = enum.auto()
    GROWING = enum.auto()
    SEARCHING = enum.auto()
    HOLDING = enum.auto()
    PROBING = enum.auto()


class _Sample(NamedTuple):
    now: float
    received: int


class _Level(NamedTuple):
    connections: int
    rate: float


class Ramp:
    """Decides how many connections may be open to one origin: at most `ceiling`, `initial` to begin with."""

    def __init__(self, ceiling: int, *, initial: int = INITIAL_CONNECTIONS) -> None:
        if ceiling < 1 or initial < 1:
            raise ValueError("a ramp needs room for at least one connection")
        self._ceiling = ceiling
        self._limit = min(initial, ceiling)
        self._state = _State.STARTING
        self._last: _Sample | None = None
        self._window: _Sample | None = None
        self._moved_at: float | None = None
        self._flowed_at: float | None = None
        self._flowing = 0
        self._flowing_before = 0
        self._setup = 0.0
        self._before = _Level(0, 0.0)
        self._rates: dict[int, float] = {}
        self._checked: int | None = None  # the limit known to be better than a lower one
        self._initial = self._limit
        self._check_wait = EARLY_CHECK_SECONDS
        self._probe_at = 0.0
        self._probe_wait = PROBE_SECONDS
        self._closed_from = ceiling + 1
        self._closed_until = 0.0
        self._refusals = 0
        self._refused_at: float | None = None
        self._gain: float | None = None

    @property
    def limit(self) -> int:
        """How many connections may be open now; 1 <= limit <= ceiling."""
        return self._limit

    @property
    def gain(self) -> float | None:
        """Which part of the growth that the last change of the number promised was there: about 1 where each connection
        brings its own, about 0 where they share. None until two numbers were measured for long enough: a step while it
        grows is judged by a single tick."""
        return self._gain

    def on_first_answer(self, setup: float) -> None:
        """The first answer of the origin took `setup` seconds; call it before the first tick, if at all."""
        if setup > QUICK_SETUP:
            self._limit = self._initial = min(max(FAR_CONNECTIONS, self._limit), self._ceiling)

    def on_tick(self, now: float, *, flowing: int, opening: int, received: int, left: int | None = None) -> None:
        """Look at the throughput; call it about every 50 ms.

        `flowing` connections have delivered a byte and are not paused, `opening` ones are silent so far,
        `received` is the bytes that came from this origin in all (monotone), `left` those still to come, if known.
        """
        last, self._last = self._last, _Sample(now, received)
        self._flowing = flowing
        if self._moved_at is None:
            self._moved_at = now
        if last is None or not 0 < now - last.now <= MAX_GAP:
            self._window = None
            return
        self._trust_what_flows(now)
        if not self._in_position(now, opening):
            self._window = None
            return
        rate = self._measure(now, received, (received - last.received) / (now - last.now))
        match self._state:
            case _State.STARTING:
                self._start(now, rate)
            case _State.GROWING:
                self._grow(now, rate, left)
            case _State.SEARCHING:
                self._search(now, rate, left)
            case _State.HOLDING:
                self._hold(now, rate, left)
            case _State.PROBING:
                self._probe(now, rate)

    def on_refused(self, now: float, *, working: int) -> None:
        """The origin turned a connection away while `working` others were fine (0: it refuses all)."""
        in_burst = self._refused_at is not None and 0 <= now - self._refused_at <= REFUSAL_BURST
        if not in_burst:
            self._refused_at = now
            self._refusals += 1
        self._settle_at(now, min(self._limit, max(1, working)))
        seconds = REFUSED_SECONDS if working else ALL_REFUSED_SECONDS
        self._close(now, self._limit + 1, seconds * 2.0 ** min(self._refusals - 1, 16))
        if not working:
            self._state = _State.STARTING  # nothing is known about the count: climb again once it answers
        self._probe_at = self._closed_until

    # What is seen

    def _trust_what_flows(self, now: float) -> None:
        """Within a burst of refusals, connections that flow after all prove that so many are allowed."""
        in_burst = self._refused_at is not None and now - self._refused_at <= REFUSAL_BURST
        if not in_burst or self._flowing <= self._limit:
            return
        self._settle_at(now, min(self._flowing, self._ceiling))
        self._close(now, self._limit + 1, self._closed_until - now)
        self._probe_at = self._closed_until

    def _in_position(self, now: float, opening: int) -> bool:
        """True when about as many flow as the limit says; else a rate says nothing about the limit."""
        if self._flowing > self._limit:
            return False
        # Until the step's own connections flow, old ones do not count towards it.
        before = self._flowing_before if self._flowed_at is None else 0
        if self._flowing >= before + ENOUGH * (self._limit - before):
            return True
        waited = now - (self._moved_at or 0.0) > PATIENCE
        return waited and 0 < ENOUGH * self._limit <= self._flowing + opening

    def _measure(self, now: float, received: int, tick_rate: float) -> float:
        """The rate of the window so far, or of this tick while the window is not open."""
        if self._flowed_at is None:
            self._flowed_at = now
            self._setup = now - (self._moved_at or 0.0)
        if self._window is None:
            if now - self._flowed_at >= self._settle:
                self._window = _Sample(now, received)
            return tick_rate
        return (received - self._window.received) / (now - self._window.now)

    @property
    def _settle(self) -> float:
        """Seconds to leave out after connections begin to flow, for slow start."""
        return min(MAX_SETTLE, SETTLE_SETUPS * self._setup) if self._setup > QUICK_SETUP else 0.0

    def _measured_for(self, now: float) -> float:
        return 0.0 if self._window is None else now - self._window.now

    # What is done in each state

    def _start(self, now: float, rate: float) -> None:
        if self._limit < self._cap(now):
            self._step_up(now, rate)
        elif self._limit == self._ceiling:
            self._settle_at(now, self._limit)

    def _grow(self, now: float, rate: float, left: int | None) -> None:
        share = self._share(rate)
        if share >= PAYS and self._limit < self._cap(now):
            self._step_up(now, rate)
            return
        if not self._is_judged(now, rate, self._before.rate):
            return
        self._rates = {self._limit: rate}
        if rate < COLLAPSED * self._before.rate:
            self._move(now, self._before.connections, _State.SEARCHING)
        elif not _is_worth_trying(rate, left):
            self._settle_at(now, self._limit)
        elif share >= PAYS:  # good enough for now: a first tick is 20 % off; the check of `_hold` comes later
            in_slow_start = self._before.connections <= self._initial or self._setup > QUICK_SETUP
            self._check_wait = EARLY_CHECK_SECONDS if in_slow_start else CHECK_SECONDS
            self._settle_at(now, self._limit)
        else:
            self._search_on(now)

    def _search(self, now: float, rate: float, left: int | None) -> None:
        best = max(known for level, known in self._rates.items() if level != self._limit)
        if not self._is_judged(now, rate, best):
            return
        self._rates[self._limit] = rate
        low, high = sorted(self._rates)[:2]
        self._gain = _gain(_Level(low, self._rates[low]), _Level(high, self._rates[high]))
        if _is_worth_trying(rate, left):
            self._search_on(now)
        else:
            self._settle_at(now, self._best_level())

    def _hold(self, now: float, rate: float, left: int | None) -> None:
        if self._measured_for(now) < HOLD_SECONDS:
            return
        before = self._rates.get(self._limit, rate)
        self._rates = {self._limit: rate}
        self._window = self._last
        if rate > BECAME_FASTER * before:
            self._probe_wait = PROBE_SECONDS
            self._probe_at = min(self._probe_at, (self._moved_at or now) + MIN_HOLD)
        if not _is_worth_trying(rate, left):
            return
        if self._checked != self._limit:
            if now - (self._moved_at or now) >= self._check_wait:
                self._search_on(now)
            return
        if now >= self._probe_at and self._limit < self._cap(now):
            self._before = _Level(self._limit, rate)
            self._move(now, min(self._cap(now), self._limit + max(1, self._limit // 4)), _State.PROBING)

    def _probe(self, now: float, rate: float) -> None:
        if not self._is_judged(now, rate, self._before.rate):
            return
        self._rates[self._limit] = rate
        self._gain = self._share(rate)
        if self._gain < PAYS:
            self._probe_wait = min(MAX_PROBE_SECONDS, 2 * self._probe_wait)
            self._settle_at(now, self._before.connections)
            return
        self._probe_wait = PROBE_SECONDS
        if self._limit < self._cap(now):
            self._step_up(now, rate)
        else:
            self._settle_at(now, self._limit)

    # Moves

    def _step_up(self, now: float, rate: float) -> None:
        self._before = _Level(self._limit, rate)
        self._move(now, min(2 * self._limit, self._cap(now)), _State.GROWING)

    def _search_on(self, now: float) -> None:
        """Go to the next level worth measuring, or settle at the best."""
        best = self._best_level()
        candidate = self._candidate(best)
        if candidate is None:
            self._settle_at(now, best)
        else:
            self._move(now, candidate, _State.SEARCHING)

    def _best_level(self) -> int:
        enough = ALIKE * max(self._rates.values())
        return max(level for level, rate in self._rates.items() if rate >= enough)

    def _candidate(self, best: int) -> int | None:
        """The middle of the wider gap beside the best level; None when nothing is left to be found there."""
        above = min((level for level in self._rates if level > best), default=None)
        below = max((level for level in self._rates if level < best), default=0)
        close = max(1, best // 8)
        if above is None and not below:  # a quarter less tells a top from a slope, in noise too, and costs little
            return best - max(1, best // 4) if best > 1 else None
        up = above - best if above is not None else 0
        down = best - below
        if below and self._rates[best] / best >= ON_LINE * self._rates[below] / below:
            down = 0
        if max(up, down) <= close:
            return None
        return best + up // 2 if up >= down else best - down // 2

    def _settle_at(self, now: float, limit: int) -> None:
        """Hold `limit`; where more has been seen to collapse, close it for a while."""
        if limit == 1 or any(level < limit for level in self._rates):
            self._checked = limit
        best = self._rates.get(limit)
        if best is not None:
            collapsed = [level for level, rate in self._rates.items() if level > limit and rate < RUINOUS * best]
            if collapsed:
                self._close(now, min(collapsed), COLLAPSED_SECONDS)
            self._rates = {limit: best}
        self._probe_at = now + self._probe_wait
        self._move(now, limit, _State.HOLDING)

    def _move(self, now: float, limit: int, state: _State) -> None:
        self._limit = limit
        self._state = state
        self._moved_at = now
        self._flowed_at = None
        self._flowing_before = min(self._flowing, limit)
        self._window = None

    def _close(self, now: float, level: int, seconds: float) -> None:
        self._closed_from = level
        self._closed_until = now + min(seconds, MAX_CLOSED_SECONDS)

    def _cap(self, now: float) -> int:
        """The highest level that is open now."""
        return self._ceiling if now >= self._closed_until else min(self._ceiling, self._closed_from - 1)

    # Judgements

    def _is_judged(self, now: float, rate: float, best: float) -> bool:
        """True when the level has been measured for long enough to compare it with `best`."""
        measured = self._measured_for(now)
        return measured >= PROOF_SECONDS or (measured >= GLANCE_SECONDS and rate < CLEARLY_WORSE * best)

    def _share(self, rate: float) -> float:
        """Which part of the gain that the step promised has come; 1.0 is proportional growth."""
        return _gain(self._before, _Level(self._limit, rate))


def _gain(low: _Level, high: _Level) -> float:
    if low.rate <= 0:
        return 1.0 if high.rate > 0 else 0.0
    promised = high.connections / low.connections - 1
    return (high.rate / low.rate - 1) / promised


def _is_worth_trying(rate: float, left: int | None) -> bool:
    """False when a download with `left` bytes to come, at `rate`, ends before a try could pay."""
    return left is None or left >= rate * WORTH_SECONDS
