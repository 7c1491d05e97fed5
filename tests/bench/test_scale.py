"""Sizes can be changed one by one, each by its kind."""

from __future__ import annotations

import pytest
from bench.scale import FULL, changed


def test_settings_are_read_by_their_kind() -> None:
    scale = changed(
        FULL, ["large_mib=64", "connections=1,2", "rates=4,0.2", "links=cap,equal", "silent=yes", "round_trip=0.05"]
    )
    assert (scale.large_mib, scale.connections, scale.rates) == (64, (1, 2), (4.0, 0.2))
    assert (scale.links, scale.silent, scale.round_trip) == (("cap", "equal"), True, 0.05)
    assert scale.rounds == FULL.rounds


def test_what_does_not_exist_is_told() -> None:
    with pytest.raises(ValueError, match="large_mib"):
        changed(FULL, ["big=1"])
    with pytest.raises(ValueError):
        changed(FULL, ["large_mib=many"])
