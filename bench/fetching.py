"""One file by each program: into a clean place, every byte checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.peers import Answer, Cannot, Command, File, Peer, shown
from bench.process import run, sha256
from bench.results import Sample
from bench.rounds import Entry, RoundFailedError, sample_of
from bench.stage import Stage, clean
from bench.targets import OURS


def entries(
    stage: Stage,
    file: File,
    *,
    rivals: tuple[str, ...] = (),
    timeout: float | None = None,
    before: Callable[[], None] = lambda: None,
    after: Callable[[Sample], Sample] = lambda sample: sample,
) -> list[Entry]:
    """Every program with its command for the file.

    `file.output` is below a folder of its own. `before` is called ahead of each round, `after` adds to its figures.
    """
    limit = timeout or stage.scale.timeout

    def entry(peer: Peer) -> Entry:
        def step(command: Command) -> Callable[[], Sample]:
            def fetch() -> Sample:
                before()
                return after(fetched(command, file, limit))

            return fetch

        return entry_of(stage, peer, peer.one(file), step, rivals=rivals, names=names_of(file))

    return [entry(peer) for peer in stage.peers]


def entry_of(
    stage: Stage,
    peer: Peer,
    answer: Answer,
    step: Callable[[Command], Callable[[], Sample]],
    *,
    rivals: tuple[str, ...],
    names: dict[str, str],
) -> Entry:
    """A program's part in a case: its steps, or why there are none."""
    if peer.version() is None:
        return Entry(peer.name, None, note="not installed")
    if isinstance(answer, Cannot):
        return Entry(peer.name, None, note=f"cannot: {answer.why}")
    rounds = stage.rounds_of(peer.name, rivals)
    ours = peer.name == OURS
    return Entry(
        peer.name,
        step(answer),
        rounds,
        command=shown(answer, names),
        warms_up=ours or peer.name in rivals,
        persists=ours,
    )


def fetched(command: Command, file: File, timeout: float) -> Sample:
    """Fetch into an empty folder, compare the digest, empty it again."""
    clean(file.output.parent)
    try:
        return finished(command, file, timeout)
    finally:
        clean(file.output.parent)


def finished(command: Command, file: File, timeout: float, output: Path | None = None) -> Sample:
    """Run the command over what is there and compare the digest. Its standard output goes to `output`."""
    sample = sample_of(run(command.words, timeout=timeout, environment=command.environment, output=output), timeout)
    if not file.output.exists() or sha256(file.output) != file.sha256:
        raise RoundFailedError("WRONG BYTES")
    return sample


def names_of(file: File) -> dict[str, str]:
    """What stands for this machine's places in a command that is shown."""
    base, _, name = file.url.rpartition("/")
    chunk = -(-file.size // file.connections)
    return {
        file.url: "URL", f"{base}/": "BASE/", f":http:{name}": ":http:NAME", str(file.output): "DIR/FILE",
        str(file.output.parent): "DIR", file.output.name: "FILE", file.sha256: "HEX",
        str(file.authority or ""): "CERTIFICATE",
        str(Path(__file__).resolve().parent): "bench", str(chunk) if chunk > 1 << 20 else "": "SIZE/CONNECTIONS",
    }  # fmt: skip


def over(file: File, connections: int) -> File:
    """The same file over another number of connections."""
    return replace(file, connections=connections)
