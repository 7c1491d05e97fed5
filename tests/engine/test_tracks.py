"""Rows in memory: how many of each origin, and what origins that never give anything leave to the others."""

from __future__ import annotations

from penstock.engine.tracks import DEPTH, FIRST_DEPTH, MOST_DEPTH, MOST_UNHAD, MOST_WAITING, STILL_ROWS, Tracks


def take_all(tracks: Tracks) -> dict[int, int]:
    """Take what is wanted, as often as something is: rows by origin."""
    taken: dict[int, int] = {}
    while wanted := tracks.wanted():
        for number, turn, count in wanted:
            tracks.take(number, range(turn + 1, turn + 1 + count))
            taken[number] = taken.get(number, 0) + count
    return taken


def test_an_origin_has_some_rows_in_memory_before_one_was_had_and_more_then() -> None:
    tracks = Tracks()
    tracks.add(1, 10_000, 1)
    assert take_all(tracks) == {1: DEPTH}
    tracks.end(1, was_had=True)
    [more] = take_all(tracks).values()
    assert tracks.in_memory == DEPTH - 1 + more == MOST_DEPTH
    assert (tracks.pending, tracks.unhad) == (10_000 - DEPTH - more, 0)


def test_F52_hundreds_of_origins_that_give_nothing_leave_memory_to_one_that_does() -> None:
    tracks = Tracks()
    tracks.add(0, 10_000, 1)
    take_all(tracks)
    for number in range(1, 1000):
        tracks.add(number, 100, number * 10_000)
    take_all(tracks)
    assert tracks.in_memory == tracks.unhad == MOST_UNHAD
    tracks.end(0, was_had=True)
    for _ in range(DEPTH // 2):
        tracks.end(0, was_had=True)
        take_all(tracks)
    assert MOST_UNHAD < tracks.in_memory <= MOST_WAITING


def test_F52_hundreds_of_origins_that_give_nothing_do_not_hide_one_that_was_not_asked_yet() -> None:
    tracks = Tracks()
    for number in range(250):
        tracks.add(number, 100, number * 100)
    take_all(tracks)
    tracks.add(250, 100, 25_000)
    assert take_all(tracks) == {250: FIRST_DEPTH}


def test_origins_are_forgotten_when_their_last_row_has_ended() -> None:
    tracks = Tracks()
    tracks.add(1, 3, 1)
    take_all(tracks)
    for was_had in (False, True, False):
        tracks.end(1, was_had=was_had)
    assert (tracks.pending, tracks.in_memory, tracks.unhad) == (0, 0, 0)
    tracks.add(1, 1, 9)
    assert take_all(tracks) == {1: 1}


def test_rows_of_an_origin_that_stands_still_hide_those_behind_them_only_beyond_ten_times_as_many() -> None:
    tracks = Tracks()
    tracks.add(1, 1_000_000, 1)
    tracks.add(2, 50_000, 1_000_001)
    take_all(tracks)
    assert tracks.ahead == tracks.pending == 1_050_000 - 2 * DEPTH
    tracks.look()
    assert tracks.ahead == tracks.pending // STILL_ROWS
    tracks.end(2, was_had=True)
    assert tracks.ahead == (1_000_000 - DEPTH) // STILL_ROWS + 50_000 - DEPTH
    taken = take_all(tracks)[2]
    tracks.look()
    tracks.end(2, was_had=False)
    assert tracks.ahead == (1_000_000 - DEPTH) // STILL_ROWS + 50_000 - DEPTH - taken
    tracks.add(1, 10_000, 1_050_001)
    assert tracks.ahead == (1_010_000 - DEPTH) // STILL_ROWS + 50_000 - DEPTH - taken
