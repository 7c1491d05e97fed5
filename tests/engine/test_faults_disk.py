"""Disks that refuse: said in one line, before a byte is asked for where that can be known, and nothing is lost."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

import penstock
from penstock.store.part import PartFile
from tests.engine.helpers import MB, assert_whole, fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer

CONTENT = Content(6 * MB)


def test_F35_a_full_disk_is_said_before_fetching_and_resumable_after(
    fault_server: FaultServer, small_disk: Path
) -> None:
    url = fault_server.serve("/a", CONTENT)
    error = fetch(url, small_disk).failed(penstock.StorageError)
    assert "full" in str(error)
    assert error.reason is penstock.Reason.STORAGE
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    assert_whole(fetch(url, small_disk), CONTENT)


def test_F35_a_disk_that_fills_on_the_way_keeps_what_was_written(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fault_server.serve("/a", CONTENT)
    write = PartFile.write
    room = 3 * MB

    def filling(self: PartFile, offset: int, blocks: Sequence[bytes | memoryview]) -> int:
        nonlocal room
        room -= sum(map(len, blocks))
        if room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, offset, blocks)

    monkeypatch.setattr(PartFile, "write", filling)
    error = fetch(url, tmp_path).failed(penstock.StorageError)
    assert "the same command goes on" in str(error)
    assert error.resumable
    room = 100 * MB
    result = assert_whole(fetch(url, tmp_path), CONTENT)
    assert result.resumed > 0


def test_F36_a_directory_that_cannot_be_is_said_before_any_request(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    (tmp_path / "file").write_text("mine")
    fetch(url, tmp_path / "file" / "sub").failed(penstock.StorageError)
    fetch(url, tmp_path / "file").failed(penstock.StorageError)
    assert fault_server.log == []


def test_F36_a_missing_directory_is_made(fault_server: FaultServer, tmp_path: Path) -> None:
    assert_whole(fetch(fault_server.serve("/a", CONTENT), tmp_path / "new" / "deep"), CONTENT)


def test_F44_a_file_system_without_preallocation_will_do(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    assert_whole(fetch(fault_server.serve("/a", CONTENT), tmp_path), CONTENT)


def test_S04_a_link_planted_at_the_part_is_not_followed(fault_server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", tmp_path / "a.part")
    fetch(fault_server.serve("/a", CONTENT), tmp_path).failed(penstock.StorageError)
    assert (tmp_path / "victim").read_text() == "precious"
