"""Few descriptors, little memory, no threads, clocks that jump, long sleeps, listeners that do not listen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import penstock
from penstock.events import AnyEvent, Finished
from tests.chaos.child import command, complaints, run, surroundings
from tests.conftest import sha256
from tests.engine.helpers import MB, become
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX limits and signals")
BIG = Content(6 * MB)
MANY = {f"{number:03}": Content(1_200_000 if number % 20 == 0 else 900 + number, number % 8) for number in range(100)}
KINDS = ["single", "batch"]


def arguments(server: FaultServer, kind: str, folder: Path) -> list[str]:
    """What fetches one large file, or many, into ``folder/d``."""
    if kind == "single":
        return ["-x", "16", "-d", str(folder / "d"), server.serve("/big", BIG)]
    rows = folder / "list"
    rows.write_text("\n".join(server.serve(f"/{name}", content) for name, content in MANY.items()))
    return ["-i", str(rows), "-d", str(folder / "d")]


def assert_all_there(kind: str, folder: Path) -> None:
    """Every file, each with its bytes, and nothing else."""
    files = {"big": BIG} if kind == "single" else MANY
    assert sorted(os.listdir(folder / "d")) == sorted(files)
    assert all(sha256(folder / "d" / name) == content.sha256 for name, content in files.items())


# Descriptors


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [64, 24])
def test_F56_few_descriptors_mean_fewer_connections_and_one_warning(
    fault_server: FaultServer, tmp_path: Path, kind: str, limit: int
) -> None:
    done = run(*arguments(fault_server, kind, tmp_path), limit=f"-n {limit}")
    assert done.returncode == 0
    [warning] = complaints(done)
    assert "connections at once: few files may be open here (ulimit -n)" in warning
    assert_all_there(kind, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="addresses of the loopback network")
def test_F56_idle_connections_to_many_origins_make_room(tmp_path: Path) -> None:
    with FaultServer(host="0.0.0.0") as server:
        for name, content in MANY.items():
            server.serve(f"/{name}", content)
        lines = [f"http://127.0.1.{origin}:{server.port}/{name}" for name in list(MANY)[:3] for origin in range(1, 101)]
        (tmp_path / "list").write_text("\n".join(lines))
        done = run("-i", tmp_path / "list", "-d", tmp_path / "d", "--template", "{host}-{name}", limit="-n 64")
    assert done.returncode == 0, done.stderr


def test_F56_many_folders_with_few_descriptors(fault_server: FaultServer, tmp_path: Path) -> None:
    lines = [fault_server.serve(f"/{number}", Content(500, seed=number)) for number in range(300)]
    (tmp_path / "list").write_text("\n".join(lines))
    options = ["--template", "{hash}/{name}", "--per-host", "32"]
    done = run("-i", tmp_path / "list", "-d", tmp_path / "d", *options, limit="-n 64")
    assert done.returncode == 0, done.stderr


def test_F56_a_page_needs_no_more_descriptors_than_there_are(fault_server: FaultServer, tmp_path: Path) -> None:
    names = [fault_server.serve(f"/{name}.png", content) for name, content in MANY.items()]
    markup = "".join(f'<img src="{name}">' for name in names).encode()
    fault_server.script = lambda request, reply: (
        reply.become(200, {"Content-Type": "text/html"}, markup) if request.path == "/page" else None
    )
    done = run("page", fault_server.url("/page"), "-d", tmp_path / "d", "--allow-private", limit="-n 40")
    assert done.returncode == 0, done.stderr
    assert len(complaints(done)) == 1
    assert {path.name for path in (tmp_path / "d").iterdir()} == {f"{name}.png" for name in MANY}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [8, 10, 14])
def test_F56_too_few_descriptors_for_anything_are_said_in_a_line_and_nothing_is_lost(
    fault_server: FaultServer, tmp_path: Path, kind: str, limit: int
) -> None:
    line = arguments(fault_server, kind, tmp_path)
    done = run(*line, limit=f"-n {limit}")
    if done.returncode:
        assert any("open" in complaint for complaint in complaints(done)), done.stderr
        assert "internal error" not in done.stderr
        assert sum(complaint.startswith("penstock:") for complaint in complaints(done)) == 1
        assert run(*line).returncode == 0
    assert_all_there(kind, tmp_path)


# Memory and threads


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mebibytes", [64, 88, 100, 110])
def test_little_memory_is_enough_or_is_said_in_a_line_and_nothing_is_lost(
    fault_server: FaultServer, tmp_path: Path, kind: str, mebibytes: int
) -> None:
    line = arguments(fault_server, kind, tmp_path)
    # without the limit on tries it would go on for minutes where each block hangs by a thread
    done = run(*line, "--max-tries", "3", limit=f"-v {mebibytes * 1024}")
    if done.returncode:
        assert len(complaints(done)) >= 1
        assert "internal error" not in done.stderr
        assert run(*line).returncode == 0
    assert_all_there(kind, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [1, 2, 3, 4, 5, 7, 8])
def test_threads_that_cannot_be_started_are_done_without_or_said_in_a_line(
    fault_server: FaultServer, tmp_path: Path, kind: str, first: int
) -> None:
    done = run(*arguments(fault_server, kind, tmp_path), faults=[f"thread=EAGAIN@{first}"])
    if done.returncode:
        assert done.returncode == 1
        [line] = complaints(done)
        assert "too few threads" in line
    else:
        assert_all_there(kind, tmp_path)


# Time


@pytest.mark.parametrize("kind", KINDS)
def test_F43_a_clock_that_jumps_by_a_day_changes_nothing(fault_server: FaultServer, tmp_path: Path, kind: str) -> None:
    fault_server.rates = [4 * MB]

    def limiting(request: Request, reply: Reply) -> None:
        if request.number == 3:
            become(reply, 503, Retry_After="1")

    fault_server.script = limiting
    done = run(*arguments(fault_server, kind, tmp_path), faults=["clock=86400"])
    assert done.returncode == 0, done.stderr
    assert_all_there(kind, tmp_path)
    assert len(fault_server.log) < 300  # no flood


@pytest.mark.parametrize("kind", KINDS)
def test_F43_a_process_stopped_for_longer_than_its_patience_goes_on(
    fault_server: FaultServer, tmp_path: Path, kind: str
) -> None:
    fault_server.rates = [1.5 * MB]
    line = [*arguments(fault_server, kind, tmp_path), "--stall-timeout", "0.5", "--connect-timeout", "0.5"]
    process = subprocess.Popen(command(*line), env=surroundings(), stderr=subprocess.PIPE, text=True)
    try:
        fault_server.wait_for(lambda: fault_server.bytes_sent > 300_000)
        process.send_signal(signal.SIGSTOP)
        threading.Event().wait(1.5)  # there is nothing to wait for but the time itself
        process.send_signal(signal.SIGCONT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said
    assert_all_there(kind, tmp_path)


# Nobody listens


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("streams", ["1>&-", "2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-", "1>/dev/full 2>/dev/full"])
def test_F49_closed_and_broken_streams_do_not_stop_a_download(
    fault_server: FaultServer, tmp_path: Path, kind: str, streams: str
) -> None:
    line = command(*arguments(fault_server, kind, tmp_path), "--json")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {streams}', "sh", *line],
        env=surroundings(),
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert_all_there(kind, tmp_path)


def test_F49_a_reader_that_leaves_does_not_stop_a_batch(fault_server: FaultServer, tmp_path: Path) -> None:
    line = command(*arguments(fault_server, "batch", tmp_path), "--json")
    with subprocess.Popen(line, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(60) == 0
    assert b"Traceback" not in said
    assert_all_there("batch", tmp_path)


def test_a_listener_that_stands_still_slows_no_transfer_and_misses_no_ending(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    everything_served, heard = threading.Event(), []

    def listen(event: AnyEvent) -> None:
        everything_served.wait(60)
        heard.append(event)

    urls = [fault_server.serve(f"/{name}", content) for name, content in MANY.items()]
    with penstock.Downloader(on_event=listen) as downloader:
        future = downloader.submit_many(urls, directory=tmp_path / "d")
        fault_server.wait_for(lambda: len({request.path for request in fault_server.log if request.ended}) == len(MANY))
        assert not future.done()  # endings come in order, after what was before them
        everything_served.set()
        assert future.result(60).done == len(MANY)
    assert sum(isinstance(event, Finished) for event in heard) == len(MANY)
    assert_all_there("batch", tmp_path)
