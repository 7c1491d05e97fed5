"""The power is cut at every point of a run: whatever the syncs allow to be left, the same command ends with every byte.

More of this: ``python -m tests.chaos.power --help``. What the disk may do is in `tests/chaos/disk.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.disk import Bytes, Disk
from tests.chaos.power import SCENES, play
from tests.chaos.stage import Stage
from tests.chaos.trace import Created, Renamed, Sized, Synced, SyncedNames, Unlinked, Wrote

pytestmark = pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="the calls are those of Linux")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as stage:
        yield stage
    assert not stage.server.errors


@pytest.mark.parametrize("scene", SCENES)
def test_F39_whatever_a_power_cut_leaves_is_gone_on_from(stage: Stage, scene: str) -> None:
    report = play(stage, scene, 10, seed=1)
    assert not report.findings
    assert report.points > 25  # how many depends on how the bytes came: 35 to 150 on a busy machine
    assert report.resumed == 10


@pytest.mark.parametrize(
    ("spoil", "scene", "said"),
    [
        ("journal_before_sync", "fresh_file", "vouches for bytes that are not there"),
        ("noted_after_sync", "fresh_file", "vouches for bytes that are not there"),
        ("journal_not_synced", "fresh_file", "may be torn"),
        ("published_without_sync", "fresh_file", "name without its bytes"),
        ("delivered_without_sync", "small_files", "name without its bytes"),
    ],
)
def test_F39_an_order_of_durability_that_is_broken_on_purpose_is_caught(
    stage: Stage, spoil: str, scene: str, said: str
) -> None:
    for _ in range(3):  # a run in which all bytes came before the first checkpoint has nothing to show
        if any(said in finding for finding in play(stage, scene, 0, seed=1, spoil=spoil).findings):
            return
    pytest.fail(f"no run of three shows {said!r}")


def disk_after(*events: object) -> Disk:
    disk = Disk()
    for event in events:
        disk.feed(event)  # type: ignore[arg-type]
    return disk


def contents(disk: Disk, number: int) -> set[bytes]:
    import random

    return {held.content for held in disk.contents(number, random.Random(1))}


def names(disk: Disk) -> list[dict[str, int]]:
    import random

    return sorted((dict(each) for each in disk.namespaces(random.Random(1))), key=str)


def test_a_write_that_was_not_synced_is_there_or_not_or_half() -> None:
    disk = disk_after(Created(1, "a"), Wrote(1, 0, b"abcd"), Synced(1, False), Wrote(1, 2, b"XY"))
    assert contents(disk, 1) == {b"abcd", b"abXd", b"abXY"}
    disk.feed(Synced(1, False))
    assert disk.durable(1) == Bytes(b"abXY")


def test_a_later_write_may_survive_an_earlier_one() -> None:
    disk = disk_after(Created(1, "a"), Wrote(1, 0, b"a"), Wrote(1, 1, b"b"))
    assert contents(disk, 1) == {b"", b"a", b"ab", b"\0b"}


def test_reserved_space_reads_as_zeros() -> None:
    disk = disk_after(Created(1, "a"), Wrote(1, 0, b"ab"), Synced(1, True), Sized(1, 0, False), Sized(1, 3, True))
    assert contents(disk, 1) == {b"", b"ab", b"ab\0", b"\0\0\0"}


def test_a_name_survives_only_the_sync_of_its_directory() -> None:
    disk = disk_after(Created(1, "a"), Wrote(1, 0, b"ab"), Synced(1, True))
    assert names(disk) == [{"a": 1}, {}]
    disk.feed(SyncedNames("."))
    assert names(disk) == [{"a": 1}]


def test_a_rename_is_one_thing_and_a_removal_another() -> None:
    disk = disk_after(Created(1, "a"), SyncedNames("."), Created(2, "b"), Renamed("b", "a"), Unlinked("a"))
    assert names(disk) == [{"a": 1, "b": 2}, {"a": 1}, {"a": 2}, {"b": 2}, {}]
