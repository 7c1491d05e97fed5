"""Go on with a large file that was interrupted when 99 % were there.

The server falls silent at that point; then the program is stopped with SIGINT, as by Ctrl-C. What it left behind is
copied for each round, so that every round resumes from the same.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.servers.content import Content

from bench.fetching import entry_of, finished, names_of
from bench.links import FREE
from bench.peers import Cannot, Command, File, Peer
from bench.results import Case, Job, Sample
from bench.rounds import Entry, RoundFailedError, play
from bench.shaped_server import ShapedServer
from bench.stage import Stage, clean, say, sync
from bench.targets import OURS

_ABOUT = (
    "{mib:,} MiB over {connections} connections, interrupted when the server had sent 99 %: it falls silent, and the "
    "program gets SIGINT a second later. Measured is the second run, to the end of the process; what the first left "
    "behind is the same in every round, and on the disk. *Sent again* is what the server sent in it."
)
_COLUMNS = ("wall", "cpu", "sent")
_CONNECTIONS = 4
_SHARE = 0.99
#: Seconds of silence before SIGINT, in which a program takes what is on its way.
_SILENCE = 1.0
#: Seconds that a program has to leave after SIGINT.
_GRACE = 3.0


def measure(stage: Stage) -> Job:
    """All programs that can resume."""
    mib = stage.scale.resume_mib
    content = Content(mib << 20)
    with ShapedServer(content.size) as server, stage.folder() as folder:
        output = folder / "out" / "file.bin"
        file = File(server.url, output, content.size, _CONNECTIONS, sha256=content.sha256)
        programs = []
        for peer in stage.peers:
            answer = peer.resumed(file)
            if not isinstance(answer, Cannot):
                programs.append(_entry(stage, peer, answer, server, file, folder / peer.name))
        rows = play(programs, warm_up=0)
    about = _ABOUT.format(mib=mib, connections=_CONNECTIONS)
    case = Case("h", f"{mib:,} MiB, the last 1 %", _COLUMNS, rows, {"bytes": float(content.size)})
    return Job("h", "Resume", about, (case,))


def _entry(stage: Stage, peer: Peer, command: Command, server: ShapedServer, file: File, kept: Path) -> Entry:
    def step(command: Command) -> Callable[[], Sample]:
        return lambda: _resumed(command, server, file, kept, stage.scale.timeout)

    entry = entry_of(stage, peer, command, step, rivals=(), names=names_of(file))
    entry.rounds = stage.scale.resume_rounds if peer.name == OURS else stage.scale.resume_other_rounds
    if entry.step is not None:
        say(f"h: interrupting {peer.name}")
        interrupt(command, server, file, stage.scale.timeout)
        file.output.parent.rename(kept)
    return entry


def interrupt(command: Command, server: ShapedServer, file: File, timeout: float) -> None:
    """Run the command until the server has sent its share and is gone, then stop it."""
    clean(file.output.parent)
    enough = int(_SHARE * file.size)
    server.begin_and_stop(enough)
    process = subprocess.Popen(
        command.words, env=os.environ | dict(command.environment),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    server.await_stop(enough, timeout)
    time.sleep(_SILENCE)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    server.restart()


def _resumed(command: Command, server: ShapedServer, file: File, kept: Path, timeout: float) -> Sample:
    if not any(kept.iterdir()):
        raise RoundFailedError("left nothing behind")
    shutil.rmtree(file.output.parent, ignore_errors=True)
    # with times, by which a program may know its file; synced, so that nobody pays for our copy
    subprocess.run(["cp", "-a", str(kept), str(file.output.parent)], check=True)
    sync(file.output.parent)
    server.begin(FREE)
    try:
        sample = finished(command, file, timeout)
        return sample | {"sent": float(server.sent())}
    finally:
        shutil.rmtree(file.output.parent, ignore_errors=True)
