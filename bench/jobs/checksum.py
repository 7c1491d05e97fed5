"""From the last byte to the verified digest: what is left to hash when everything is there?

The server's log says when the last answer was sent to its end, the same for every program. Penstock's ``verified``
event says when the digest was found right; a program without events ends with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bench.fetching import entry_of, finished, names_of
from bench.peers import Command, File, Peer
from bench.process import sha256
from bench.results import Case, Job, Sample
from bench.rounds import RoundFailedError, play
from bench.stage import QUIET, Stage, clean, make_file, say
from bench.targets import OURS

_ABOUT = (
    "{mib:,} MiB over {connections} connections, with the SHA-256 that they must have. *Last byte to verified* begins "
    "when the server has sent all; its end is the `verified` event of `penstock get --json`, for the others the end of "
    "the process. *Last byte to end* includes what Penstock does then: sync and rename."
)
_COLUMNS = ("wall", "tail", "share", "ending", "cpu")
_CONNECTIONS = 4
#: An answer that was not sent to its end has no OK in its line.
_LOG = "log_format ends '$msec $request_completion';"
_NAME = "ends.log"


def measure(stage: Stage) -> Job:
    """All programs that can check what they fetch."""
    mib = stage.scale.checksum_mib
    extra = QUIET.replace("access_log off;", f"access_log {_NAME} ends;")
    with stage.nginx(extra=extra, http=_LOG) as server, stage.folder() as folder:
        say(f"g: {mib:,} MiB with a checksum")
        source = server.root / "file.bin"
        size = make_file(source, mib)
        output = folder / "out" / "file.bin"
        file = File(server.url("file.bin"), output, size, _CONNECTIONS, sha256=sha256(source))
        log = server.home / _NAME

        def step(command: Command) -> Callable[[], Sample]:
            return lambda: _fetched(command, file, log, folder / "events", stage.scale.timeout)

        def answer(peer: Peer) -> Command | None:
            found = peer.checked(file)
            return found if isinstance(found, Command) else None

        able = [(peer, found) for peer in stage.peers if (found := answer(peer)) is not None]
        names = names_of(file)
        rows = play([entry_of(stage, peer, found, step, rivals=(), names=names) for peer, found in able], warm_up=0)
    about = _ABOUT.format(mib=mib, connections=_CONNECTIONS)
    case = Case("g", f"{mib:,} MiB, last byte to verified", _COLUMNS, rows, {"bytes": float(size)})
    return Job("g", "Checksum", about, (case,))


def _fetched(command: Command, file: File, log: Path, events: Path, timeout: float) -> Sample:
    clean(file.output.parent)
    log.write_text("")
    try:
        sample = finished(command, file, timeout, output=events)
        last_byte = last_end(log.read_text())
        verified = verified_at(events.read_text(errors="replace"))
    finally:
        clean(file.output.parent)
    if verified is None and f"-m {OURS}" in " ".join(command.words):
        raise RoundFailedError("no verified event")
    return sample | shares(sample, last_byte, verified)


def shares(sample: Sample, last_byte: float, verified: float | None) -> Sample:
    """The seconds after the last byte, and their share of the whole; times are in Unix seconds."""
    ending = max(0.0, sample["ended"] - last_byte)
    tail = ending if verified is None else max(0.0, verified - last_byte)
    return {"tail": tail, "ending": ending, "share": tail / sample["wall"]}


def last_end(log: str) -> float:
    """When the last answer that was sent to its end ended, in Unix seconds."""
    lines = (line.split() for line in log.splitlines())
    return max(float(words[0]) for words in lines if words[1:] == ["OK"])


def verified_at(events: str) -> float | None:
    """The time of the ``verified`` event among JSON lines, in Unix seconds; None when there is none."""
    for line in events.splitlines():
        if line.startswith("{") and (event := json.loads(line))["event"] == "verified":
            return float(event["time"])
    return None
