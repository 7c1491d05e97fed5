"""What lies at targets is known without asking the disk, as far as memory goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.store import places
from penstock.store.places import Places


def test_folders_beyond_those_that_are_remembered_are_asked_about_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MAX_NAMES", 10)
    known = Places(str(tmp_path))
    for number in range(100):
        assert not known.may_have(f"{number}/file")
    assert len(known._names) <= 10
    for number in (0, 99):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "file").touch()
    assert not known.may_have("0/file")  # what was there when the run began
    assert known.may_have("99/file")


def test_a_folder_of_more_names_than_are_remembered_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MAX_NAMES", 10)
    for number in range(20):
        (tmp_path / f"{number}").touch()
    known = Places(str(tmp_path))
    assert known.may_have("7")
    assert not known.may_have("20")
    assert known._names == {"": None}
