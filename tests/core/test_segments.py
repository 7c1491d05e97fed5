"""The ledger of bytes: under any order of events, done, held and free partition the file, and it ends."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from penstock.core.segments import (
    LEASE_BYTES,
    LEASE_SETUPS,
    MIN_STEAL_SECONDS,
    RACE_BYTES,
    Lease,
    Piece,
    Segments,
    share_to_steal,
)

MB = 1_000_000


def partition(segments: Segments, length: int) -> list[tuple[int, int, str]]:
    parts = [(piece.start, piece.stop, "free") for piece in segments.free]
    held = [(segment.frontier, segment.stop, "held") for segment in segments.open if not segment.complete]
    done = [(piece.start, piece.stop, "done") for piece in segments.done()]
    parts = sorted(parts + held + done)
    assert sum(stop - start for start, stop, _ in parts) == length
    assert all(left[1] == right[0] for left, right in itertools.pairwise(parts))
    return parts


class Ledger(RuleBasedStateMachine):
    """Random leases, bytes, cuts, steals, races and deaths, checked against a list of every byte written."""

    @initialize(
        length=st.integers(1, 3 * RACE_BYTES),
        minimum=st.integers(1, RACE_BYTES),
        cuts=st.lists(st.integers(0, 3 * RACE_BYTES), max_size=6),
    )
    def begin(self, length: int, minimum: int, cuts: list[int]) -> None:
        self.length = length
        points = sorted({min(cut, length) for cut in cuts})
        self.kept = list(zip(points[::2], points[1::2], strict=False))
        self.segments = Segments(length, self.kept, min_segment=minimum)
        self.live: list[Lease] = []
        #: Where the next byte of each lease's answer belongs, whatever the ledger thinks.
        self.next: dict[int, int] = {}
        self.writes: list[Piece] = []

    @rule(share=st.integers(1, 9), rate=st.floats(1, 1e9), setup=st.floats(0, 2))
    def an_idle_connection_asks_for_work(self, share: int, rate: float, setup: float) -> None:
        assignment = self.segments.assign(share=share, rate=rate, setup=setup)
        if assignment is None:
            return
        assert assignment.lease.range.size > 0
        self.live.append(assignment.lease)
        self.next[assignment.lease.id] = assignment.lease.position

    @precondition(lambda self: self.live)
    @rule(data=st.data(), size=st.integers(1, RACE_BYTES))
    def bytes_arrive(self, data: st.DataObject, size: int) -> None:
        lease = data.draw(st.sampled_from(self.live))
        if lease.position >= lease.segment.stop and lease.position > lease.segment.frontier:
            return
        begin = self.next[lease.id]
        self.next[lease.id] += size
        piece = self.segments.received(lease, size)
        if piece.size:
            assert 0 <= piece.skip <= size - piece.size
            assert piece.offset == begin + piece.skip, "bytes of another place"
            self.writes.append(piece)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), stop=st.integers(0, 3 * RACE_BYTES), share=st.integers(1, 9))
    def an_answer_goes_on_past_its_segment(self, data: st.DataObject, stop: int, share: int) -> None:
        lease = data.draw(st.sampled_from(self.live))
        end = lease.segment.stop
        was_complete = lease.segment.complete
        if not self.segments.extend(lease, min(stop, self.length), share):
            assert lease.segment.stop == end
            return
        assert was_complete
        assert self.next[lease.id] >= end, "its answer has not come so far"
        self.next[lease.id] = end  # what came past the end is received again
        assert end < lease.segment.stop <= stop
        assert lease.range == (end, lease.segment.stop)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def a_transfer_ends_or_dies(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.live))
        self.live.remove(lease)
        self.segments.release(lease)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), rate=st.one_of(st.none(), st.floats(0, 1e9)))
    def a_rate_is_measured(self, data: st.DataObject, rate: float | None) -> None:
        data.draw(st.sampled_from(self.live)).rate = rate

    @precondition(lambda self: self.live)
    @rule(data=st.data(), stop=st.integers(0, 3 * RACE_BYTES))
    def a_server_sends_less_than_was_asked(self, data: st.DataObject, stop: int) -> None:
        self.segments.shorten(data.draw(st.sampled_from(self.live)), stop)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), share=st.integers(2, 9))
    def others_join(self, data: st.DataObject, share: int) -> None:
        self.segments.share_out(data.draw(st.sampled_from(self.live)), share)

    @rule(offset=st.integers(0, 3 * RACE_BYTES), size=st.integers(1, RACE_BYTES))
    def a_whole_stream_passes_by(self, offset: int, size: int) -> None:
        size = min(size, self.length - offset)
        if size > 0:
            self.writes.extend(self.segments.absorb(offset, size))

    @invariant()
    def done_held_and_free_partition_the_file(self) -> None:
        if hasattr(self, "segments"):
            partition(self.segments, self.length)

    @invariant()
    def every_byte_is_written_once(self) -> None:
        if not hasattr(self, "segments"):
            return
        spans = sorted([(piece.offset, piece.offset + piece.size) for piece in self.writes] + self.kept)
        assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))
        assert sum(stop - start for start, stop in spans) == self.segments.done_bytes

    def teardown(self) -> None:
        """Whatever happened, the rest can be fetched in few steps."""
        if not hasattr(self, "segments"):
            return
        for held in self.live:
            self.segments.release(held)
        for _ in range(200):
            if (lease := self.segments.take(4)) is None:
                break
            piece = self.segments.received(lease, lease.range.size)
            self.writes.append(piece)
            self.segments.release(lease)
        assert self.segments.finished
        self.every_byte_is_written_once()


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@dataclass
class Connection:
    rate: float
    lease: Lease | None = None
    ready_at: float = 0.0
    carry: float = 0.0
    measured: list[int] = field(default_factory=list)


def simulate(length: int, rates: list[float], setup: float, *, dead: set[int] = frozenset()) -> float:  # type: ignore[assignment]
    """Seconds that fixed connections of these rates need for a file; connection numbers in `dead` stay silent."""
    segments = Segments(length, min_segment=256 * 1024)
    connections = [Connection(rate) for rate in rates]
    step, now = 0.01, 0.0
    while not segments.finished:
        assert now < 1000, "it does not end"
        for number, connection in enumerate(connections):
            if connection.lease is None:
                connection.lease = _work(segments, connections, connection, setup)
                connection.ready_at = now + setup
            lease = connection.lease
            if lease is None or now < connection.ready_at:
                continue
            rate = 0.0 if number in dead else connection.rate
            if now - connection.ready_at > 0.1:
                lease.rate = rate
            connection.carry += rate * step
            size = int(connection.carry)
            connection.carry -= size
            if size:
                segments.received(lease, size)
            if lease.segment.complete:
                segments.release(lease)
                connection.lease = None
        now += step
    return now


def _work(segments: Segments, connections: list[Connection], connection: Connection, setup: float) -> Lease | None:
    free = sum(other.lease is None for other in connections)
    known = any(other.lease is not None and other.lease.rate for other in connections)
    assignment = segments.assign(
        share=len(connections) if known else free, rate=connection.rate if known else 1.0, setup=setup
    )
    return assignment.lease if assignment else None


@pytest.mark.parametrize("count", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("setup", [0.0, 0.1])
def test_unequal_connections_end_together(count: int, setup: float) -> None:
    rates = [[4 * MB, 4 * MB, 4 * MB, 0.2 * MB][number % 4] for number in range(count)]
    ideal = 100 * MB / sum(rates)
    assert simulate(100 * MB, rates, setup) <= ideal * 1.05 + 6 * setup + 0.05


def test_a_dead_connection_costs_little() -> None:
    ideal = 100 * MB / (7 * 4 * MB)
    assert simulate(100 * MB, [4 * MB] * 8, 0.01, dead={3}) <= ideal * 1.05 + 0.1


@settings(max_examples=40, deadline=None)
@given(
    rates=st.lists(st.sampled_from([0.05, 0.2, 1.0, 4.0, 10.0]), min_size=1, max_size=12),
    length=st.integers(1, 30 * MB),
    setup=st.sampled_from([0.0, 0.02, 0.2]),
)
def test_any_mix_of_rates_ends_near_the_ideal(rates: list[float], length: int, setup: float) -> None:
    ideal = length / (sum(rates) * MB)
    # the last bytes are raced by whoever comes first, if it is at least twice as fast as their holder
    race = 2 * RACE_BYTES / (max(rates) * MB) + min(length, RACE_BYTES) / (2 * min(rates) * MB)
    assert simulate(length, [rate * MB for rate in rates], setup) <= ideal * 1.25 + 8 * setup + race + 0.6


def test_connections_that_join_get_equal_parts() -> None:
    segments = Segments(40 * MB)
    first = segments.take(1)
    assert first is not None
    segments.share_out(first, 4)
    others = [segments.take(share) for share in (3, 2, 1)]
    sizes = [first.range.size, *(lease.range.size for lease in others if lease)]
    assert sizes == [10 * MB] * 4
    assert segments.take(1) is None


def test_leases_are_bounded_so_that_the_prefix_keeps_moving() -> None:
    segments = Segments(10 * LEASE_BYTES)
    lease = segments.take(2)
    assert lease is not None
    assert lease.range == (0, LEASE_BYTES)
    far = segments.take(2, rate=LEASE_BYTES / 4, setup=8 / LEASE_SETUPS)
    assert far is not None
    assert far.range.size == 2 * LEASE_BYTES
    near = segments.take(2, rate=LEASE_BYTES / 4, setup=1 / LEASE_SETUPS)
    assert near is not None
    assert near.range.size == LEASE_BYTES


def test_no_crumb_is_left_over() -> None:
    segments = Segments(1000, min_segment=300)
    sizes = []
    while (lease := segments.take(8)) is not None:
        sizes.append(lease.range.size)
    assert sizes == [300, 300, 400]


@given(
    remaining=st.integers(1, 10**10),
    victim=st.floats(1, 1e9),
    thief=st.floats(1, 1e9),
    setup=st.floats(0, 10),
)
def test_a_steal_always_brings_the_end_nearer(remaining: int, victim: float, thief: float, setup: float) -> None:
    size = share_to_steal(remaining, victim, thief, setup, at_least=1)
    assert 0 <= size <= remaining
    if size:
        ends = max((remaining - size) / victim, setup + size / thief)
        assert ends <= remaining / victim - MIN_STEAL_SECONDS + 1e-6


def test_both_end_together_after_a_steal() -> None:
    size = share_to_steal(10 * MB, 1 * MB, 4 * MB, 0.5, at_least=1)
    assert (10 * MB - size) / (1 * MB) == pytest.approx(0.5 + size / (4 * MB), rel=1e-3)


def test_the_remainder_of_a_silent_connection_is_taken_whole() -> None:
    assert share_to_steal(5 * MB, 0.0, 1 * MB, 0.1, at_least=1) == 5 * MB


def test_a_thief_without_speed_takes_nothing() -> None:
    assert share_to_steal(5 * MB, 0.0, 0.0, 0.1, at_least=1) == 0


class TestRace:
    def start(self) -> tuple[Segments, Lease, Lease]:
        segments = Segments(RACE_BYTES)
        slow = segments.take(1)
        assert slow is not None
        slow.rate = 1000.0
        assignment = segments.assign(share=1, rate=1e6, setup=0.01)
        assert assignment is not None
        assert assignment.race
        assert assignment.victim is slow
        return segments, slow, assignment.lease

    def test_the_first_to_bring_a_byte_wins_it(self) -> None:
        segments, slow, fast = self.start()
        assert segments.received(fast, 1000) == Piece(0, 0, 1000)
        assert segments.received(slow, 400).size == 0
        assert segments.received(slow, 700) == Piece(1000, 600, 100)

    def test_the_survivor_carries_on_alone(self) -> None:
        segments, slow, fast = self.start()
        segments.received(fast, 1000)
        segments.release(fast)
        assert not segments.has_free
        assert segments.received(slow, RACE_BYTES) == Piece(1000, 1000, RACE_BYTES - 1000)
        assert segments.finished

    def test_no_third_joins(self) -> None:
        segments, _, _ = self.start()
        assert segments.assign(share=1, rate=1e9, setup=0.0) is None

    def test_equals_do_not_race(self) -> None:
        segments = Segments(RACE_BYTES)
        lease = segments.take(1)
        assert lease is not None
        lease.rate = 1e6
        assert segments.assign(share=1, rate=1e6, setup=0.01) is None


class TestExtend:
    def start(self) -> tuple[Segments, Lease]:
        """A segment of 10 MB that was cut in the middle, and has come to its end."""
        segments = Segments(20 * MB, min_segment=MB)
        lease = segments.lease(0, 10 * MB)
        segments.cut(lease.segment, 5 * MB)
        segments.received(lease, 6 * MB)
        return segments, lease

    def test_what_nobody_took_goes_to_the_answer_that_brings_it(self) -> None:
        segments, lease = self.start()
        assert segments.extend(lease, 10 * MB, 1)
        assert lease.range == (5 * MB, 10 * MB)
        assert segments.received(lease, MB) == (5 * MB, 0, MB)
        assert [(start, stop) for start, stop in segments.free] == [(10 * MB, 20 * MB)]

    def test_not_to_one_whose_rival_ended_it(self) -> None:
        segments = Segments(RACE_BYTES)
        slow = segments.lease(0, RACE_BYTES)
        slow.rate = 1.0
        rival = segments.assign(share=1, rate=1e9, setup=0.0)
        assert rival is not None
        assert rival.race
        segments.cut(slow.segment, RACE_BYTES - 1000)
        segments.received(rival.lease, RACE_BYTES - 1000)
        segments.release(rival.lease)
        assert segments.received(slow, 500).size == 0
        assert not segments.extend(slow, RACE_BYTES, 1)

    def test_only_its_share(self) -> None:
        segments, lease = self.start()
        assert segments.extend(lease, 20 * MB, 5)
        assert lease.range == (5 * MB, 8 * MB)

    def test_but_no_crumb_is_left(self) -> None:
        segments, lease = self.start()
        segments.lease(8 * MB + 1000, 20 * MB)
        assert segments.extend(lease, 20 * MB, 1)
        assert lease.range == (5 * MB, 8 * MB + 1000)

    def test_not_what_another_has(self) -> None:
        segments, lease = self.start()
        segments.lease(5 * MB, 6 * MB)
        assert not segments.extend(lease, 10 * MB, 1)

    def test_not_past_the_answer(self) -> None:
        segments, lease = self.start()
        assert not segments.extend(lease, 5 * MB, 1)

    def test_not_in_a_race(self) -> None:
        segments = Segments(2 * MB)
        slow = segments.lease(0, RACE_BYTES)
        segments.lease(RACE_BYTES + 1000, 2 * MB)
        slow.rate = 1.0
        assert segments.received(slow, RACE_BYTES - 10).size
        free = segments.lease(RACE_BYTES, RACE_BYTES + 1000)
        segments.received(free, 1000)
        rival = segments.assign(share=1, rate=1e9, setup=0.0)
        assert rival is not None
        assert rival.race
        segments.release(free)
        segments.received(slow, 10)
        assert not segments.extend(slow, 2 * MB, 1)


def test_a_stream_of_unknown_length_ends_where_it_ends() -> None:
    segments = Segments(None)
    assert segments.absorb(0, 10) == [Piece(0, 0, 10)]
    assert (segments.finished, segments.length) == (False, None)
    segments.close_at(10)
    assert (segments.finished, segments.length) == (True, 10)


def test_a_whole_stream_fills_only_the_gaps() -> None:
    segments = Segments(100, [(10, 20), (50, 60)])
    assert segments.absorb(0, 30) == [Piece(0, 0, 10), Piece(20, 20, 10)]
    assert segments.absorb(30, 70) == [Piece(30, 0, 20), Piece(60, 30, 40)]
    assert segments.finished


def test_what_is_held_cannot_be_leased_twice() -> None:
    segments = Segments(100)
    segments.lease(0, 50)
    with pytest.raises(ValueError, match="not free"):
        segments.lease(40, 60)


def test_an_empty_file_is_finished() -> None:
    assert Segments(0).finished


def test_random_deaths_never_keep_it_from_ending() -> None:
    dice = random.Random(7)
    segments = Segments(5 * MB, min_segment=1000)
    live: list[Lease] = []
    for _ in range(100_000):
        if segments.finished:
            break
        if len(live) < 6:
            assignment = segments.assign(share=6 - len(live), rate=dice.random() * 1e6, setup=0.01)
            if assignment:
                live.append(assignment.lease)
        if not live:
            continue
        lease = dice.choice(live)
        lease.rate = dice.choice([None, 0.0, dice.random() * 1e6])
        segments.received(lease, dice.randrange(1, 16384))
        if lease.segment.complete or dice.random() < 0.05:
            live.remove(lease)
            segments.release(lease)
    assert segments.finished
