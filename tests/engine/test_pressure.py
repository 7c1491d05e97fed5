"""Held back by a slow disk or a limit, transfers wait; memory does not grow and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

import penstock
from penstock.engine import pipe
from penstock.events import AnyEvent, Stolen
from penstock.net.gate import DISK, Gate
from penstock.store.part import PartFile
from tests.conftest import sha256
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

MB = 1_000_000


def test_a_disk_slower_than_the_link_holds_the_transfers_back(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Content(80 * MB)
    url = fault_server.serve("/a.bin", content)
    release, held = threading.Event(), threading.Event()
    most = 0
    write, close, add = PartFile.write, Gate.close, pipe.Backlog.add

    def slow_write(self: PartFile, offset: int, blocks: Sequence[bytes | memoryview]) -> int:
        on_writer = threading.current_thread().name.startswith("penstock-write")
        release.wait(20 if on_writer else 2 * pipe.SLOW_WRITE_SECONDS)
        return write(self, offset, blocks)

    def watched_close(self: Gate, reason: str) -> None:
        if reason == DISK:
            held.set()
        close(self, reason)

    def watched_add(self: pipe.Backlog, size: int) -> None:
        nonlocal most
        add(self, size)
        most = max(most, self.bytes)

    monkeypatch.setattr(PartFile, "write", slow_write)
    monkeypatch.setattr(Gate, "close", watched_close)
    monkeypatch.setattr(pipe.Backlog, "add", watched_add)
    with penstock.Downloader() as downloader:
        future = downloader.submit(url, directory=tmp_path)
        assert held.wait(20), "the gate never closed although the disk stood still"
        assert not future.done()
        release.set()
        assert sha256(future.result().path) == content.sha256
    assert most <= pipe.WRITE_QUEUE_BYTES + pipe.GATHER_BYTES + 8 * pipe.GATHER_BYTES
    assert most > pipe.GATHER_BYTES, "the writer thread was never used"


def test_a_rate_limit_is_never_exceeded_over_all_downloads_together(fault_server: FaultServer, tmp_path: Path) -> None:
    contents = [Content(3 * MB, seed) for seed in (1, 2)]
    rate = 3 * MB
    started = time.monotonic()
    with penstock.Downloader(rate_limit=rate) as downloader:
        futures = [
            downloader.submit(fault_server.serve(f"/{content.seed}.bin", content), directory=tmp_path)
            for content in contents
        ]
        for future, content in zip(futures, contents, strict=True):
            assert sha256(future.result().path) == content.sha256
    # a lower bound only: a busy machine may take longer, none may be faster than the limit and its first burst
    assert time.monotonic() - started >= 6 * MB / rate * 0.95 - 0.2


@pytest.mark.parametrize("connections", [2, 4])
def test_F20_a_stalled_connection_loses_its_remainder_to_the_others(
    fault_server: FaultServer, tmp_path: Path, connections: int
) -> None:
    """With two, the other one steals; with more, it is replaced as one far below its fellows."""
    content = Content(20 * MB)
    url = fault_server.serve("/a.bin", content)

    def script(request: Request, reply: Reply) -> None:
        reply.rate = 8 * MB
        if request.connection == 2:
            reply.stall_after = 500_000

    fault_server.script = script
    stolen: list[AnyEvent] = []
    result = penstock.download(
        url,
        directory=tmp_path,
        max_connections=connections,
        stall_timeout=60,
        on_event=lambda event: stolen.append(event) if isinstance(event, Stolen) else None,
    )
    assert sha256(result.path) == content.sha256
    assert fault_server.bytes_sent_on(2) == 500_000
    assert bool(stolen) or connections > 2
    assert result.elapsed < 60
