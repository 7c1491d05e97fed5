"""Disks that refuse: said in one line, before a byte is asked for where that can be known, and nothing is lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import penstock
from penstock.store.part import PartFile
from tests.cli.test_download import command
from tests.cli.test_download import penstock as penstock_command
from tests.conftest import sha256
from tests.engine.helpers import MB, assert_whole, at_rate, fetch, soundly
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

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


def test_F36_a_read_only_directory_is_said_before_any_request(fault_server: FaultServer, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    url = fault_server.serve("/a", CONTENT)
    for options in ({}, {"output": "named"}):
        error = fetch(url, small_disk, **options).failed(penstock.StorageError)
        assert "read-only" in str(error) or "permission" in str(error)
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


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
def test_F44_a_file_too_big_for_the_file_system_is_said_before_fetching(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    """A limit on the size of files stands in for a file system that has one: the system's answer is the same."""
    url = fault_server.serve("/a", CONTENT)
    words = " ".join(command("-q", url))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 4000; exec {words}"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert "cannot hold a file of this size" in line
    assert fault_server.bytes_sent < 1 * MB
    assert len(fault_server.log) == 1


def test_F35_a_full_disk_is_one_line_and_exit_3(fault_server: FaultServer, small_disk: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    done = penstock_command("-q", url, directory=small_disk)
    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert "the disk is full" in line
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    assert penstock_command("-q", url, directory=small_disk).returncode == 0
    assert sha256(small_disk / "a") == CONTENT.sha256


def test_F35_a_disk_that_is_full_without_preallocation_keeps_what_was_written(
    fault_server: FaultServer, small_disk: Path
) -> None:
    """The real thing: writing fails in the middle, and what the journal vouches for is gone on from."""
    url = fault_server.serve("/a", CONTENT)
    fault_server.script = at_rate(2 * MB)
    program = (
        "import errno, os, sys\n"
        "def refuse(*_):\n"
        "    raise OSError(errno.EOPNOTSUPP, 'not here')\n"
        "os.posix_fallocate = refuse\n"
        "from penstock.cli.main import run\n"
        "sys.exit(run(['--no-config', '-q', sys.argv[1]]))\n"
    )
    words = [sys.executable, "-c", program, url]
    done = subprocess.run(words, cwd=small_disk, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert "the disk is full; make room, and the same command goes on" in line
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    fault_server.script = soundly
    assert assert_whole(fetch(url, small_disk), CONTENT).resumed > 1 * MB


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_F41_a_part_that_is_taken_away_meanwhile_is_an_error_and_no_target(
    fault_server: FaultServer, tmp_path: Path, what: str
) -> None:
    url = fault_server.serve("/a", CONTENT)
    part = tmp_path / "a.part"

    def script(request: Request, reply: Reply) -> None:
        if request.number == 3:
            part.unlink()
            if what == "replaced":
                part.write_bytes(b"x" * CONTENT.size)

    fault_server.script = script
    error = fetch(url, tmp_path).failed(penstock.StorageError)
    assert "a.part: somebody deleted or replaced it" in str(error)
    assert not (tmp_path / "a").exists()
    fault_server.script = soundly
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_S04_a_link_planted_at_the_part_is_not_followed(fault_server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", tmp_path / "a.part")
    fetch(fault_server.serve("/a", CONTENT), tmp_path).failed(penstock.StorageError)
    assert (tmp_path / "victim").read_text() == "precious"
