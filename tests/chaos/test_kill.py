"""Killed anywhere and run again: every byte is right, little is fetched again, every row has one outcome.

More of this: ``python -m tests.chaos.kill --help``.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.kill import ALLOWED, batches, every_batch, every_single, singles
from tests.chaos.stage import Stage

pytestmark = pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="the calls are those of Linux")
MIB = 1 << 20


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as stage:
        yield stage
    assert not stage.server.errors


def test_F38_a_file_killed_at_any_call_is_right_after_the_same_command(stage: Stage) -> None:
    tally = every_single(stage, random.Random(1), 36)
    assert not tally.findings
    assert tally.kills >= 25  # the counts of calls vary a little from run to run


def test_F38_a_file_killed_at_any_instant_again_and_again_is_right_in_the_end(stage: Stage) -> None:
    tally = singles(stage, random.Random(2), 20)
    assert not tally.findings


def test_F38_a_kill_costs_no_more_than_64_MiB(stage: Stage) -> None:
    tally = singles(stage, random.Random(3), 2, 112 * MIB)
    assert not tally.findings
    assert tally.worst <= ALLOWED


def test_F38_F54_a_batch_killed_at_any_call_asks_for_nothing_again_that_is_there(stage: Stage) -> None:
    tally = every_batch(stage, random.Random(4), 50)
    assert not tally.findings
    assert tally.kills >= 35


def test_F38_F54_a_batch_killed_at_any_instant_again_and_again_loses_no_row(stage: Stage) -> None:
    tally = batches(stage, random.Random(5), 30)
    assert not tally.findings


def test_F54_what_lay_there_before_never_passes_for_a_file_of_the_batch(stage: Stage) -> None:
    tally = every_batch(stage, random.Random(6), 14, "--if-exists", "overwrite", old=True)
    assert not tally.findings
    assert tally.kills >= 7


def test_a_journal_that_vouches_for_too_much_is_caught(stage: Stage) -> None:
    stage.spoil = "vouches_for_more"
    assert any("wrong bytes" in finding for finding in every_single(stage, random.Random(1), 10).findings)


def test_a_batch_that_forgets_what_it_named_is_caught(stage: Stage) -> None:
    stage.spoil = "forgets_what_is_named"
    assert any("exists" in finding for finding in every_batch(stage, random.Random(1), 10).findings)
