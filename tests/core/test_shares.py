"""What is left to whom, however little there is."""

from __future__ import annotations

import pytest

from penstock.core.shares import Standing, most_unmoved


@pytest.mark.parametrize(("total", "still", "new"), [(256, 128, 192), (16, 8, 12), (3, 2, 3), (2, 1, 2), (1, 1, 1)])
def test_a_half_and_a_quarter_more_for_first_files_and_never_nothing(total: int, still: int, new: int) -> None:
    assert most_unmoved(Standing.STANDS_STILL, total) == still
    assert most_unmoved(Standing.IS_NEW, total) == new
    assert most_unmoved(Standing.MOVES, total) == total
