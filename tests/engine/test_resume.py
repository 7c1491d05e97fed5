"""Interrupted, killed or changed in between: old bytes count exactly when they should."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.events import Restarted, Resumed
from penstock.store.part import PartFile
from tests.conftest import sha256
from tests.engine.helpers import MB, assert_whole, at_rate, become, fetch, soundly
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

CONTENT = Content(8 * MB)


def interrupt(server: FaultServer, url: str, directory: Path, **options: object) -> penstock.DownloadError:
    """Stop a download in the middle, by a deadline; leaves a fault-free server."""
    server.script = at_rate(1.5 * MB)
    error = fetch(url, directory, deadline=0.8, **options).failed(penstock.DownloadError)
    server.script = soundly
    return error


def test_it_goes_on_where_it_stopped(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    assert interrupt(fault_server, url, tmp_path).resumable
    asked = len(fault_server.log)
    story = fetch(url, tmp_path)
    result = assert_whole(story, CONTENT)
    assert story.all(Resumed)[0].kept == result.resumed > 1 * MB
    # what lay in the buffers of connections that were cut counts at the server, not here
    assert result.fetched <= CONTENT.size - result.resumed + 1 * MB
    assert all(request.start for request in fault_server.log[asked:])  # nobody asks for the beginning again
    assert fault_server.log[-1].headers["if-range"] == '"1"'


@pytest.mark.parametrize(
    ("change", "why"),
    [({"etag": '"2"'}, "ETag"), ({"content": Content(7 * MB)}, "size"), ({"content": Content(100)}, "size")],
)
def test_F05_F08_a_changed_file_restarts_and_says_so(
    fault_server: FaultServer, tmp_path: Path, change: dict[str, object], why: str
) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    fields: dict[str, object] = {"content": Content(8 * MB, seed=9), "etag": '"2"', **change}
    new = fields.pop("content")
    assert isinstance(new, Content)
    fault_server.serve("/a", new, **fields)
    story = fetch(url, tmp_path)
    assert assert_whole(story, new).resumed == 0
    assert why in story.all(Restarted)[0].why or "ETag" in story.all(Restarted)[0].why


def test_F08_a_416_because_the_file_shrank_restarts(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    new = Content(1000, seed=9)
    fault_server.serve("/a", new, etag=None, last_modified=None)

    def script(request: Request, reply: Reply) -> None:
        if request.start:  # it looks at the range before it looks at If-Range
            become(reply, 416, Content_Range=f"bytes */{new.size}")

    fault_server.script = script
    story = fetch(url, tmp_path)
    assert assert_whole(story, new).resumed == 0
    assert "size was 8000000 bytes and is now 1000" in story.all(Restarted)[0].why


@pytest.mark.parametrize("age", [59, 60])
def test_F11_a_date_validates_from_a_minute_before_the_answer_s_on(
    fault_server: FaultServer, tmp_path: Path, age: int
) -> None:
    now = 1704067200
    dates = {"Date": formatdate(now, usegmt=True), "Last-Modified": formatdate(now - age, usegmt=True)}
    fields: dict[str, Any] = {"etag": None, "last_modified": dates["Last-Modified"]}
    url = fault_server.serve("/a", CONTENT, headers=tuple(dates.items()), **fields)
    error = interrupt(fault_server, url, tmp_path)
    story = fetch(url, tmp_path)
    result = assert_whole(story, CONTENT)
    assert bool(result.resumed) == (age == 60) == error.resumable
    assert bool(story.all(Restarted)) == (age == 59)


def test_F13_a_206_of_a_changed_file_is_caught_by_its_own_validator(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    new = Content(8 * MB, seed=9)
    fault_server.serve("/a", new, etag='"2"')

    def script(request: Request, reply: Reply) -> None:
        if request.headers.pop("if-range", None):
            reply.__dict__.update(fault_server.correct_reply(request).__dict__)

    fault_server.script = script
    story = fetch(url, tmp_path)
    assert assert_whole(story, new).resumed == 0
    assert story.all(Restarted)


def test_F07_everything_there_is_confirmed_by_416_or_one_byte(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, _reply: Reply) -> None:
        if request.number == 3:
            (tmp_path / "a").write_text("in the way")

    fault_server.script = script
    error = fetch(url, tmp_path).failed(penstock.TargetExists)
    assert error.resumable
    assert (tmp_path / "a").read_text() == "in the way"
    (tmp_path / "a").unlink()
    fault_server.script = lambda _request, reply: become(reply, 416, Content_Range=f"bytes */{CONTENT.size}")
    assert assert_whole(fetch(url, tmp_path), CONTENT).fetched == 0


def test_F42_a_target_that_appeared_is_kept_and_so_are_the_bytes(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, _reply: Reply) -> None:
        if request.number == 3:
            (tmp_path / "a").write_text("in the way")

    fault_server.script = script
    assert "appeared" in str(fetch(url, tmp_path).failed(penstock.TargetExists))
    (tmp_path / "a").unlink()
    fault_server.script = soundly
    before = fault_server.bytes_sent
    assert_whole(fetch(url, tmp_path), CONTENT)
    assert fault_server.bytes_sent - before <= 1


def test_F10_F12_without_a_validator_it_restarts_unless_dared_or_proven(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    url = fault_server.serve("/a", CONTENT, etag='W/"1"', last_modified=None)
    ways: list[dict[str, Any]] = [{}, {"resume_unsafe": True}, {"checksum": CONTENT.sha256}]
    for number, options in enumerate(ways):
        folder = tmp_path / str(number)
        error = interrupt(fault_server, url, folder, **options)
        story = fetch(url, folder, **options)
        result = assert_whole(story, CONTENT)
        assert bool(result.resumed) == bool(options) == error.resumable
        assert bool(story.all(Restarted)) != bool(options)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda whole: whole[:-5], "checksum"),
        (lambda whole: b"", "not a journal"),
        (lambda whole: b"\0" * len(whole), "not a journal"),
        (lambda whole: whole.replace(b'"done":[[0,', b'"done":[[1,'), "checksum"),
        (lambda whole: whole.replace(b"-journal 1 ", b"-journal 0 "), "format 0"),
    ],
    ids=["torn", "empty", "zeros", "edited", "old"],
)
def test_F40_a_journal_that_cannot_be_believed_restarts(
    fault_server: FaultServer, tmp_path: Path, spoil: Callable[[bytes], bytes], why: str
) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    journal = tmp_path / "a.part.journal"
    whole = journal.read_bytes()
    journal.write_bytes(spoil(whole))
    assert journal.read_bytes() != whole
    story = fetch(url, tmp_path)
    assert assert_whole(story, CONTENT).resumed == 0
    assert why in story.all(Restarted)[0].why


def test_F40_a_journal_of_a_newer_penstock_is_left_alone(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    journal = tmp_path / "a.part.journal"
    newer = journal.read_bytes().replace(b"-journal 1 ", b"-journal 99 ")
    journal.write_bytes(newer)
    before, part = len(fault_server.log), sha256(tmp_path / "a.part")
    assert "newer Penstock" in str(fetch(url, tmp_path).failed(penstock.CannotResume))
    assert (journal.read_bytes(), sha256(tmp_path / "a.part")) == (newer, part)
    assert len(fault_server.log) == before


def test_F40_bytes_of_another_url_are_never_adopted_unasked(fault_server: FaultServer, tmp_path: Path) -> None:
    interrupt(fault_server, fault_server.serve("/a", CONTENT), tmp_path, output="x")
    other = fault_server.serve("/b", Content(8 * MB, seed=9))
    error = fetch(other, tmp_path, output="x").failed(penstock.CannotResume)
    assert fault_server.url("/a") in str(error)
    assert (tmp_path / "x.part").stat().st_size == CONTENT.size


def test_F41_a_part_that_was_deleted_or_truncated_is_not_believed(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    os.truncate(tmp_path / "a.part", 100_000)
    assert assert_whole(fetch(url, tmp_path), CONTENT).resumed <= 100_000
    folder = tmp_path / "again"
    interrupt(fault_server, url, folder)
    (folder / "a.part").unlink()
    assert assert_whole(fetch(url, folder), CONTENT).resumed == 0


@pytest.mark.parametrize("how", ["overwritten", "replaced"])
def test_F41_a_part_replaced_by_other_bytes_of_its_length_is_not_believed(
    fault_server: FaultServer, tmp_path: Path, how: str
) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    part = tmp_path / "a.part"
    if how == "replaced":
        part.unlink()
    part.write_bytes(Content(CONTENT.size, seed=9).read(0, CONTENT.size))
    story = fetch(url, tmp_path)
    assert assert_whole(story, CONTENT).resumed == 0
    assert "other bytes" in story.all(Restarted)[0].why


def test_F38_F41_a_kill_while_a_truncated_part_is_made_longer_again_leaves_no_claim_to_zeros(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    os.truncate(tmp_path / "a.part", 100_000)
    allocate = PartFile.allocate

    def and_no_further(part: PartFile, length: int) -> None:
        allocate(part, length)
        raise OSError(errno.EIO, "as if it had been killed here")

    with monkeypatch.context() as patch:
        patch.setattr(PartFile, "allocate", and_no_further)
        fetch(url, tmp_path).failed(penstock.StorageError)
    assert (tmp_path / "a.part").stat().st_size == CONTENT.size
    assert 0 < assert_whole(fetch(url, tmp_path), CONTENT).resumed <= 100_000


def test_F41_a_copy_on_another_disk_is_as_good(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path / "one")
    (tmp_path / "two").mkdir()
    for path in (tmp_path / "one").iterdir():
        (tmp_path / "two" / path.name).write_bytes(path.read_bytes())
    assert assert_whole(fetch(url, tmp_path / "two"), CONTENT).resumed > 1 * MB


def test_F37_a_second_download_of_the_same_target_is_refused(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    fault_server.script = at_rate(4 * MB)
    with penstock.Downloader() as first:
        future = first.submit(url, directory=tmp_path, output="a")
        fault_server.wait_for(lambda: fault_server.bytes_sent > 1 * MB)
        error = fetch(url, tmp_path, output="a").failed(penstock.TargetLocked)
        assert error.reason is penstock.Reason.LOCKED
        assert sha256(future.result().path) == CONTENT.sha256


def test_F46_a_wrong_checksum_never_yields_a_target(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    error = fetch(url, tmp_path, checksum="sha256:" + "0" * 64).failed(penstock.DigestMismatch)
    assert CONTENT.sha256 in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["a.corrupt"]
    assert sha256(tmp_path / "a.corrupt") == CONTENT.sha256


@pytest.mark.parametrize("right", [True, False])
def test_F46_a_digest_that_the_server_sends_is_checked(fault_server: FaultServer, tmp_path: Path, right: bool) -> None:
    raw = bytes.fromhex(CONTENT.sha256) if right else hashlib.sha256(b"other").digest()
    field = f"sha-256=:{base64.b64encode(raw).decode()}:"
    story = fetch(fault_server.serve("/a", CONTENT, headers=(("Repr-Digest", field),)), tmp_path)
    if right:
        assert str(assert_whole(story, CONTENT).digest) == f"sha256:{CONTENT.sha256}"
    else:
        story.failed(penstock.DigestMismatch)
        assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("size", [100_000, CONTENT.size])
def test_F46_a_content_md5_is_checked(fault_server: FaultServer, tmp_path: Path, size: int, right: bool) -> None:
    """It is of the message's body (RFC 1864), so it counts for a 200 only."""
    content = Content(size)
    digest = hashlib.md5(content.read(0, size) if right else b"other").digest()
    field = ("Content-MD5", base64.b64encode(digest).decode())
    story = fetch(fault_server.serve("/a", content, ranges=False, headers=(field,)), tmp_path)
    if right:
        assert str(assert_whole(story, content).digest) == f"md5:{digest.hex()}"
    else:
        assert "from the server" in str(story.failed(penstock.DigestMismatch))
        assert [path.name for path in tmp_path.iterdir()] == ["a.corrupt"]


@pytest.mark.parametrize("seed", range(3))
def test_F38_kill_9_at_any_instant_costs_little_and_corrupts_nothing(
    fault_server: FaultServer, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    url = fault_server.serve("/a", CONTENT)
    fault_server.script = at_rate(2 * MB)
    program = "import sys, penstock; penstock.download(sys.argv[1], directory=sys.argv[2], max_connections=4)"
    for _ in range(3):
        sent = fault_server.bytes_sent
        process = subprocess.Popen([sys.executable, "-c", program, url, str(tmp_path)])
        more = dice.randrange(1, 3 * MB)
        fault_server.wait_for(lambda sent=sent, more=more: fault_server.bytes_sent >= min(sent + more, sent + 3 * MB))  # type: ignore[misc]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if (tmp_path / "a").exists():
            break
    fault_server.script = soundly
    story = fetch(url, tmp_path, if_exists="skip")
    assert sha256(story.done().path) == CONTENT.sha256


@pytest.mark.parametrize("named", [True, False])
def test_F38_a_kill_between_the_rename_and_the_cleaning_up_is_finished(
    fault_server: FaultServer, tmp_path: Path, named: bool
) -> None:
    """Naming the target is a link and an unlink; a kill in between leaves the target, the part and the journal."""
    url = fault_server.serve("/a", CONTENT)
    interrupt(fault_server, url, tmp_path)
    result = fetch(url, tmp_path).done()
    (tmp_path / "b").mkdir()
    interrupt(fault_server, url, tmp_path / "b")
    (tmp_path / "b" / "a.part").unlink()
    os.link(result.path, tmp_path / "b" / "a")
    os.link(result.path, tmp_path / "b" / "a.part")
    result.path.unlink()
    before = fault_server.bytes_sent
    options = {"output": "a"} if named else {}
    assert_whole(fetch(url, tmp_path / "b", **options), CONTENT)
    assert fault_server.bytes_sent == before


def test_a_file_that_a_killed_run_named_is_not_done_when_other_bytes_are_expected_now(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    url = fault_server.serve("/a", CONTENT)
    result = fetch(url, tmp_path).done()
    os.link(result.path, tmp_path / "a.part")
    fetch(url, tmp_path, output="a", checksum="00" * 32).failed(penstock.DigestMismatch)
    assert not (tmp_path / "a.part").exists()
