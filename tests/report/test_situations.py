"""The bottleneck sentence is right on six made situations: real runs of the command against real servers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.report.finding import Cause
from penstock.report.judged import Judged, judge
from penstock.report.reading import records
from tests import traces
from tests.cli.command import environment, penstock
from tests.engine.helpers import MB, at_rate
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request
from tests.servers.nginx import Nginx

pytestmark = pytest.mark.slow

#: Writes late: stands between Penstock and its calls, as the chaos tests do.
_SLOW_DISK = """
import sys, time
from tests.chaos.calls import intercept
def watch(call, go):
    if call.name in {"pwritev", "pwrite"}:
        time.sleep(0.12)
    return go()
intercept(watch)
from penstock.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def run(tmp_path: Path, *arguments: str) -> Judged:
    """Run the command with a trace, which must be sound, and judge it."""
    trace = tmp_path / "trace.json"
    done = penstock("-q", "-d", str(tmp_path / "data"), "--trace", str(trace), *arguments)
    assert done.returncode == 0, done.stderr
    return judged(trace)


def judged(trace: Path) -> Judged:
    traces.read(trace)
    return judge(records(trace))


def test_the_link(fault_server: FaultServer, tmp_path: Path) -> None:
    """Connections share what does not grow with their number."""
    total = 8 * MB

    def script(_request: Request, reply: Reply) -> None:
        reply.rate_at = lambda _now: total / max(1, fault_server.live)

    fault_server.script = script
    finding = run(tmp_path, fault_server.serve("/a.bin", Content(80 * MB))).finding
    assert finding.cause is Cause.LINK, finding
    assert "link" in finding.sentence


def test_too_few_connections(fault_server: FaultServer, tmp_path: Path) -> None:
    """Each connection has its own rate, however many there are."""
    fault_server.script = at_rate(1.5 * MB)
    finding = run(tmp_path, "-x", "4", fault_server.serve("/a.bin", Content(24 * MB))).finding
    assert finding.cause is Cause.CONNECTIONS, finding
    assert "-x 16" in finding.advice


def test_a_single_connection_is_too_few(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.script = at_rate(2 * MB)
    finding = run(tmp_path, "-x", "1", fault_server.serve("/a.bin", Content(6 * MB))).finding
    assert finding.cause is Cause.CONNECTIONS, finding


def test_a_limit_you_set(fault_server: FaultServer, tmp_path: Path) -> None:
    finding = run(tmp_path, "--limit-rate", "2M", fault_server.serve("/a.bin", Content(6 * MB))).finding
    assert finding.cause is Cause.LIMIT, finding
    assert "--limit-rate" in finding.advice


def test_one_slow_host(fault_server: FaultServer, tmp_path: Path) -> None:
    """Of a list of two hosts one has long been through when the other still trickles."""
    with FaultServer() as slow:
        slow.script = at_rate(0.15 * MB)
        urls = [fault_server.serve(f"/{number}.bin", Content(100_000)) for number in range(60)]
        urls += [slow.serve(f"/slow{number}.bin", Content(400_000)) for number in range(4)]
        listed = tmp_path / "list.txt"
        listed.write_text("\n".join(urls))
        found = run(tmp_path, "-i", str(listed), "--per-host", "4", "-x", "1").finding
        assert found.cause is Cause.HOST, found
        assert slow.url("") in found.sentence


def test_a_host_that_lets_few_in(fault_server: FaultServer, tmp_path: Path) -> None:
    working: list[Request] = []

    def script(request: Request, reply: Reply) -> None:
        working[:] = [each for each in working if each.ended is None]
        if len(working) >= 2:
            reply.become(503)
            return
        working.append(request)
        reply.rate = 2 * MB

    fault_server.script = script
    finding = run(tmp_path, "-x", "8", fault_server.serve("/a.bin", Content(16 * MB))).finding
    assert finding.cause is Cause.HOST, finding
    assert "refused" in finding.sentence


def test_the_disk(nginx: Nginx, tmp_path: Path) -> None:
    """Each write takes longer than what it holds took to come."""
    (nginx.root / "disk.bin").write_bytes(os.urandom(1 << 20) * 24)
    trace = tmp_path / "trace.json"
    command = [
        sys.executable, "-c", _SLOW_DISK, "get", "--no-config", "-q", "-d", str(tmp_path / "data"),
        "--trace", str(trace), nginx.url("/disk.bin"),
    ]  # fmt: skip
    root = str(Path(__file__).parents[2])
    variables = environment()
    variables["PYTHONPATH"] += os.pathsep + root
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    finding = judged(trace).finding
    assert finding.cause is Cause.DISK, finding


@contextmanager
def crowded_processor() -> Iterator[int]:
    """The number of a processor on which others compute without end."""
    number = min(os.sched_getaffinity(0))
    endless = f"import os\nos.sched_setaffinity(0, {{{number}}})\nprint(flush=True)\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", endless], stdout=subprocess.PIPE) for _ in range(6)]
    try:
        for other in others:
            assert other.stdout is not None
            other.stdout.readline()
        yield number
    finally:
        for other in others:
            other.kill()
            other.wait()
            assert other.stdout is not None
            other.stdout.close()


@pytest.mark.skipif(not Path("/proc/thread-self/schedstat").exists(), reason="the system does not count waits")
def test_the_processor(nginx: Nginx, tmp_path: Path) -> None:
    """The server is fast, and the client gets a seventh of one processor."""
    with (nginx.root / "cpu.bin").open("wb") as file:
        file.truncate(1 << 30)
    trace = tmp_path / "trace.json"
    with crowded_processor() as number:
        pinned = (
            f"import os, sys\nos.sched_setaffinity(0, {{{number}}})\n"
            "from penstock.cli.main import run\nsys.exit(run(sys.argv[1:]))"
        )
        command = [
            sys.executable, "-c", pinned, "get", "--no-config", "-q", "-d", str(tmp_path / "data"),
            "--trace", str(trace), nginx.url("/cpu.bin"),
        ]  # fmt: skip
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    finding = judged(trace).finding
    assert finding.cause is Cause.CPU, finding
