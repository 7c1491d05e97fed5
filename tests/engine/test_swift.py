"""Small files in a row on few reused requests, with everything out of the ordinary in between."""

from __future__ import annotations

import gzip
import socket
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.engine import deliveries
from penstock.engine.opening import COLLECT_SECONDS
from penstock.engine.runner import LOOK_SECONDS
from penstock.store import deliver
from penstock.store.records import Records
from tests.conftest import sha256
from tests.engine.test_batch import assert_all, batch, serve
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

LIMITS = {"max_files": 4, "per_host": 4}


def first_of(log: list[Request], request: Request) -> bool:
    return sum(other.path == request.path for other in log) == 1


def test_sizes_around_what_is_taken_early_arrive_whole_with_one_request_each(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    sizes = [1, 2, 16383, 16384, 16385, 32767, 32768, 32769, 49152, 65536, 65537, 200_000, 1_048_576, 1_048_577]
    contents = {f"/s{size}.bin": Content(size, seed=size) for size in sizes}
    files = {fault_server.serve(path, content): content for path, content in contents.items()}
    files |= serve(fault_server, 20)
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m", limits=LIMITS, max_connections=1)
    assert summary.done == len(files)
    assert_all(tmp_path / "d", files)
    assert max(Counter(request.path for request in fault_server.log).values()) == 1
    digests = {fact.target: fact.digest for fact in Records(tmp_path / "m").rows("done")}
    for url, content in files.items():
        assert digests[url.rpartition("/")[2]] == f"sha256:{content.sha256}"


def whole_compressed(request: Request, reply: Reply) -> None:
    assert reply.content is not None
    body = gzip.compress(reply.content.read(0, reply.content.size))
    reply.become(200, {"Content-Encoding": "gzip", "Content-Length": str(len(body))}, body)


def wrong_range(request: Request, reply: Reply) -> None:
    assert reply.content is not None
    reply.claim(1, reply.content.size, reply.content.size)


def folded_field(request: Request, reply: Reply) -> None:
    reply.headers["X-Long"] = "one\r\n two"


FAULTS: dict[str, Callable[[Request, Reply], None]] = {
    "reset in the body": lambda _, reply: setattr(reply, "reset_after", 2000),
    "reset before the body": lambda _, reply: setattr(reply, "reset_after", 0),
    "cut": lambda _, reply: setattr(reply, "close_after", 3000),
    "no answer": lambda _, reply: setattr(reply, "refuse", True),
    "stall in the body": lambda _, reply: setattr(reply, "stall_after", 1000),
    "503": lambda _, reply: reply.become(503, {"Retry-After": "0"}, b"busy"),
    "another range": wrong_range,
}


def unsaid_length(request: Request, reply: Reply) -> None:
    reply.headers["Content-Length"] = ""
    reply.close = True


def slow(request: Request, reply: Reply) -> None:
    reply.trickle_after, reply.trickle_rate = 100, 2000.0


ODDITIES: dict[str, Callable[[Request, Reply], None]] = {
    "redirect": lambda request, reply: reply.redirect(request.path.replace("/f", "/moved")),
    "gzip": whole_compressed,
    "chunked": lambda _, reply: setattr(reply, "chunked", True),
    "length not said": unsaid_length,
    "HTTP/1.0": lambda _, reply: setattr(reply, "version", "HTTP/1.0"),
    "folded": folded_field,
    "slow in the body": slow,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_fails_at_first_harms_none_that_comes_after_it_on_its_request(
    fault: str, fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 24)

    def script(request: Request, reply: Reply) -> None:
        if int(request.path[2:-4]) % 5 == 2 and first_of(fault_server.log, request):
            FAULTS[fault](request, reply)

    fault_server.script = script
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m", limits=LIMITS, stall_timeout=1.0)
    assert (summary.done, summary.failed) == (24, 0)
    assert_all(tmp_path / "d", files)
    assert not list((tmp_path / "d").glob("*.part*"))


@pytest.mark.parametrize("oddity", ODDITIES)
def test_F16_F18_F29_an_odd_answer_is_right_too_and_asked_for_once(
    oddity: str, fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 24)
    for path, content in ((url.rpartition("/")[2], content) for url, content in files.items()):
        fault_server.serve(f"/moved{path[1:]}", content)

    def script(request: Request, reply: Reply) -> None:
        if request.path.startswith("/f") and int(request.path[2:-4]) % 5 == 2:
            ODDITIES[oddity](request, reply)

    fault_server.script = script
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m", limits=LIMITS)
    assert (summary.done, summary.failed) == (24, 0)
    assert_all(tmp_path / "d", files)
    assert max(Counter(request.path for request in fault_server.log).values()) == 1


def test_a_head_that_comes_in_pieces_is_not_judged_before_its_end(tmp_path: Path) -> None:
    """A server that dawdles in the middle of its head, longer than anybody looks away."""
    content = Content(3000, seed=1)
    listener = socket.create_server(("127.0.0.1", 0))
    heads = []

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            for _ in range(2):
                heads.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 Partial Content\r\nETag: ")
                assert not ended.wait(0.7)
                connection.sendall(b'"1"\r\nContent-Length: 3000\r\n')
                assert not ended.wait(0.7)
                connection.sendall(b"Content-Range: bytes 0-2999/3000\r\n\r\n" + content.read(0, 1000))
                assert not ended.wait(0.7)
                connection.sendall(content.read(1000, 3000))

    ended = threading.Event()
    thread = threading.Thread(target=answer)
    thread.start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        summary, _ = batch([f"{base}/a.bin", f"{base}/b.bin"], tmp_path / "d", limits={"max_files": 1})
    finally:
        ended.set()
        thread.join()
        listener.close()
    assert summary.done == 2
    assert len(heads) == 2
    assert sha256(tmp_path / "d" / "a.bin") == sha256(tmp_path / "d" / "b.bin") == content.sha256


def test_F42_a_target_that_appears_meanwhile_is_neither_replaced_nor_fetched_again(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    files = serve(fault_server, 10)

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/f3.bin":
            (tmp_path / "d" / "f3.bin").write_bytes(b"somebody else's")
        if request.path == "/f5.bin":  # as another process at work on it leaves one
            (tmp_path / "d" / "f5.bin.part").write_bytes(b"a part")

    fault_server.script = script
    summary, _ = batch(files, tmp_path / "d", manifest=tmp_path / "m", limits=LIMITS)
    assert (summary.done, summary.failed) == (9, 1)
    assert (tmp_path / "d" / "f3.bin").read_bytes() == b"somebody else's"
    others = {url: content for url, content in files.items() if not url.endswith("f3.bin")}
    assert_all(tmp_path / "d", others)
    assert Counter(request.path for request in fault_server.log)["/f3.bin"] == 1
    [failed] = Records(tmp_path / "m").rows("failed")
    assert failed.reason == "target-exists"


def test_F46_a_checksum_is_held_against_what_came(fault_server: FaultServer, tmp_path: Path) -> None:
    from penstock.core.digests import parse_checksum
    from penstock.core.rows import Row

    files = serve(fault_server, 6)
    rows = [
        Row((url,), checksum=parse_checksum("sha256:" + (content.sha256 if number != 2 else "00" * 32)))
        for number, (url, content) in enumerate(files.items())
    ]
    summary, _ = batch(rows, tmp_path / "d", manifest=tmp_path / "m", limits=LIMITS, max_tries=1)
    assert (summary.done, summary.failed) == (5, 1)
    [failed] = Records(tmp_path / "m").rows("failed")
    assert failed.reason == "checksum"
    assert not (tmp_path / "d" / failed.target).exists()
    assert (tmp_path / "d" / f"{failed.target}.corrupt").exists()


def test_a_disk_that_takes_long_over_a_small_file_does_not_make_it_fetched_twice(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was handed over to a download after a second, which then found its target there and failed."""
    slow = threading.Event()
    urls = [fault_server.serve(f"/{number}.bin", Content(500)) for number in range(3)]
    sync = deliver.sync

    def syncing(*arguments: Any) -> dict[int, OSError]:
        slow.wait(COLLECT_SECONDS + 3 * LOOK_SECONDS)
        return sync(*arguments)

    monkeypatch.setattr(deliveries, "sync", syncing)
    with penstock.Downloader() as downloader:
        summary = downloader.submit_many(urls, directory=tmp_path / "d").result(60)
    assert (summary.done, summary.failed) == (3, 0)
    assert len(fault_server.log) == 3
