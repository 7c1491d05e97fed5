"""A step that fails where no download owns it (no memory, a fault of ours): what waited for it ends, it never hangs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import penstock
from penstock.engine.batch import Batch
from penstock.engine.fetch import Fetch
from penstock.engine.swift import Swift
from penstock.net.loop import Loop
from tests.conftest import sha256
from tests.engine.helpers import MB, assert_whole, at_rate, fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer

CONTENT = Content(6 * MB)
SMALL = {f"{number:02}": Content(2000 + number, number % 8) for number in range(20)}


def fails_once(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, at: int, error: Exception) -> None:
    """Let the `at`-th call of a method raise instead."""
    method, calls = getattr(owner, name), 0

    def failing(self: object, *args: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            raise error
        return method(self, *args)

    monkeypatch.setattr(owner, name, failing)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (MemoryError(), penstock.OutOfResources, "out of memory; ask for fewer"),
        (ValueError("no"), penstock.DownloadError, "internal error: ValueError: no"),
    ],
)
def test_a_download_whose_clock_stopped_ends(
    fault_server: FaultServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    kind: type[penstock.DownloadError],
    words: str,
) -> None:
    url = fault_server.serve("/a", CONTENT)
    fault_server.script = at_rate(MB)
    fails_once(monkeypatch, Fetch, "_tick_again", at=5, error=error)
    told = fetch(url, tmp_path).failed(kind)
    assert words in str(told)
    fault_server.script = lambda request, reply: None
    assert_whole(fetch(url, tmp_path), CONTENT)


@pytest.mark.parametrize(("owner", "name"), [(Batch, "_go_on"), (Batch, "_recorded_rows"), (Swift, "_on_whole")])
def test_a_batch_that_lost_a_step_ends_and_the_next_run_goes_on(
    fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    urls = [fault_server.serve(f"/{path}", content) for path, content in SMALL.items()]
    with monkeypatch.context() as broken, penstock.Downloader() as downloader:
        fails_once(broken, owner, name, at=2 if owner is Swift else 1, error=MemoryError())
        with pytest.raises((penstock.DownloadError, MemoryError)):
            downloader.submit_many(urls, directory=tmp_path / "d", manifest=tmp_path / "m").result(30)
    with penstock.Downloader() as downloader:
        summary = downloader.submit_many(urls, directory=tmp_path / "d", manifest=tmp_path / "m").result(30)
    assert (summary.done, summary.failed) == (20, 0)
    assert all(sha256(tmp_path / "d" / path) == content.sha256 for path, content in SMALL.items())


def test_what_the_listener_to_faults_cannot_take_is_told_again() -> None:
    told: list[BaseException] = []
    heard = threading.Event()

    def listen(error: BaseException) -> None:
        told.append(error)
        if len(told) < 3:
            raise MemoryError
        heard.set()

    loop = Loop(listen)
    fault = ValueError("no")

    def fail() -> None:
        raise fault

    loop.call(fail)
    assert heard.wait(20)
    loop.close()
    assert told == [fault] * 3
