"""Servers that are wrong about ranges: no byte of theirs lands where it does not belong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import penstock
from penstock.core.ranges import RangeSet
from penstock.core.resume import Record
from penstock.events import Probed, Restarted, Warned
from penstock.model import Validator
from penstock.store.directory import Directory
from penstock.store.journal import Journal
from tests.engine.helpers import MB, assert_whole, at_rate, become, fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

CONTENT = Content(6 * MB)


def test_F01_a_server_without_ranges_is_read_as_one_stream(fault_server: FaultServer, tmp_path: Path) -> None:
    story = fetch(fault_server.serve("/a", CONTENT, ranges=False), tmp_path)
    assert assert_whole(story, CONTENT).connections == 1
    assert fault_server.bytes_sent == CONTENT.size
    assert [event.accepts_ranges for event in story.all(Probed)] == [False]


def test_F02_ranges_that_stop_working_end_in_one_stream(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        reply.rate = 3 * MB
        if request.number > 2:
            reply.status, reply.start, reply.stop = 200, 0, CONTENT.size
            reply.headers.pop("Content-Range", None)

    fault_server.script = script
    story = fetch(url, tmp_path)
    assert_whole(story, CONTENT)
    assert any("one stream" in event.message for event in story.all(Warned))


def test_F02_a_200_of_another_file_restarts(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", Content(6 * MB, seed=5))

    def script(request: Request, reply: Reply) -> None:
        if request.number == 2:
            fault_server.serve("/a", CONTENT, etag='"2"', ranges=False)
        if request.number >= 2:
            reply.__dict__.update(fault_server.correct_reply(request).__dict__)

    fault_server.script = script
    story = fetch(url, tmp_path)
    assert assert_whole(story, CONTENT).connections >= 1
    assert len(story.all(Restarted)) == 1


@pytest.mark.parametrize("value", ["", "bytes 0-10/6000000", "bytes 5-2/1", "bytes */6000000"])
@pytest.mark.parametrize("since", [1, 2])
def test_F03_a_wrong_content_range_is_refused_and_ends_in_one_stream(
    fault_server: FaultServer, tmp_path: Path, value: str, since: int
) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        if request.number >= since and reply.status == 206:
            reply.headers["Content-Range"] = value

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F04_shorter_ranges_are_taken_and_the_rest_asked_again(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(_request: Request, reply: Reply) -> None:
        reply.stop = min(reply.stop, reply.start + 300_000)
        reply.headers["Content-Range"] = f"bytes {reply.start}-{reply.stop - 1}/{CONTENT.size}"

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)
    assert len(fault_server.log) >= 20


def test_F06_multipart_is_refused_and_read_as_one_stream(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(_request: Request, reply: Reply) -> None:
        if reply.status == 206:
            reply.headers["Content-Type"] = "multipart/byteranges; boundary=x"

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F09_a_change_in_between_drops_every_byte_of_the_old_file(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", Content(6 * MB, seed=5))

    def script(request: Request, reply: Reply) -> None:
        if request.number == 3:
            fault_server.serve("/a", CONTENT, etag='"2"')
        if request.number >= 3:
            reply.__dict__.update(fault_server.correct_reply(request).__dict__)
        reply.rate = 3 * MB

    fault_server.script = script
    story = fetch(url, tmp_path)
    assert_whole(story, CONTENT)
    assert "ETag" in story.all(Restarted)[0].why


def test_F09_a_file_that_never_stays_the_same_is_an_error(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        reply.headers["ETag"] = f'"{request.number}"'
        reply.rate = 4 * MB

    fault_server.script = script
    error = fetch(url, tmp_path).failed(penstock.RepresentationChanged)
    assert error.reason is penstock.Reason.CHANGED
    assert "keeps changing" in str(error)


def test_F15_bytes_behind_the_end_are_never_written(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(_request: Request, reply: Reply) -> None:
        reply.extra = b"x" * 1000

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F15_a_range_longer_than_asked_is_cut(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(_request: Request, reply: Reply) -> None:
        if reply.status == 206:
            reply.claim(reply.start, CONTENT.size, CONTENT.size)

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F18_compressed_though_asked_not_to_is_decoded_as_one_stream(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.txt.gz", CONTENT)
    packed = gzip.compress(CONTENT.read(0, CONTENT.size))

    def script(_request: Request, reply: Reply) -> None:
        reply.headers["Content-Encoding"] = "gzip"
        if reply.status == 206:
            reply.headers["Content-Range"] = f"bytes 0-{len(packed) - 1}/{len(packed)}"
        reply.body = packed

    fault_server.script = script
    assert assert_whole(fetch(url, tmp_path), CONTENT).path.name == "a.txt"


@pytest.mark.parametrize("ranges", [True, False])
def test_F29_an_empty_file_is_an_empty_target(fault_server: FaultServer, tmp_path: Path, ranges: bool) -> None:
    empty = Content(0)
    assert_whole(fetch(fault_server.serve("/e", empty, ranges=ranges), tmp_path), empty)


def test_F29_a_416_of_nothing_is_an_empty_target(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = lambda _request, reply: become(reply, 416, Content_Range="bytes */0")
    for options in ({}, {"output": "named"}):
        assert_whole(fetch(fault_server.url("/e"), tmp_path / str(len(options)), **options), Content(0))


@pytest.mark.parametrize("size", [1, 2, 16384, 262_144, 262_145, 1_048_577])
def test_F30_small_and_odd_sizes(fault_server: FaultServer, tmp_path: Path, size: int) -> None:
    content = Content(size)
    assert_whole(fetch(fault_server.serve("/s", content), tmp_path), content)


@pytest.mark.parametrize("size", [2**31, 2**32, 2**32 + 1])
def test_F30_around_31_and_32_bits_every_byte_lands_in_its_place(
    fault_server: FaultServer, tmp_path: Path, size: int
) -> None:
    """All but 1,000 bytes at each end and around 2^31 is said to be there already, so that only these are fetched."""
    wanted = [(0, 1000), (2**31 - 500, min(2**31 + 500, size)), (size - 1000, size)]
    done = RangeSet([(0, size)])
    for piece in wanted:
        done.remove(*piece)
    url = fault_server.serve("/big", Content(size))
    with (tmp_path / "big.part").open("wb") as part:
        part.truncate(size)
    record = Record(
        url, size, Validator("etag", '"1"'), '"1"', None, tuple((piece.start, piece.stop) for piece in done)
    )
    Journal(Directory.open(tmp_path), "big").replace(record)
    result = fetch(url, tmp_path).done()
    assert (result.size, result.fetched) == (size, size - done.size)
    with result.path.open("rb") as file:
        for start, stop in wanted:
            file.seek(start)
            assert file.read(stop - start) == Content(size).read(start, stop)


def test_S14_a_body_over_the_maximum_is_refused(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    assert fetch(url, tmp_path, max_size=1 * MB).failed(penstock.DownloadError).reason is penstock.Reason.TOO_LARGE
    fault_server.serve("/a", CONTENT, ranges=False)

    def script(_request: Request, reply: Reply) -> None:
        reply.chunked = True

    fault_server.script = script
    assert fetch(url, tmp_path, max_size=1 * MB).failed(penstock.DownloadError).reason is penstock.Reason.TOO_LARGE


def test_S24_conflicting_lengths_are_refused(fault_server: FaultServer, tmp_path: Path) -> None:
    def script(_request: Request, reply: Reply) -> None:
        reply.raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"

    fault_server.script = script
    fetch(fault_server.url("/a"), tmp_path, max_tries=2).failed(penstock.DownloadError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [403, 404])
def test_F24_a_link_that_ran_out_keeps_what_came_for_a_fresh_one(
    fault_server: FaultServer, tmp_path: Path, status: int
) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        reply.rate = 2 * MB
        if request.number > 4:
            become(reply, status)
        else:
            reply.reset_after = 300_000

    fault_server.script = script
    error = fetch(url, tmp_path, output="a").failed(penstock.ServerRefused)
    assert error.resumable
    assert f"HTTP {status}" in str(error)
    fault_server.script = at_rate(50 * MB)
    fresh = fault_server.serve("/b", CONTENT)
    assert "holds bytes from" in str(fetch(fresh, tmp_path, output="a").failed(penstock.CannotResume))
    result = assert_whole(fetch(fresh, tmp_path, output="a", adopt=True), CONTENT)
    assert result.resumed >= 600_000
