"""Kill -9 in the middle of a batch: no row is lost, nothing done is fetched again, every byte is right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from penstock.store.records import Records
from tests.conftest import sha256
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request


def paths_there(directory: Path) -> set[str]:
    """The finished files."""
    if not directory.exists():
        return set()
    return {f"/{name}" for name in os.listdir(directory) if name.endswith(".bin")}


def refuse_again(done: frozenset[str], request: Request, _reply: Reply) -> None:
    """A script that fails the test when a file is asked for that was done."""
    assert request.path not in done, f"{request.path} was done and is asked for again"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_F54_nothing_done_before_a_kill_is_fetched_again_and_no_row_is_lost(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    count = 5000
    content = Content(3000)
    urls = [fault_server.serve(f"/{number:04}.bin", content) for number in range(count)]
    (tmp_path / "list").write_text("\n".join(urls))
    directory = tmp_path / "d"
    command = [
        sys.executable,
        "-m",
        "penstock",
        "--no-config",
        "-q",
        "-i",
        "list",
        "-d",
        "d",
        "-j",
        "32",
        "--per-host",
        "32",
    ]
    chance = random.Random(7)
    kills = 0
    while kills < 10:
        seen = len(fault_server.log)
        process = subprocess.Popen(command, cwd=tmp_path)
        goal = seen + chance.randrange(20, 460)

        def is_time(goal: int = goal, process: subprocess.Popen[bytes] = process) -> bool:
            return len(fault_server.log) >= goal or process.poll() is not None

        fault_server.wait_for(is_time)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        # whatever is named by now must not be asked for from here on
        fault_server.script = partial(refuse_again, frozenset(paths_there(directory)))
    finished = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=100)
    assert finished.returncode == 0, finished.stderr
    assert kills == 10
    assert not fault_server.errors
    records = Records(tmp_path / "d.penstock")
    rows = list(records.rows())
    records.close()
    assert len(rows) == count
    assert {row.state for row in rows} == {"done"}
    assert all(sha256(directory / row.target) == content.sha256 for row in rows)
    assert not list(directory.glob("*.part*"))
