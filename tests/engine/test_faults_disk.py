"""Disks that refuse: said in one line, before a byte is asked for where that can be known, and nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.events import AnyEvent, Progressed
from penstock.store.part import PartFile
from penstock.store.records import Records
from tests.chaos.child import complaints, run
from tests.cli.test_download import command
from tests.conftest import remount, sha256
from tests.engine.helpers import MB, Story, assert_whole, at_rate, fetch, soundly
from tests.servers.content import Content
from tests.servers.fault import FaultServer

CONTENT = Content(6 * MB)
pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX file systems and limits")


def listed(folder: Path, urls: Sequence[str]) -> Path:
    """A list of these URLs."""
    path = folder / "list"
    path.write_text("\n".join(urls))
    return path


# Full


def test_F35_a_full_disk_is_said_before_fetching_and_resumable_after(
    fault_server: FaultServer, small_disk: Path
) -> None:
    url = fault_server.serve("/a", CONTENT)
    error = fetch(url, small_disk).failed(penstock.StorageError)
    assert "full" in str(error)
    assert error.reason is penstock.Reason.STORAGE
    remount(small_disk, "size=20m")
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


def fill(disk: Path) -> None:
    """Take all that is free on the disk, as another program would."""
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))


def test_F35_a_disk_without_preallocation_that_fills_counts_every_byte_it_holds(
    fault_server: FaultServer, small_disk: Path
) -> None:
    url = fault_server.serve("/a", CONTENT)
    remount(small_disk, "size=12m")
    fault_server.script = at_rate(MB)

    def fill_meanwhile() -> None:
        fault_server.wait_for(lambda: fault_server.bytes_sent > 4 * MB)  # each connection has had a MiB written
        fill(small_disk)

    filler = threading.Thread(target=fill_meanwhile)
    filler.start()
    done = run("-x", "2", "-d", small_disk, url, faults=["posix_fallocate=EOPNOTSUPP"])
    filler.join()
    assert done.returncode == 3
    [line] = complaints(done)
    assert "the disk is full; make room, and the same command goes on" in line
    assert "kept for the next try" in line
    (small_disk / "filler").unlink()
    fault_server.script = soundly
    sent = fault_server.bytes_sent
    # one connection: of two, one may be cut short with bytes on their way, and the server counts those too
    assert run("-x", "1", "-d", small_disk, url).returncode == 0
    assert fault_server.bytes_sent - sent < CONTENT.size - 1 * MB
    assert sha256(small_disk / "a") == CONTENT.sha256


@pytest.mark.parametrize("size", [20_000, 900_000], ids=["small", "large"])
def test_F35_a_batch_on_a_full_disk_ends_with_one_line_and_goes_on_after(
    fault_server: FaultServer, small_disk: Path, tmp_path: Path, size: int
) -> None:
    contents = {f"{number:03}": Content(size, number % 8) for number in range(6 * MB // size)}
    rows = listed(tmp_path, [fault_server.serve(f"/{name}", content) for name, content in contents.items()])
    done = run("-i", rows, "-d", small_disk / "d", "-x", "1")
    assert done.returncode == 3
    [line] = complaints(done)
    assert "the disk is full; make room, and the same command goes on" in line
    there = {path.name for path in (small_disk / "d").iterdir() if path.name in contents}
    assert there
    assert all(sha256(small_disk / "d" / name) == contents[name].sha256 for name in there)
    remount(small_disk, "size=20m")
    seen = len(fault_server.log)
    assert run("-i", rows, "-d", small_disk / "d").returncode == 0
    assert there.isdisjoint(request.path[1:] for request in fault_server.log[seen:])
    assert all(sha256(small_disk / "d" / name) == content.sha256 for name, content in contents.items())
    records = Records(small_disk / "d.penstock")
    assert [fact.state for fact in records.rows()] == ["done"] * len(contents)
    records.close()


@pytest.mark.parametrize("room", ["8k", "16k", "64k", "128k"])
def test_F53_a_manifest_on_a_full_disk_is_said_in_one_line_and_loses_no_row(
    fault_server: FaultServer, small_disk: Path, tmp_path: Path, room: str
) -> None:
    contents = {f"{number:03}": Content(50, number % 8) for number in range(500)}
    rows = listed(tmp_path, [fault_server.serve(f"/{name}", content) for name, content in contents.items()])
    remount(small_disk, f"size={room}")
    (tmp_path / "files").mkdir()
    arguments = ["-i", str(rows), "-d", str(tmp_path / "files"), "--manifest", str(small_disk / "m")]
    done = run(*arguments)
    assert done.returncode == 3
    [line] = complaints(done)
    assert "the disk is full" in line
    remount(small_disk, "size=20m")
    assert run(*arguments).returncode == 0
    assert all(sha256(tmp_path / "files" / name) == content.sha256 for name, content in contents.items())
    assert len(fault_server.log) == len(contents)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (["replace=ENOSPC@2"], "the disk is full"),  # a checkpoint's journal
        (["fsync=ENOSPC"], "the disk is full"),  # delayed allocation
        (["pwritev=EDQUOT@3"], "quota is used up"),
        (["posix_fallocate=EDQUOT"], "quota is used up"),
        (["fsync=EIO@2"], "Input/output error"),
        (["ftruncate=EFBIG@2"], "cannot hold a file of this size"),
    ],
    ids=str,
)
def test_F35_whatever_call_is_refused_it_is_one_line_and_the_next_run_is_right(
    fault_server: FaultServer, tmp_path: Path, faults: list[str], words: str
) -> None:
    url = fault_server.serve("/a", CONTENT)
    fault_server.rates = [MB / 2] if "replace" in faults[0] else []  # long enough for a checkpoint
    done = run("-d", tmp_path, url, faults=faults)
    fault_server.rates = []
    assert done.returncode == 3
    [line] = complaints(done)
    assert words in line
    assert not (tmp_path / "a").exists()
    assert run("-d", tmp_path, url).returncode == 0
    assert sha256(tmp_path / "a") == CONTENT.sha256
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("fault", ["link=ENOSPC", "pwritev=EDQUOT@9", "fsync=EIO@3"])
def test_F35_whatever_call_is_refused_to_a_batch_it_is_one_line_and_rows_stay_to_be_fetched(
    fault_server: FaultServer, tmp_path: Path, fault: str
) -> None:
    contents = {f"{number:02}": Content(1_200_000 if number % 10 == 0 else 900) for number in range(40)}
    rows = listed(tmp_path, [fault_server.serve(f"/{name}", content) for name, content in contents.items()])
    done = run("-i", rows, "-d", tmp_path / "d", faults=[fault])
    assert done.returncode == 3
    assert len(complaints(done)) == 1
    records = Records(tmp_path / "d.penstock")
    assert {fact.state for fact in records.rows()} <= {"done", "pending"}
    records.close()
    assert run("-i", rows, "-d", tmp_path / "d").returncode == 0
    assert all(sha256(tmp_path / "d" / name) == content.sha256 for name, content in contents.items())


def test_F35_a_limit_on_the_size_of_files_is_said_before_fetching(fault_server: FaultServer, tmp_path: Path) -> None:
    done = run("-d", tmp_path, fault_server.serve("/a", CONTENT), limit="-f 2000")
    assert done.returncode == 3
    [line] = complaints(done)
    assert "cannot hold a file of this size" in line
    assert fault_server.bytes_sent < CONTENT.size


# Not to be written


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


def test_F36_a_read_only_file_system_is_said_before_any_request(fault_server: FaultServer, small_disk: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    remount(small_disk, "ro")
    for arguments in ([url], ["-d", "new", url], ["-i", "-"], ["-o", "b", url]):
        done = run(*arguments, stdin=url, cwd=small_disk)
        assert done.returncode == 3
        [line] = complaints(done)
        assert "the file system is read-only" in line
    assert fault_server.log == []


def test_F36_a_directory_without_permission_is_said_before_any_request(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    url = fault_server.serve("/a", CONTENT)
    done = run(url, faults=["access=EACCES"], cwd=tmp_path)  # nothing is denied to root, who may run this
    assert done.returncode == 3
    [line] = complaints(done)
    assert "no permission to write there" in line
    assert fault_server.log == []


# Changed under us


def meddle(server: FaultServer, directory: Path, act: Callable[[Path], None], **options: Any) -> Story:
    """Download ``/a`` over four connections, and `act` on its part when each has had some written."""
    acted = threading.Event()

    def listen(event: AnyEvent) -> None:
        if isinstance(event, Progressed) and event.done > 4.7 * MB and not acted.is_set():
            act(directory / "a.part")
            acted.set()

    server.rates = [2 * MB]
    story = Story()
    try:
        story.result = penstock.download(
            server.serve("/a", CONTENT), directory=directory, on_event=listen, max_connections=4, **options
        )
    except penstock.DownloadError as error:
        story.error = error
    server.rates = []
    assert acted.is_set()
    return story


def test_F41_a_part_cut_short_under_us_is_never_filled_up_with_zeros(fault_server: FaultServer, tmp_path: Path) -> None:
    story = meddle(fault_server, tmp_path, lambda part: os.truncate(part, 300_000))
    error = story.failed(penstock.StorageError)
    assert "cut a.part short" in str(error)
    assert error.resumable
    assert not (tmp_path / "a").exists()
    result = assert_whole(fetch(fault_server.url("/a"), tmp_path), CONTENT)
    assert 0 < result.resumed <= 300_000


def test_F41_a_part_deleted_under_us_is_said(fault_server: FaultServer, tmp_path: Path) -> None:
    story = meddle(fault_server, tmp_path, Path.unlink)
    error = story.failed(penstock.StorageError)
    assert "deleted or replaced a.part" in str(error)
    assert not error.resumable
    assert_whole(fetch(fault_server.url("/a"), tmp_path), CONTENT)


def test_F41_a_file_put_in_the_part_s_place_never_gets_the_target_s_name(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    def replace(part: Path) -> None:
        part.rename(tmp_path / "kept")  # so that the old one still has a name
        part.write_bytes(b"of another")

    story = meddle(fault_server, tmp_path, replace)
    assert "deleted or replaced a.part" in str(story.failed(penstock.StorageError))
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "a.part").read_bytes() == b"of another"


def test_F41_bytes_overwritten_under_us_are_found_where_a_digest_is_known(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    def overwrite(part: Path) -> None:
        with part.open("r+b") as file:
            file.seek(4_600_000)  # not hashed yet: digests trail what came without a gap
            file.write(b"not these" * 50)

    meddle(fault_server, tmp_path, overwrite, checksum=CONTENT.sha256).failed(penstock.DigestMismatch)
    assert not (tmp_path / "a").exists()


# Poor file systems


@pytest.mark.parametrize(
    "missing",
    [
        ["posix_fallocate=EOPNOTSUPP"],
        ["link=EPERM"],
        ["tmpfile=EOPNOTSUPP"],
        ["flock=ENOLCK"],
        ["posix_fallocate=EOPNOTSUPP", "link=EPERM", "tmpfile=EOPNOTSUPP", "flock=EOPNOTSUPP", "utime=EPERM"],
    ],
    ids=["no preallocation", "no hard links", "no unnamed files", "no locks", "none of these"],
)
def test_F44_a_file_system_that_lacks_something_will_do(
    fault_server: FaultServer, tmp_path: Path, missing: list[str]
) -> None:
    contents = {"big": CONTENT, **{f"{number}": Content(900, number % 8) for number in range(20)}}
    rows = listed(tmp_path, [fault_server.serve(f"/{name}", content) for name, content in contents.items()])
    done = run("-i", rows, "-d", tmp_path / "d", faults=missing)
    assert (done.returncode, complaints(done)) == (0, [])
    assert sorted(os.listdir(tmp_path / "d")) == sorted(contents)
    assert all(sha256(tmp_path / "d" / name) == content.sha256 for name, content in contents.items())


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


def test_S04_a_link_planted_at_the_part_is_not_followed(fault_server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", tmp_path / "a.part")
    fetch(fault_server.serve("/a", CONTENT), tmp_path).failed(penstock.StorageError)
    assert (tmp_path / "victim").read_text() == "precious"
