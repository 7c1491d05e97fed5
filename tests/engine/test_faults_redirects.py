"""Redirects lead where they may, and nothing secret goes along."""

from __future__ import annotations

from pathlib import Path

import pytest

import penstock
from penstock.events import Restarted
from tests.engine.helpers import MB, assert_whole, at_rate, become, fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

CONTENT = Content(6 * MB)


def test_F26_a_chain_relative_and_with_a_fragment(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.serve("/d/b", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        number = request.path[1:]
        if number.isdigit():
            become(reply, 302, Location=f"/{int(number) + 1}" if int(number) < 5 else "d/b#fragment")

    fault_server.script = script
    result = assert_whole(fetch(fault_server.url("/1"), tmp_path), CONTENT)
    assert result.final_url == fault_server.url("/d/b")
    assert sum(request.path[1:].isdigit() for request in fault_server.log) == 5, "later segments go straight there"
    assert result.path.name == "1", "S03: the name comes from the URL that was asked for"


def test_F26_a_loop_ends_after_twenty(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = lambda _request, reply: become(reply, 302, Location="/loop")
    error = fetch(fault_server.url("/loop"), tmp_path).failed(penstock.ServerRefused)
    assert error.reason is penstock.Reason.REDIRECT
    assert len(fault_server.log) == 21


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1:1/"])
def test_S07_other_schemes_are_not_followed(fault_server: FaultServer, tmp_path: Path, location: str) -> None:
    fault_server.script = lambda _request, reply: become(reply, 302, Location=location)
    error = fetch(fault_server.url("/a"), tmp_path).failed(penstock.ServerRefused)
    assert error.reason is penstock.Reason.REDIRECT


def test_F27_segments_stay_with_the_first_place_that_a_redirect_led_to(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    """Each request for the link leads to another host, and no two of them agree on the ETag."""
    with FaultServer() as one, FaultServer() as two:
        places = [host.serve("/f", CONTENT, etag=f'"{name}"') for name, host in (("one", one), ("two", two))]
        asked = 0

        def script(_request: Request, reply: Reply) -> None:
            nonlocal asked
            become(reply, 302, Location=places[asked % 2])
            asked += 1

        fault_server.script = script
        url = fault_server.url("/a")
        story = fetch(url, tmp_path / "whole")
        assert_whole(story, CONTENT)
        assert (asked, len(two.log), len(one.log) > 1) == (1, 0, True)
        assert not story.all(Restarted)

        # interrupted, and led elsewhere by the next run: another ETag, so it may be another file (F05)
        asked, one.script = 0, at_rate(1 * MB)
        fetch(url, tmp_path / "again", deadline=0.8).failed(penstock.DownloadError)
        asked = 1
        again = fetch(url, tmp_path / "again")
        assert assert_whole(again, CONTENT).resumed == 0
        assert "ETag" in again.all(Restarted)[0].why


def test_F28_a_final_link_that_runs_out_is_asked_for_again(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.serve("/f", CONTENT)
    issued = 0

    def script(request: Request, reply: Reply) -> None:
        nonlocal issued
        reply.rate = 2 * MB
        if request.path == "/a":
            issued += 1
            become(reply, 302, Location=f"/f?{issued}")
        elif request.path != f"/f?{issued}" or (issued == 1 and request.number > 4):
            become(reply, 403)
        elif issued == 1:
            reply.reset_after = 300_000

    fault_server.script = script
    assert_whole(fetch(fault_server.url("/a"), tmp_path), CONTENT)
    assert issued == 2


def test_F26_S05_secrets_stay_with_the_origin_they_were_given_for(fault_server: FaultServer, tmp_path: Path) -> None:
    with FaultServer() as other:
        target = other.serve("/f", CONTENT)
        fault_server.script = lambda _request, reply: become(reply, 302, Location=target)
        url = fault_server.url("/a").replace("://", "://user:s3cret@")
        story = fetch(url, tmp_path, headers={"X-Key": "k3y"}, cookies="a=b")
        result = assert_whole(story, CONTENT)
        asked = fault_server.log[0].headers
        assert asked["authorization"].startswith("Basic ")
        assert (asked["x-key"], asked["cookie"]) == ("k3y", "a=b")
        assert len(other.log) > 1
        for request in other.log:
            assert not {"authorization", "x-key", "cookie"} & request.headers.keys()
    assert "s3cret" not in repr([result, *story.events])


def test_S05_later_segments_of_the_same_origin_carry_them(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    assert_whole(fetch(url, tmp_path, credentials="user:pw", headers={"X-Key": "k3y"}), CONTENT)
    assert len(fault_server.log) > 1
    assert all({"authorization", "x-key"} <= request.headers.keys() for request in fault_server.log)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_F24_a_refusal_at_the_start_is_an_error_at_once(fault_server: FaultServer, tmp_path: Path, status: int) -> None:
    fault_server.script = lambda _request, reply: become(reply, status)
    error = fetch(fault_server.url("/a"), tmp_path).failed(penstock.ServerRefused)
    assert f"HTTP {status}" in str(error)
    assert not error.resumable
    assert len(fault_server.log) == 1
    assert list(tmp_path.iterdir()) == []


def test_every_request_asks_for_identity(fault_server: FaultServer, tmp_path: Path) -> None:
    fetch(fault_server.serve("/a", CONTENT), tmp_path)
    assert {request.headers["accept-encoding"] for request in fault_server.log} == {"identity"}
    assert fault_server.log[0].headers["range"] == "bytes=0-"
    assert all(request.headers["if-range"] == '"1"' for request in fault_server.log[1:])
