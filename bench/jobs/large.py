"""A large file from nginx over loopback, plain and over TLS, beside `cp`.

Everything comes from the page cache and crosses no wire, so this measures what the programs themselves cost, not a
link.
"""

from __future__ import annotations

from bench.fetching import entries, fetched, over
from bench.peers import Command, File
from bench.process import run, sha256
from bench.results import Case, Job
from bench.rounds import Entry, play
from bench.stage import Stage, make_file, say
from bench.targets import RIVALS

_COLUMNS = ("wall", "cpu", "user", "system", "memory", "our wall", "our cpu")
_ABOUT = (
    "A file of {mib:,} MiB from nginx over loopback{tls}, from the page cache: what the programs themselves cost. "
    "curl has one connection whatever is allowed."
)


def plain(stage: Stage) -> Job:
    """Over HTTP."""
    return Job("a", "A large file over HTTP", _about(stage, ""), _cases(stage, "a"))


def over_tls(stage: Stage) -> Job:
    """Over HTTPS, HTTP/1.1."""
    return Job("b", "A large file over TLS", _about(stage, " and TLS 1.3 (HTTP/1.1)"), _cases(stage, "b"))


def _about(stage: Stage, tls: str) -> str:
    return _ABOUT.format(mib=stage.scale.large_mib, tls=tls)


def _cases(stage: Stage, letter: str) -> tuple[Case, ...]:
    with stage.nginx() as server, stage.folder() as folder:
        source = server.root / "file.bin"
        size = make_file(source, stage.scale.large_mib)
        tls = letter == "b"
        file = File(
            server.url("file.bin", tls=tls), folder / "out" / "file.bin", size,
            authority=server.ca_file if tls else None, sha256=sha256(source),
        )  # fmt: skip
        run(["cat", str(source)])
        cases = []
        for connections in stage.scale.connections:
            say(f"{letter}: {connections} connections")
            copy = Command(("cp", str(source), str(file.output)))
            reference = Entry(
                "cp",
                lambda copy=copy: fetched(copy, file, stage.scale.timeout),  # type: ignore[misc]
                stage.rounds_of("cp", RIVALS[letter]),
                command="cp FILE DIR/FILE",
            )
            # what a target is about comes first, and leaves everything warm for the rest
            first = connections == stage.scale.connections[0]
            programs = entries(stage, over(file, connections), rivals=RIVALS[letter])
            for each in [*programs, reference]:
                each.rounds = each.rounds if first else stage.scale.large_rounds
            rows = play(programs if tls else [*programs, reference], warm_up=int(first))
            title = f"{stage.scale.large_mib:,} MiB{' over TLS' if tls else ''}, {connections} connections"
            cases.append(Case(f"{letter}{connections}", title, _COLUMNS, rows, {"bytes": float(size)}))
        return tuple(cases)
