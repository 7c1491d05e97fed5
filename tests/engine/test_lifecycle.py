"""Beginning and ending: closing, cancelling, forking, leaving; and one download's failure is its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import penstock
from penstock.events import AnyEvent, Cancelled, Finished, Progressed, Started
from penstock.net.transfer import Transfer
from penstock.store.directory import Directory
from penstock.store.part import PartFile
from tests.conftest import sha256
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

MB = 1_000_000


def slowly(rate: float) -> object:
    def script(_request: Request, reply: Reply) -> None:
        reply.rate = rate

    return script


def test_a_future_holds_the_result(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(3 * MB)
    url = fault_server.serve("/a.bin", content)
    with penstock.Downloader() as downloader:
        result = downloader.submit(url, directory=tmp_path).result()
    assert result.path == tmp_path / "a.bin"
    assert result.size == content.size
    assert sha256(result.path) == content.sha256
    assert os.listdir(tmp_path) == ["a.bin"]


def test_many_futures_are_waited_for_on_leaving(fault_server: FaultServer, tmp_path: Path) -> None:
    contents = [Content(200_000, seed) for seed in range(12)]
    with penstock.Downloader() as downloader:
        futures = [
            downloader.submit(fault_server.serve(f"/{number}.bin", content), directory=tmp_path)
            for number, content in enumerate(contents)
        ]
    for future, content in zip(futures, contents, strict=True):
        assert future.done()
        assert sha256(future.result().path) == content.sha256


def test_cancelling_leaves_a_part_that_the_same_call_goes_on_from(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(8 * MB)
    url = fault_server.serve("/a.bin", content)
    fault_server.script = slowly(2 * MB)  # type: ignore[assignment]
    ends: list[AnyEvent] = []
    with penstock.Downloader(on_event=lambda e: ends.append(e) if isinstance(e, Cancelled) else None) as downloader:
        future = downloader.submit(url, directory=tmp_path)
        fault_server.wait_for(lambda: fault_server.bytes_sent > 3 * MB)
        assert future.cancel()
        assert future.cancelled()
        concurrent.futures.wait([future])
    assert (tmp_path / "a.bin.part").exists()
    assert not (tmp_path / "a.bin").exists()
    [end] = ends
    assert isinstance(end, Cancelled)
    assert end.resumable
    fault_server.script = lambda *_: None
    asked = len(fault_server.log)
    result = penstock.download(url, directory=tmp_path)
    assert sha256(result.path) == content.sha256
    assert result.resumed > 1 * MB
    assert result.fetched <= content.size - result.resumed + 1 * MB
    assert all(request.start for request in fault_server.log[asked:])  # nobody asks for the beginning again


def test_a_cancelled_download_can_be_submitted_again_at_once(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(6 * MB)
    url = fault_server.serve("/a.bin", content)
    fault_server.script = slowly(3 * MB)  # type: ignore[assignment]
    with penstock.Downloader() as downloader:
        first = downloader.submit(url, directory=tmp_path)
        fault_server.wait_for(lambda: fault_server.bytes_sent > 2 * MB)
        first.cancel()
        second = downloader.submit(url, directory=tmp_path)
        assert sha256(second.result().path) == content.sha256


def test_an_exception_in_the_block_stops_everything_resumably(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(50 * MB))
    fault_server.script = slowly(1 * MB)  # type: ignore[assignment]

    def stop_in_the_middle() -> None:
        with penstock.Downloader() as downloader:
            downloader.submit(url, directory=tmp_path)
            fault_server.wait_for(lambda: fault_server.bytes_sent > 1 * MB)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_in_the_middle()
    assert (tmp_path / "a.bin.part.journal").exists()


def test_closing_refuses_new_work_and_can_be_repeated(tmp_path: Path) -> None:
    downloader = penstock.Downloader()
    downloader.close()
    downloader.close(cancel=True)
    with pytest.raises(penstock.DownloaderClosed):
        downloader.submit("http://127.0.0.1:1/a")


def test_one_failure_hurts_no_other(fault_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside one download's callbacks, as a bug of ours would raise it, ends that download alone."""
    content = Content(4 * MB)
    good = fault_server.serve("/good.bin", content)
    bad = fault_server.serve("/bad.bin", Content(4 * MB))
    real = Transfer._judge

    def judge(self: Transfer, head: object) -> int | None:
        if self.url == bad:
            raise RuntimeError("a bug")
        return real(self, head)  # type: ignore[arg-type]

    monkeypatch.setattr(Transfer, "_judge", judge)
    with penstock.Downloader() as downloader:
        futures = [downloader.submit(url, directory=tmp_path, max_tries=1) for url in (bad, good)]
        assert sha256(futures[1].result().path) == content.sha256
        with pytest.raises(penstock.DownloadError):
            futures[0].result()


def test_a_listener_that_raises_or_dawdles_harms_nothing(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(3 * MB)
    url = fault_server.serve("/a.bin", content)
    seen: list[AnyEvent] = []
    release = threading.Event()

    def listener(event: AnyEvent) -> None:
        seen.append(event)
        if isinstance(event, Started):
            release.wait(10)
        raise RuntimeError("listeners have bugs too")

    with penstock.Downloader(on_event=listener) as downloader:
        future = downloader.submit(url, directory=tmp_path)
        fault_server.wait_for(lambda: fault_server.bytes_sent >= 3 * MB)
        release.set()
        assert sha256(future.result().path) == content.sha256
    assert isinstance(seen[0], Started)
    assert isinstance(seen[-1], Finished)
    assert sum(isinstance(event, Progressed) for event in seen) <= 3


def test_the_last_progress_says_that_all_is_there(fault_server: FaultServer, tmp_path: Path) -> None:
    """What comes then, checking and syncing, may take a while: whoever watches must not wait for the last bytes."""
    seen: list[AnyEvent] = []
    url = fault_server.serve("/a.bin", Content(3 * MB))
    penstock.download(url, directory=tmp_path, on_event=seen.append)
    last = [event for event in seen if isinstance(event, Progressed)][-1]
    assert (last.done, last.length) == (3 * MB, 3 * MB)


def test_asyncio_can_await_it(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(1 * MB)
    url = fault_server.serve("/a.bin", content)

    async def fetch() -> penstock.Result:
        with penstock.Downloader() as downloader:
            return await asyncio.wrap_future(downloader.submit(url, directory=tmp_path))

    assert sha256(asyncio.run(fetch()).path) == content.sha256


def test_a_future_s_callback_may_close_the_downloader(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(1000))
    downloader = penstock.Downloader()
    closed = threading.Event()

    def close(_future: object) -> None:
        downloader.close()
        closed.set()

    downloader.submit(url, directory=tmp_path).add_done_callback(close)
    assert closed.wait(20)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_leaving_the_interpreter_writes_a_last_checkpoint(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(50 * MB))
    fault_server.script = slowly(1 * MB)  # type: ignore[assignment]
    program = """
        import sys, threading, penstock
        from penstock.events import Progressed
        enough = threading.Event()
        downloader = penstock.Downloader(
            on_event=lambda e: enough.set() if isinstance(e, Progressed) and e.done > 1_000_000 else None)
        downloader.submit(sys.argv[1], directory=sys.argv[2])
        enough.wait(30)
    """
    done = run(program, url, str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    fault_server.script = lambda *_: None
    result = penstock.download(url, directory=tmp_path)
    assert result.resumed >= 1_000_000
    assert sha256(result.path) == Content(50 * MB).sha256


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_is_told_and_leaves_cleanly(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(4 * MB)
    url = fault_server.serve("/a.bin", content)
    fault_server.script = slowly(2 * MB)  # type: ignore[assignment]
    program = """
        import os, sys, threading, warnings, penstock
        warnings.simplefilter("ignore")
        from penstock.events import Progressed
        begun = threading.Event()
        downloader = penstock.Downloader(on_event=lambda e: begun.set() if isinstance(e, Progressed) else None)
        future = downloader.submit(sys.argv[1], directory=sys.argv[2])
        begun.wait(30)
        child = os.fork()
        if child == 0:
            try:
                downloader.submit(sys.argv[1])
            except penstock.DownloaderClosed as error:
                print("child:", error, flush=True)
            downloader.close()
            sys.exit(7)
        print("child left with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        print("parent:", future.result().size)
        downloader.close()
    """
    done = run(program, url, str(tmp_path))
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert "make a new one after a fork" in lines[0]
    assert lines[1:] == ["child left with 7", f"parent: {content.size}"]
    assert sha256(tmp_path / "a.bin") == content.sha256


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_not_keep_the_parent_s_lock(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(4 * MB))
    fault_server.script = slowly(1 * MB)  # type: ignore[assignment]
    program = """
        import os, sys, threading, warnings, penstock
        warnings.simplefilter("ignore")
        from penstock.events import Progressed
        begun = threading.Event()
        downloader = penstock.Downloader(on_event=lambda e: begun.set() if isinstance(e, Progressed) else None)
        downloader.submit(sys.argv[1], directory=sys.argv[2])
        begun.wait(30)
        if os.fork() == 0:
            os.write(1, b"here")
            os.close(1), os.close(2)
            sys.stdin.read()  # the child lives on
        os._exit(0)
    """
    words = [sys.executable, "-c", textwrap.dedent(program), url, str(tmp_path)]
    parent = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    parent.wait(30)
    assert parent.stdout is not None
    assert parent.stdout.read() == b"here"  # it may have been slower than its parent
    parent.stdout.close()
    part = PartFile.open(Directory.open(tmp_path), "a.bin")
    assert parent.stdin is not None
    parent.stdin.close()
    assert part is not None, "the child of a process that is gone still holds the lock"
    part.close()


def test_a_deadline_ends_it_resumably(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(50 * MB))
    fault_server.script = slowly(0.5 * MB)  # type: ignore[assignment]
    with pytest.raises(penstock.DownloadError, match="deadline") as caught:
        penstock.download(url, directory=tmp_path, deadline=1.0)
    assert caught.value.reason is penstock.Reason.DEADLINE
    assert caught.value.resumable


def test_bad_arguments_are_refused_at_once(tmp_path: Path) -> None:
    with penstock.Downloader() as downloader:
        for arguments in (
            {"request": "ftp://e.org/a"},
            {"request": "http://e.org/a", "no_such_option": 1},
            {"request": "http://e.org/a", "headers": {"X": "a\r\nEvil: 1"}},
            {"request": "http://e.org/a", "headers": {"Range": "bytes=0-1"}},
            {"request": "http://e.org/a", "checksum": "sha256:12"},
            {"request": "http://e.org/a", "max_connections": 0},
            {"request": "http://e.org/a", "if_exists": "perhaps"},
            {"request": "http://e.org/a", "ca_file": tmp_path / "none.pem"},
        ):
            with pytest.raises(penstock.InvalidRequest):
                downloader.submit(**arguments)
