"""S13, S14, S15, S24: whatever a server sends without end, or beyond what it said, is bounded."""

from __future__ import annotations

import gzip
import itertools
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.model import Head
from tests.cli.command import penstock as run
from tests.conftest import remount, sha256
from tests.engine.helpers import fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
#: Bytes that a server gets rid of before it is given up, at most. Loopback brings gigabytes a second.
BOUND = 4_000_000
ENDLESS = {
    "a header line": [OK + b"X: ", b"a" * 65536],
    "headers": [OK, b"X: y\r\n" * 5000],
    "interim answers": [b"", b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * 100],
    "a chunk's size": [CHUNKED, b"0" * 65536],
    "trailers": [CHUNKED + b"5\r\nabcde\r\n0\r\n", b"X: y\r\n" * 5000],
    "a trailer's line": [CHUNKED + b"5\r\nabcde\r\n0\r\nX: ", b"y" * 65536],
}
SAID = {
    "a body that ends with the connection": OK + b"\r\n",
    "chunks": None,
    "a length": OK + b"Content-Length: 9223372036854775807\r\n\r\n",
}


def endlessly(beginning: bytes, again: bytes) -> Iterable[bytes]:
    return itertools.chain([beginning], itertools.repeat(again))


def fetch_many(url: str, directory: Path, **options: Any) -> penstock.Summary:
    with penstock.Downloader() as downloader:
        return downloader.submit_many([url], directory=directory, **options).result()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("what", ENDLESS)
@pytest.mark.parametrize("way", ["one", "many", "page"])
def test_S13_endless_heads_and_trailers_are_cut_off(
    fault_server: FaultServer, tmp_path: Path, what: str, way: str
) -> None:
    fault_server.script = lambda _request, reply: setattr(reply, "pieces", endlessly(*ENDLESS[what]))
    url = fault_server.url("/a")
    if way == "one":
        error = fetch(url, tmp_path, max_tries=1).failed(penstock.DownloadError)
        assert isinstance(error, penstock.ProtocolError) or what == "a trailer's line"
    elif way == "many":
        assert fetch_many(url, tmp_path, max_tries=1).failed == 1
    else:
        with penstock.Downloader() as downloader, pytest.raises(penstock.DownloadError):
            downloader.read(url, 1000_000, max_tries=1).result()
    assert not (tmp_path / "a").exists()
    fault_server.wait_for(lambda: fault_server.live == 0)
    assert fault_server.bytes_sent < BOUND


@pytest.mark.timeout(30)
@pytest.mark.parametrize("beginning", [CHUNKED + b"5;", CHUNKED + b"5\r\nabcde\r\n5;"], ids=["first", "later"])
def test_S13_an_endless_chunk_extension_is_silence(fault_server: FaultServer, tmp_path: Path, beginning: bytes) -> None:
    fault_server.script = lambda _request, reply: setattr(reply, "pieces", endlessly(beginning, b"a" * 65536))
    error = fetch(fault_server.url("/a"), tmp_path, max_tries=1, connect_timeout=0.2, stall_timeout=0.3)
    assert error.failed(penstock.NetworkError).reason is penstock.Reason.TIMEOUT
    assert not (tmp_path / "a").exists()


def test_S13_a_million_headers_are_put_together_in_linear_time() -> None:
    compared = 0

    class Counted(str):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    size = 5000
    Head(200, tuple((Counted(f"x{number // 2}"), "y") for number in range(size)))
    assert compared < 10 * size


def assert_too_large(url: str, directory: Path, way: str) -> None:
    """It is refused beyond a MB, fetched by itself or as one of many."""
    if way == "one":
        error = fetch(url, directory, max_size=1_000_000).failed(penstock.DownloadError)
        assert error.reason is penstock.Reason.TOO_LARGE
    else:
        assert fetch_many(url, directory, max_size=1_000_000).failed == 1


@pytest.mark.timeout(30)
@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("way", ["one", "many"])
def test_S14_an_endless_body_stops_at_max_size(fault_server: FaultServer, tmp_path: Path, said: str, way: str) -> None:
    beginning, again = SAID[said], b"a" * 65536
    pieces = [beginning, again] if beginning is not None else [CHUNKED, b"10000\r\n" + again + b"\r\n"]
    fault_server.script = lambda _request, reply: setattr(reply, "pieces", endlessly(*pieces))
    assert_too_large(fault_server.url("/a"), tmp_path, way)
    assert not (tmp_path / "a").exists()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1_000_000


@pytest.mark.parametrize("size", [2000, 3_000_000])
def test_S14_bytes_beyond_what_was_said_are_not_written(fault_server: FaultServer, tmp_path: Path, size: int) -> None:
    content = Content(size, seed=7)
    url = fault_server.serve("/a", content)
    fault_server.script = lambda _request, reply: setattr(reply, "extra", b"EXTRA" * 1000)
    assert sha256(fetch(url, tmp_path / "one").done().path) == content.sha256
    assert fetch_many(url, tmp_path / "many").done == 1
    assert sha256(tmp_path / "many" / "a") == content.sha256


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="nobody tells what is free")
@pytest.mark.parametrize("said", ["a body that ends with the connection", "a length"])
def test_S14_a_disk_is_not_filled_up_by_one_file(fault_server: FaultServer, small_disk: Path, said: str) -> None:
    remount(small_disk, "size=64m")
    beginning = SAID[said]
    assert beginning is not None
    if said == "a length":
        beginning = OK + b"Content-Length: 80000000\r\n\r\n"
    least = []

    def pieces() -> Iterator[bytes]:
        yield beginning
        while True:
            free = os.statvfs(small_disk)
            least.append(free.f_bavail * free.f_frsize)
            yield bytes(65536)

    fault_server.script = lambda _request, reply: setattr(reply, "pieces", pieces())
    told = run(fault_server.url("/a"), "-d", str(small_disk), "--limit-rate", "60M")
    assert told.returncode == 3, told.stderr
    assert "the disk is full" in told.stderr
    assert min(least) > 1_000_000
    assert not (small_disk / "a").exists()


@pytest.mark.parametrize("way", ["one", "many"])
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_S15_a_bomb_is_not_unpacked_beyond_max_size(
    fault_server: FaultServer, tmp_path: Path, way: str, coding: str
) -> None:
    bomb = gzip.compress(bytes(50_000_000), 1) if coding == "gzip" else zlib.compress(bytes(50_000_000), 1)
    fault_server.script = lambda _request, reply: reply.become(200, {"Content-Encoding": coding}, bomb)
    assert_too_large(fault_server.url("/a"), tmp_path, way)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1_000_000


def test_S15_a_page_that_is_a_bomb_is_cut(fault_server: FaultServer) -> None:
    bomb = gzip.compress(bytes(50_000_000), 1)
    fault_server.script = lambda _request, reply: reply.become(200, {"Content-Encoding": "gzip"}, bomb)
    with penstock.Downloader() as downloader:
        assert len(downloader.read(fault_server.url("/"), 1000).result().content) == 1000


def test_S15_ranges_of_a_compressed_form_are_never_unpacked(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(3_000_000, seed=8)
    url = fault_server.serve("/a", content)

    def script(request: Request, reply: Reply) -> None:
        if request.start is not None and reply.status == 206 and request.number > 1:
            reply.headers["Content-Encoding"] = "gzip"
        reply.rate = 3e6

    fault_server.script = script
    assert sha256(fetch(url, tmp_path).done().path) == content.sha256


LENGTHS = ["+5", "5, 6", "18446744073709551616", "99999999999999999999999", "-5", "5 5", "0x5", "5;", "\x0b5", "",
           "5\r\nContent-Length: 6", "5.0", "\xb2"]  # fmt: skip


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("way", ["one", "many"])
def test_S24_no_length_but_a_plain_number_is_taken(
    fault_server: FaultServer, tmp_path: Path, length: str, way: str
) -> None:
    raw = OK + f"Content-Length: {length}\r\n\r\nabcdeGARBAGE".encode("latin-1")
    fault_server.script = lambda _request, reply: setattr(reply, "raw", raw)
    if way == "one":
        fetch(fault_server.url("/a"), tmp_path, max_tries=1).failed(penstock.ProtocolError)
    else:
        assert fetch_many(fault_server.url("/a"), tmp_path, max_tries=1).failed == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", ["5", "5, 5", "5\r\nContent-Length: 5"])
def test_S24_equal_lengths_are_one(fault_server: FaultServer, tmp_path: Path, length: str) -> None:
    fault_server.script = lambda _request, reply: setattr(
        reply, "raw", OK + f"Content-Length: {length}\r\n\r\nabcdeGARBAGE".encode()
    )
    assert fetch(fault_server.url("/a"), tmp_path).done().path.read_bytes() == b"abcde"


RANGES = ["bytes 0-9223372036854775807/9223372036854775808", "bytes 0-18446744073709551615/18446744073709551616",
          "bytes -1-4/5", "bytes 0-+4/5", "bytes 5-0/5", "bytes 0-4/4", "bytes 0-4/-5",
          "bytes 0-99999999999999999999/*"]  # fmt: skip


@pytest.mark.parametrize("claim", RANGES)
def test_S24_no_range_that_makes_no_sense_is_written(fault_server: FaultServer, tmp_path: Path, claim: str) -> None:
    content = Content(5000, seed=9)
    url = fault_server.serve("/a", content)

    def script(request: Request, reply: Reply) -> None:
        if reply.status == 206:
            reply.headers["Content-Range"] = claim

    fault_server.script = script
    assert sha256(fetch(url, tmp_path).done().path) == content.sha256
    assert (tmp_path / "a").stat().st_size == 5000
