"""Clocks that jump, and sleep: only the monotonic clock counts, and what died meanwhile is replaced (F43)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from penstock.events import Retried
from tests.conftest import sha256
from tests.engine.helpers import MB, assert_whole, become, fetch, soundly
from tests.engine.test_batch import assert_all, batch, serve
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

CONTENT = Content(6 * MB)
DAY = 86_400.0
PROGRAM = """
import sys, penstock
penstock.download(sys.argv[1], directory=sys.argv[2], max_connections=4, stall_timeout=1.0, max_tries=3)
"""


@pytest.fixture
def jumping_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that is set by a day, forth and back, each time that somebody looks."""
    real, looks = time.time, 0

    def jump() -> float:
        nonlocal looks
        looks += 1
        return real() + (DAY if looks % 2 else -DAY)

    monkeypatch.setattr(time, "time", jump)


@pytest.mark.usefixtures("jumping_clock")
def test_F43_a_wall_clock_that_jumps_by_a_day_disturbs_no_download(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        if request.number in {2, 3}:
            reply.reset_after = 100_000
        if request.number == 5:
            become(reply, 503, Retry_After="1")

    fault_server.script = script
    assert_whole(fetch(url, tmp_path / "one"), CONTENT)
    fault_server.script = soundly
    files = serve(fault_server, 10)
    for _ in range(2):  # the second run finds every row done, whatever the clock said
        fault_server.log.clear()
        summary, _ = batch(files, tmp_path / "many", manifest=tmp_path / "m")
        assert summary.done == 10
    assert not fault_server.log
    assert_all(tmp_path / "many", files)


@pytest.mark.parametrize("error", [-DAY, 0.0, DAY])
def test_F22_F43_a_date_in_retry_after_is_read_by_the_server_s_own_clock(
    fault_server: FaultServer, tmp_path: Path, error: float
) -> None:
    content = Content(1000)
    url = fault_server.serve("/a", content)
    said = int(time.time() + error)

    def script(request: Request, reply: Reply) -> None:
        if request.number == 1:
            become(reply, 503, Date=formatdate(said, usegmt=True), Retry_After=formatdate(said + 1, usegmt=True))

    fault_server.script = script
    story = fetch(url, tmp_path)
    assert_whole(story, content)
    [wait] = [event.wait for event in story.all(Retried)]
    assert 1 <= wait < 60
    assert fault_server.log[1].at - fault_server.log[0].at >= 1


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="POSIX signals")
@pytest.mark.parametrize("meanwhile", ["nothing", "connections die", "connections go dead silent"])
def test_F43_F47_asleep_for_longer_than_any_timeout_it_wakes_and_goes_on(
    fault_server: FaultServer, tmp_path: Path, meanwhile: str
) -> None:
    """Stopped and continued: when it wakes, every connection has been silent for longer than the stall timeout."""
    url = fault_server.serve("/a", CONTENT)

    def script(request: Request, reply: Reply) -> None:
        reply.rate = 1 * MB
        if meanwhile == "connections go dead silent" and request.connection <= 4:
            reply.stall_after = 500_000

    fault_server.script = script
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, url, str(tmp_path)])
    fault_server.wait_for(lambda: fault_server.bytes_sent > 1.5 * MB)
    os.kill(process.pid, signal.SIGSTOP)
    if meanwhile == "connections die":
        fault_server.close()
        fault_server.restart()
    time.sleep(1.6)  # this is the sleep of the story: nothing happens in it to wait for
    fault_server.script = soundly
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait(30) == 0
    assert sha256(tmp_path / "a") == CONTENT.sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
