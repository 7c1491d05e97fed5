"""Connections that break, stall or are turned away cost a retry, never bytes."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

import penstock
from penstock.events import Retried, Warned
from tests.engine.helpers import MB, assert_whole, at_rate, become, fetch, soundly
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

CONTENT = Content(6 * MB)
LONGER = Content(16 * MB)


def test_F14_bodies_cut_short_are_completed(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        if request.number < 4:
            reply.close_after = 400_000

    fault_server.script = script
    story = fetch(url, tmp_path)
    assert_whole(story, CONTENT)
    assert story.all(Retried)


def test_F14_a_stream_cut_short_is_read_again_past_what_is_there(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT, ranges=False)

    def script(request: Request, reply: Reply) -> None:
        if request.number < 3:
            reply.close_after = 2 * MB

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F16_without_a_length_the_end_is_a_close_and_a_warning(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT, ranges=False)

    def script(_request: Request, reply: Reply) -> None:
        reply.headers["Content-Length"] = ""
        reply.close = True

    fault_server.script = script
    story = fetch(url, tmp_path)
    assert_whole(story, CONTENT)
    assert "cannot be checked" in story.all(Warned)[0].message


def test_F16_without_a_length_a_reset_begins_again(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT, ranges=False)

    def script(request: Request, reply: Reply) -> None:
        reply.headers["Content-Length"] = ""
        reply.close = True
        if request.number < 4:
            reply.reset_after = 1 * MB * request.number

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F16_a_stream_that_always_breaks_at_one_place_ends_in_an_error(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    url = fault_server.serve("/a", CONTENT, ranges=False)

    def script(_request: Request, reply: Reply) -> None:
        reply.headers["Content-Length"] = ""
        reply.reset_after = 1 * MB

    fault_server.script = script
    fetch(url, tmp_path, max_tries=3).failed(penstock.NetworkError)
    assert len(fault_server.log) <= 5


def test_F17_a_chunked_body_cut_short_is_not_taken_for_whole(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT, ranges=False)

    def script(request: Request, reply: Reply) -> None:
        reply.chunked = True
        if request.number < 3:
            reply.close_after = 1 * MB

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F17_a_bad_chunk_header_is_an_error(fault_server: FaultServer, tmp_path: Path) -> None:
    def script(_request: Request, reply: Reply) -> None:
        reply.raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nzz\r\nfg\r\n0\r\n\r\n"

    fault_server.script = script
    fetch(fault_server.url("/a"), tmp_path, max_tries=2).failed(penstock.DownloadError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(4))
def test_F19_resets_at_any_byte_on_any_connection(fault_server: FaultServer, tmp_path: Path, seed: int) -> None:
    url = fault_server.serve("/a", CONTENT)
    dice = random.Random(seed)

    def script(request: Request, reply: Reply) -> None:
        if request.number < 20:
            reply.reset_after = dice.choice([0, 1, dice.randrange(300_000)])

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F20_silence_before_or_after_the_head_hurts_no_other(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        reply.silent = request.number in {2, 3}
        if request.number == 4:
            reply.stall_after = 0

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F20_silence_of_the_only_connection_is_ended_by_the_stall_timeout(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        if request.number == 1:
            reply.stall_after = 1 * MB

    fault_server.script = script
    story = fetch(url, tmp_path, max_connections=1, stall_timeout=0.5)
    assert_whole(story, CONTENT)
    assert "silent" in story.all(Retried)[0].why


def test_F20_silence_on_the_first_request_is_tried_again(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        reply.silent = request.number == 1
        if request.number == 2:
            reply.stall_after = 0

    fault_server.script = script
    assert_whole(fetch(url, tmp_path, connect_timeout=0.4, stall_timeout=0.4), CONTENT)


def test_F21_a_trickle_loses_its_remainder(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        reply.rate = 10 if request.connection == 2 else 4 * MB

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)
    assert fault_server.bytes_sent_on(2) < 1000


@pytest.mark.parametrize("status", [429, 503])
def test_F22_no_attempt_before_retry_after(fault_server: FaultServer, tmp_path: Path, status: int) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        if request.number < 3:
            become(reply, status, Retry_After="1")

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)
    times = [request.at for request in fault_server.log]
    assert times[1] - times[0] >= 1
    assert times[2] - times[1] >= 1


def test_F22_an_absurd_retry_after_is_an_error_that_says_when(fault_server: FaultServer, tmp_path: Path) -> None:
    def script(_request: Request, reply: Reply) -> None:
        become(reply, 503, Retry_After="86400")

    fault_server.script = script
    error = fetch(fault_server.url("/a"), tmp_path).failed(penstock.ServerRefused)
    assert "24 hours" in str(error)
    assert len(fault_server.log) == 1


@pytest.mark.parametrize("status", [408, 425, 500, 502, 504, 520, 521, 522, 523, 524])
def test_F23_passing_troubles_are_waited_out(fault_server: FaultServer, tmp_path: Path, status: int) -> None:
    small = Content(1000)
    url = fault_server.serve("/a", small)

    def script(request: Request, reply: Reply) -> None:
        if request.number == 1:
            become(reply, status)

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), small)


@pytest.mark.parametrize("how", ["503", "429", "403", "reset"])
def test_F25_an_origin_that_lets_in_three_is_asked_by_three(
    fault_server: FaultServer, tmp_path: Path, how: str
) -> None:
    url = fault_server.serve("/a", LONGER)
    refusals = []

    def script(request: Request, reply: Reply) -> None:
        reply.rate = 3 * MB
        if fault_server.live <= 3:
            return
        refusals.append(request.number)
        reply.close = True
        if how == "reset":
            reply.refuse = True
        else:
            become(reply, int(how))

    fault_server.script = script
    result = assert_whole(fetch(url, tmp_path, max_connections=16), LONGER)
    assert 1 <= len(refusals) <= 16  # without a memory of refusals there would be hundreds
    assert result.connections >= 3


def test_F25_what_was_to_be_stolen_by_those_turned_away_comes_over_the_connections_there_are(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    """Each steal cuts a segment; when its thief is refused, the robbed answer still brings what was cut off."""
    refused: set[int] = set()

    def script(request: Request, reply: Reply) -> None:
        reply.rate = 3 * MB
        if request.connection > 4 and len(refused) < 4:
            refused.add(request.connection)
            become(reply, 503)

    fault_server.script = script
    whole = Content(20 * MB)
    assert_whole(fetch(fault_server.serve("/a", whole), tmp_path, max_connections=16), whole)
    assert len(refused) == 4
    let_in = {request.connection for request in fault_server.log} - refused
    assert len(let_in) == 4
    assert len(fault_server.log) == 8


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_F31_connections_that_close_each_time_or_lie_about_it(
    fault_server: FaultServer, tmp_path: Path, version: str
) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(_request: Request, reply: Reply) -> None:
        reply.version = version
        reply.close = True
        reply.headers["Connection"] = "keep-alive"

    fault_server.script = script
    assert_whole(fetch(url, tmp_path), CONTENT)


def test_F47_a_server_that_restarts_is_waited_for(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)
    fault_server.script = at_rate(1 * MB)

    def restart() -> None:
        fault_server.wait_for(lambda: fault_server.bytes_sent > 1 * MB)
        fault_server.close()
        fault_server.script = soundly
        fault_server.restart()

    restarting = threading.Thread(target=restart)
    restarting.start()
    assert_whole(fetch(url, tmp_path), CONTENT)
    restarting.join()
