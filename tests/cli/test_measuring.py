"""--trace, --profile and --stats: files that their readers take, and figures that agree with the server's."""

from __future__ import annotations

import json
import os
import pstats
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.profile import profiled
from penstock.cli.statistics import Statistics
from penstock.errors import DownloadError
from penstock.events import Checkpointed, Failed, Progressed, Restarted, Resumed
from tests import traces
from tests.cli.command import environment, penstock
from tests.conftest import sha256
from tests.engine.helpers import MB
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request
from tests.servers.nginx import free_port


def test_trace_profile_and_stats_of_one_file(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(8 * MB)
    fault_server.rates = [4 * MB, 4 * MB, 0.1 * MB]
    url = fault_server.serve("/a.bin", content)
    trace, profile = tmp_path / "t.json", tmp_path / "p.prof"
    done = penstock("-d", str(tmp_path), "--trace", str(trace), "--profile", str(profile), "--stats", url)
    assert done.returncode == 0, done.stderr
    assert sha256(tmp_path / "a.bin") == content.sha256
    assert len(traces.transfers(traces.read(trace))) == len(fault_server.log)
    lines = done.stderr.splitlines()
    saved = next(index for index, line in enumerate(lines) if line.startswith("saved "))
    assert [line.partition(":")[0] for line in lines[saved + 1 :]] == ["time", "bytes", "work", "memory"]
    assert re.fullmatch(r"time:   \d+\.\d\d s; processor \d\.\d\d s user, \d\.\d\d s system \(\d+% of one\)", lines[-4])
    assert re.fullmatch(r"bytes:  [78]\.\d MiB fetched, (none|[\d.]+ \w+) of it twice", lines[-3])
    assert re.search(
        r"at most \d connections for a file, \d+ pieces? taken over from slower ones, \d+ raced, 0 retries", lines[-2]
    )
    functions = {name for _, _, name in pstats.Stats(str(profile)).stats}  # type: ignore[attr-defined]
    assert {"run", "_on_block", "advance"} & functions >= {"run", "_on_block"}


def test_stats_as_json_count_what_the_server_sent(fault_server: FaultServer, tmp_path: Path) -> None:
    def script(_request: Request, reply: Reply) -> None:
        reply.rate = 4 * MB
        if len(fault_server.log) == 1:
            reply.become(503)

    fault_server.script = script
    url = fault_server.serve("/a.bin", Content(8 * MB))
    done = penstock("-d", str(tmp_path), "--json", "--stats", url)
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == "stats"
    assert last["size"] == 8 * MB
    assert last["fetched"] == last["size"] + last["twice"]
    assert last["fetched"] <= fault_server.bytes_sent
    assert last["retries"] == 1
    assert 0 < last["user"] < last["wall"] + 5
    assert last["peak_memory"] > 10 * MB


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_stats_of_a_run_that_was_interrupted_count_what_came(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.rates = [2 * MB]
    url = fault_server.serve("/a.bin", Content(20 * MB))
    command = [sys.executable, "-m", "penstock", "-d", str(tmp_path), "--json", "--stats", url]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    fault_server.wait_for(lambda: fault_server.bytes_sent > 4 * MB)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    last = json.loads(told.splitlines()[-1])
    assert last["event"] == "stats"
    assert 1 * MB < last["size"] == last["fetched"] <= fault_server.bytes_sent
    assert (last["twice"], last["connections"] > 0) == (0, True)


def test_bytes_that_a_changed_file_made_useless_came_twice_even_if_it_then_fails() -> None:
    statistics = Statistics()
    about: dict[str, Any] = {"download": 1, "at": 0.0}
    for event in (
        Resumed(**about, kept=100),
        Progressed(**about, done=400, length=1000, speed=0.0, connections=3),
        Restarted(**about, why="changed", dropped=400),
        Progressed(**about, done=50, length=900, speed=0.0, connections=2),
        Checkpointed(**about, durable=70),
        Failed(**about, error=DownloadError("gone")),
    ):
        statistics.take(event)
    statistics.end()
    counts = statistics.counts
    assert (counts.size, counts.twice, counts.fetched, counts.connections) == (70, 300, 370, 3)


def test_stats_of_a_list(fault_server: FaultServer, tmp_path: Path) -> None:
    urls = [fault_server.serve(f"/{number}.bin", Content(10_000)) for number in range(20)]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(urls))
    done = penstock("-d", str(tmp_path / "data"), "-i", str(listed), "--json", "--stats")
    summary, last = map(json.loads, done.stdout.splitlines()[-2:])
    assert summary["event"] == "summary"
    assert (last["size"], last["fetched"], last["twice"]) == (200_000, 200_000, 0)
    told = penstock("-q", "-d", str(tmp_path / "again"), "-i", str(listed), "--stats")
    assert told.stderr.splitlines()[1].startswith("bytes:  195.3 KiB fetched, none of it twice")


@pytest.mark.parametrize("option", ["--trace", "--profile"])
def test_a_file_that_cannot_be_written(fault_server: FaultServer, tmp_path: Path, option: str) -> None:
    url = fault_server.serve("/a.bin", Content(1000))
    done = penstock("-d", str(tmp_path / "data"), option, str(tmp_path / "none" / "f"), url)
    assert done.returncode == 3
    what = option[2:]
    assert done.stderr == (
        f"penstock: {tmp_path}/none/f: No such file or directory; name another file for the {what}\n"
    )
    assert not fault_server.log


def test_one_file_for_two_things(fault_server: FaultServer, tmp_path: Path) -> None:
    name = str(tmp_path / "f")
    done = penstock("--trace", name, "--profile", name, fault_server.url("/a"))
    assert done.returncode == 2
    assert "same file" in done.stderr


def _spin(until: threading.Event) -> None:
    while not until.is_set():
        _turn()


def _turn() -> int:
    return sum(range(100))


@pytest.mark.parametrize("has_many", [pytest.param(True, marks=pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="one cProfile at a time"
)), False])  # fmt: skip
def test_every_thread_is_profiled(tmp_path: Path, has_many: bool) -> None:
    path = tmp_path / "p.prof"

    def work() -> int:
        stop = threading.Event()
        threads = [threading.Thread(target=_spin, args=(stop,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        calls = sum(_turn() > 0 for _ in range(1000))
        stop.set()
        for thread in threads:
            thread.join()
        return calls

    calls = profiled(path, work, has_many=has_many)
    stats = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    by_name = {name: counts for (_, _, name), counts in stats.items()}
    assert by_name["_spin"][1] == 2
    assert by_name["_turn"][1] > calls
    assert sys.getprofile() is None


def test_snakeviz_opens_a_profile(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a.bin", Content(1000))
    path = tmp_path / "p.prof"
    assert penstock("-d", str(tmp_path), "--profile", str(path), url).returncode == 0
    port = free_port()
    command = [sys.executable, "-m", "snakeviz", "-s", "-H", "127.0.0.1", "-p", str(port), str(path)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            shown = next(line.split()[-1] for line in process.stdout if "http://" in line)
            with urllib.request.urlopen(shown, timeout=20) as page:
                text = page.read().decode()
        finally:
            process.terminate()
    assert "_carry_out" in text
