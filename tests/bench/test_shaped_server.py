"""The server of shaped links refuses past its cap, and runs dry where it is told to."""

from __future__ import annotations

import contextlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from bench.links import FREE, Links
from bench.shaped_server import ShapedServer

SIZE = 8 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[ShapedServer]:
    with ShapedServer(SIZE) as running:
        yield running


def test_past_the_cap_comes_503(server: ShapedServer) -> None:
    server.begin(Links("", "", (1.0,), cap=1))
    with urllib.request.urlopen(server.url) as first:
        first.read(1)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server.url)
        refused.value.close()
        assert refused.value.code == 503
    assert server.refusals() == 1
    server.begin(FREE)
    assert server.refusals() == 0


def test_it_runs_dry_after_so_many_bytes_and_comes_back(server: ShapedServer) -> None:
    enough = SIZE // 2
    server.begin_and_stop(enough)
    where = urlsplit(server.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port or 0, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", where.path)
        got = len(connection.getresponse().read(enough))
        server.await_stop(enough, 20.0)
        assert got == enough
        assert enough <= server.sent() < SIZE
    server.restart()
    server.begin(FREE)
    with urllib.request.urlopen(server.url) as answer:
        assert len(answer.read()) == SIZE
