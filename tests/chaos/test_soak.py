"""A short soak; `python -m tests.chaos.soak` is the long one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.soak import soak


@pytest.mark.skipif(os.name == "nt", reason="descriptors are counted in /proc")
def test_nothing_is_lost_wrong_or_left_behind_among_unruly_servers(tmp_path: Path) -> None:
    done = soak(seconds=4, seed=1, files=200, largest=1_000_000, wildness=0.2, home=tmp_path)
    assert done.faults().total() > 20
