"""The fault server is right by default and wrong exactly as told; what tests conclude from it rests on this."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.servers.content import Content
from tests.servers.fault import LAST_MODIFIED, FaultServer, Reply, Request
from tests.servers.nginx import make_certificate
from tests.servers.raw import Answer, Client

CONTENT = Content(100_000, seed=9)
WHOLE = CONTENT.read(0, CONTENT.size)


@pytest.fixture
def get(fault_server: FaultServer) -> Callable[..., Answer]:
    """Ask for the file on a connection of its own."""
    fault_server.serve("/a.bin", CONTENT)

    def ask(*lines: str, path: str = "/a.bin", method: str = "GET") -> Answer:
        with Client(fault_server.port) as client:
            return client.get(path, *lines, method=method)

    return ask


Get = Callable[..., Answer]


def edit(server: FaultServer, change: Callable[[Reply], object]) -> None:
    """Change every reply."""

    def script(_request: Request, reply: Reply) -> None:
        change(reply)

    server.script = script


# Right by default


def test_a_plain_request_gets_everything(get: Get) -> None:
    answer = get()
    assert (answer.status, answer.body, answer.end) == (200, WHOLE, "whole")
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["last-modified"] == LAST_MODIFIED
    assert parsedate_to_datetime(answer.headers["date"])


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("0-", 0, 100_000), ("0-0", 0, 1), ("500-999", 500, 1000), ("99999-", 99_999, 100_000), ("5-200000", 5, 100_000),
     ("-100", 99_900, 100_000), ("-200000", 0, 100_000)],
)  # fmt: skip
def test_a_range_gets_that_range(get: Get, asked: str, start: int, stop: int) -> None:
    answer = get(f"Range: bytes={asked}")
    assert (answer.status, answer.body) == (206, WHOLE[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/100000"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,5-6"])
def test_a_range_without_sense_or_more_than_one_gets_everything(get: Get, asked: str) -> None:
    assert (get(f"Range: {asked}").status, get(f"Range: {asked}").body) == (200, WHOLE)


@pytest.mark.parametrize("asked", ["100000-", "-0"])
def test_a_range_outside_gets_416(get: Get, asked: str) -> None:
    answer = get(f"Range: bytes={asked}")
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */100000")


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"1"', 206), ('"2"', 200), ('W/"1"', 200), (LAST_MODIFIED, 206), ("Tue, 02 Jan 2024 00:00:00 GMT", 200),
     ("nonsense", 200)],
)  # fmt: skip
def test_if_range_decides(get: Get, condition: str, status: int) -> None:
    assert get("Range: bytes=10-", f"If-Range: {condition}").status == status


def test_head_gets_no_body_and_the_connection_is_kept(fault_server: FaultServer) -> None:
    fault_server.serve("/a.bin", CONTENT)
    with Client(fault_server.port) as client:
        assert client.get("/a.bin", method="HEAD").headers["content-length"] == "100000"
        assert client.get("/a.bin").body == WHOLE
    assert [(request.connection, request.turn) for request in fault_server.log] == [(1, 1), (1, 2)]


def test_connection_close_is_honoured(fault_server: FaultServer) -> None:
    fault_server.serve("/a.bin", CONTENT)
    with Client(fault_server.port) as client:
        client.get("/a.bin", "Connection: close")
        assert client.is_over()


def test_an_unknown_path_is_404_and_a_whole_url_is_its_path(fault_server: FaultServer, get: Get) -> None:
    assert get(path="/none").status == 404
    assert get(path=fault_server.url("/a.bin?x=http://e.org/")).status == 200


def test_big_files_need_no_room(fault_server: FaultServer) -> None:
    big = Content(2**32 + 1)
    fault_server.serve("/big", big)
    with Client(fault_server.port) as client:
        answer = client.get("/big", f"Range: bytes={2**32 - 5}-")
    assert answer.headers["content-range"] == "bytes 4294967291-4294967296/4294967297"
    assert answer.body == big.read(2**32 - 5, 2**32 + 1)


def test_a_file_can_change(fault_server: FaultServer, get: Get) -> None:
    other = Content(5, seed=2)
    fault_server.serve("/a.bin", other, etag='W/"2"', last_modified=None, ranges=False)
    answer = get("Range: bytes=1-")
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, other.read(0, 5), 'W/"2"')
    assert "last-modified" not in answer.headers


# Wrong as told


@pytest.mark.parametrize("after", [0, 1, 4097, 99_999])
def test_a_reset_comes_after_exactly_so_many_bytes(fault_server: FaultServer, get: Get, after: int) -> None:
    edit(fault_server, lambda reply: setattr(reply, "reset_after", after))
    answer = get()
    assert (answer.body, answer.end) == (WHOLE[:after], "reset")
    assert fault_server.bytes_sent_on(1) == after


def test_a_cut_body_ends_in_a_clean_close(fault_server: FaultServer, get: Get) -> None:
    edit(fault_server, lambda reply: setattr(reply, "close_after", 777))
    assert (get().body, get().end) == (WHOLE[:777], "closed")


def test_a_stall_is_silence_until_the_client_leaves(fault_server: FaultServer) -> None:
    fault_server.serve("/a.bin", CONTENT)
    edit(fault_server, lambda reply: setattr(reply, "stall_after", 500))
    with Client(fault_server.port) as client:
        client.ask("/a.bin")
        fault_server.wait_for(lambda: fault_server.bytes_sent == 500)
        assert fault_server.live == 1
    fault_server.wait_for(lambda: fault_server.live == 0)
    assert fault_server.bytes_sent == 500


def test_only_the_connection_that_was_told_misbehaves(fault_server: FaultServer, get: Get) -> None:
    def script(request: Request, reply: Reply) -> None:
        if request.connection == 2:
            reply.become(503, {"Retry-After": "7"})

    fault_server.script = script
    answers = [get() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 503, 200]
    assert answers[1].headers["retry-after"] == "7"
    assert [request.status for request in fault_server.log] == [200, 503, 200]


@pytest.mark.parametrize("fault", ["refuse", "silent"])
def test_a_request_may_be_refused_or_ignored(fault_server: FaultServer, fault: str) -> None:
    edit(fault_server, lambda reply: setattr(reply, fault, True))
    with Client(fault_server.port) as client:
        client.ask("/a.bin")
        fault_server.wait_for(lambda: len(fault_server.log) == 1)
        fault_server.close()  # ends the silence; a refusal is over by itself
        assert client.is_over()


def test_a_deaf_connection_is_accepted_and_never_read(fault_server: FaultServer) -> None:
    fault_server.deaf.add(1)
    with Client(fault_server.port) as deaf, Client(fault_server.port) as other:
        deaf.ask("/none")
        assert other.get("/none").status == 404
    assert [request.connection for request in fault_server.log] == [2]


def test_another_range_and_total_can_be_claimed(fault_server: FaultServer, get: Get) -> None:
    edit(fault_server, lambda reply: reply.claim(10, 20, "*"))
    answer = get("Range: bytes=50-")
    assert (answer.body, answer.headers["content-range"]) == (WHOLE[10:20], "bytes 10-19/*")


def test_a_body_may_be_longer_than_said_or_of_no_said_length(fault_server: FaultServer) -> None:
    fault_server.serve("/a.bin", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        reply.extra, reply.close = b"and more", True
        if request.connection == 2:
            reply.headers["Content-Length"] = ""

    fault_server.script = script
    with Client(fault_server.port) as client:
        assert client.get("/a.bin").body == WHOLE
        assert client.rest() == b"and more"
    with Client(fault_server.port) as client:
        answer = client.get("/a.bin")
        assert "content-length" not in answer.headers
        assert (answer.body, answer.end) == (WHOLE + b"and more", "closed")


def test_chunks_add_up_and_can_be_cut(fault_server: FaultServer, get: Get) -> None:
    fault_server.serve("/short", Content(5, seed=1))
    short = Content(5, seed=1).read(0, 5)

    def script(request: Request, reply: Reply) -> None:
        reply.chunked, reply.close = True, True
        reply.close_after = 3 if request.connection == 2 else None

    fault_server.script = script
    assert get(path="/short").body == b"5\r\n" + short + b"\r\n0\r\n\r\n"
    assert get(path="/short").body == b"3\r\n" + short[:3] + b"\r\n"


def test_exact_bytes_can_be_sent_and_the_connection_kept(fault_server: FaultServer) -> None:
    def script(_request: Request, reply: Reply) -> None:
        reply.raw, reply.keep_open = b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n", True

    fault_server.script = script
    with Client(fault_server.port) as client:
        client.ask("/")
        assert client.socket.recv(100) == b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n"
        assert fault_server.live == 1


def test_a_header_can_come_twice(fault_server: FaultServer) -> None:
    edit(fault_server, lambda reply: reply.more_headers.append(("ETag", '"other"')))
    with Client(fault_server.port) as client:
        fault_server.serve("/a.bin", CONTENT)
        client.ask("/a.bin", method="HEAD")
        head = client.socket.recv(65536).decode()
    assert [line for line in head.split("\r\n") if line.startswith("ETag")] == ['ETag: "1"', 'ETag: "other"']


def test_a_redirect_names_another_place(fault_server: FaultServer, get: Get) -> None:
    def script(request: Request, reply: Reply) -> None:
        if request.path == "/from":
            reply.redirect("/a.bin", 307)

    fault_server.script = script
    answer = get(path="/from")
    assert (answer.status, answer.headers["location"], answer.body) == (307, "/a.bin", b"")


def test_an_old_server_closes_after_each_answer(fault_server: FaultServer) -> None:
    fault_server.serve("/a.bin", CONTENT)
    edit(fault_server, lambda reply: setattr(reply, "version", "HTTP/1.0"))
    with Client(fault_server.port) as client:
        assert client.get("/a.bin").body == WHOLE
        assert client.is_over()


def test_connections_past_a_number_can_be_turned_away(fault_server: FaultServer) -> None:
    def script(_request: Request, reply: Reply) -> None:
        if fault_server.live > 1:
            reply.become(429)

    fault_server.script = script
    fault_server.serve("/a.bin", CONTENT)
    with Client(fault_server.port) as first:
        assert first.get("/a.bin").status == 200
        with Client(fault_server.port) as second:
            assert second.get("/a.bin").status == 429
        fault_server.wait_for(lambda: fault_server.live == 1)
        assert first.get("/a.bin").status == 200


def test_what_a_script_raises_is_kept_and_the_connection_reset() -> None:
    def script(_request: Request, _reply: Reply) -> None:
        raise ValueError("a bug in a test")

    with FaultServer() as server:
        server.script = script
        with Client(server.port) as client:
            client.ask("/")
            assert client.is_over()
        [error] = server.errors
        assert str(error) == "a bug in a test"


# Time


def test_connections_have_their_rates_in_turn(fault_server: FaultServer) -> None:
    fault_server.serve("/a.bin", CONTENT)
    fault_server.rates = [400_000, 200_000]
    seconds = []
    for _ in range(2):
        started = time.monotonic()
        with Client(fault_server.port) as client:
            assert client.get("/a.bin").body == WHOLE
        seconds.append(time.monotonic() - started)
    assert 0.24 < seconds[0] < 0.4
    assert 0.49 < seconds[1] < 0.65


def test_a_trickle_begins_where_it_is_told(fault_server: FaultServer) -> None:
    fault_server.serve("/a.bin", CONTENT)

    def script(_request: Request, reply: Reply) -> None:
        reply.trickle_after, reply.trickle_rate = 60_000, 20.0

    fault_server.script = script
    with Client(fault_server.port) as client:
        client.ask("/a.bin")
        fault_server.wait_for(lambda: fault_server.bytes_sent > 60_000)
        assert fault_server.bytes_sent <= 60_006  # a quarter of a second's worth at most
        fault_server.wait_for(lambda: fault_server.bytes_sent > 60_002)


def test_a_round_trip_is_waited_for_once_a_connection_and_once_a_request(fault_server: FaultServer) -> None:
    fault_server.round_trip = 0.1
    started = time.monotonic()
    with Client(fault_server.port) as client:
        client.get("/none")
        first = time.monotonic() - started
        client.get("/none")
        second = time.monotonic() - started - first
    assert 0.2 <= first < 0.3
    assert 0.1 <= second < 0.2


# Ends


def test_closing_resets_at_once_whatever_was_going_on(fault_server: FaultServer) -> None:
    """One idle, one stalled, one paced, and one that does not read what it asked for."""
    fault_server.serve("/a.bin", CONTENT)
    fault_server.serve("/endless", Content(2**50))

    def script(request: Request, reply: Reply) -> None:
        reply.stall_after = 5 if request.connection == 2 else None
        reply.rate = 50_000 if request.connection == 3 else None

    fault_server.script = script
    clients = [Client(fault_server.port, receive_buffer=4096) for _ in range(4)]
    for number, client in enumerate(clients, 1):
        fault_server.wait_for(lambda number=number: fault_server.connections >= number)  # type: ignore[misc]
        client.ask("/endless" if number == 4 else "/a.bin")
        fault_server.wait_for(lambda number=number: fault_server.bytes_sent_on(number) > 0)  # type: ignore[misc]
    started = time.monotonic()
    fault_server.close()
    assert time.monotonic() - started < 2
    assert fault_server.live == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "fault-server"]
    ends = []
    for client in clients:
        ends.append(client.read().end)
        client.socket.close()
    assert ends[1:] == ["reset"] * 3
    with pytest.raises(ConnectionRefusedError):
        Client(fault_server.port)


def test_it_comes_back_on_the_same_port(fault_server: FaultServer, get: Get) -> None:
    port = fault_server.port
    assert get().status == 200
    fault_server.close()
    fault_server.restart()
    assert (fault_server.port, get().body) == (port, WHOLE)
    assert [request.connection for request in fault_server.log] == [1, 2]


def test_waiting_in_vain_is_an_error(fault_server: FaultServer) -> None:
    with pytest.raises(TimeoutError):
        fault_server.wait_for(lambda: False, seconds=0.01)


# TLS


def test_over_tls_it_is_the_same_server(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    trust = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with FaultServer(context=context) as server, Client(server.port) as client, Client(server.port) as idle:
        server.serve("/a.bin", CONTENT)
        edit(server, lambda reply: setattr(reply, "reset_after", 50_000))
        client.socket = trust.wrap_socket(client.socket, server_hostname="localhost")
        answer = client.get("/a.bin")
        assert answer.body == WHOLE[:50_000]
        assert answer.end in {"closed", "reset"}  # Python's ssl called a reset a close before 3.13
        started = time.monotonic()
        server.close()  # although `idle` never began to speak TLS
        assert time.monotonic() - started < 2
        idle.rest()  # there is an end to it
