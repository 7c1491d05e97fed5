"""What was received is written, all of it: a file with a hole never passes for whole."""

from __future__ import annotations

import hashlib
import socket
import threading
from pathlib import Path

import pytest

import penstock
from penstock.engine.pipe import Pipe
from tests.conftest import sha256
from tests.engine.helpers import MB, assert_whole, fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer

CONTENT = Content(6 * MB)


def test_a_body_in_chunks_of_a_byte_is_written_whole(tmp_path: Path) -> None:
    """Thousands of blocks in memory at the end: more than one call to the system takes."""
    body = Content(60_000).read(0, 60_000)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    result = fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/a", tmp_path).done()
    thread.join()
    listener.close()
    assert sha256(result.path) == hashlib.sha256(body).hexdigest()


def test_a_fault_of_ours_between_the_ledger_and_the_disk_never_leaves_a_hole(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fault_server.serve("/a", CONTENT)
    put, calls = Pipe.put, 0

    def failing(self: Pipe, key: int, offset: int, block: bytes, skip: int, size: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise MemoryError
        put(self, key, offset, block, skip, size)

    monkeypatch.setattr(Pipe, "put", failing)
    error = fetch(url, tmp_path).failed(penstock.DownloadError)
    assert "internal error" in str(error)
    assert not (tmp_path / "a").exists()
    assert_whole(fetch(url, tmp_path), CONTENT)
