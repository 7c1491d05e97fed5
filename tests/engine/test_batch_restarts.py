"""Servers that go away in the middle of a batch and come back."""

from __future__ import annotations

import threading
from pathlib import Path

import penstock
from penstock.events import AnyEvent, Retried
from tests.engine.test_batch import assert_all, serve
from tests.servers.fault import FaultServer, Reply, Request


def test_F47_an_origin_that_answered_before_is_waited_for_while_it_restarts(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    """Three refusals are enough for an origin that never answered; one that did is coming back."""
    files = serve(fault_server, 12)
    refused = threading.Semaphore(0)
    restarting = threading.Thread(target=lambda: restart())

    def script(request: Request, _reply: Reply) -> None:
        if request.number == 6:
            restarting.start()

    def restart() -> None:
        fault_server.close()
        for _ in range(3):
            assert refused.acquire(timeout=30)
        fault_server.restart()

    def watch(event: AnyEvent) -> None:
        if isinstance(event, Retried) and "refused" in event.why:
            refused.release()

    fault_server.script = script
    with penstock.Downloader(on_event=watch, per_host=1) as downloader:
        summary = downloader.submit_many(files, directory=tmp_path / "d", manifest=tmp_path / "m").result(60)
    restarting.join()
    assert (summary.done, summary.failed) == (12, 0)
    assert_all(tmp_path / "d", files)
