"""What does --trace cost? The same downloads with and without it, in turns; processor time counts, not wall time.

python -m bench.trace_cost [--rounds 9] [--mebibytes 1024] [--files 10000] [--dir DIR]

One large file over four connections, and many of 16 KiB into a memory file system, both from nginx over loopback, where
a request costs least and so the trace most. Prints the median of the pairs' ratios, and the sizes of the traces.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.process import Run, run
from bench.scale import Scale
from bench.stage import Stage, make_file, say, shared_memory


def penstock(folder: Path, arguments: Sequence[str], *, trace: Path | None) -> Run:
    """One run into `folder`."""
    with tempfile.TemporaryDirectory(dir=folder) as target:
        command = [sys.executable, "-m", "penstock", "get", "--no-config", "-q", "-d", target, *arguments]
        if trace is not None:
            command += ["--trace", str(trace)]
        done = run(command)
    if done.code:
        sys.exit(f"it failed: {' '.join(command)}")
    return done


def compare(once: Callable[[Path | None], Run], trace: Path, rounds: int) -> tuple[float, float]:
    """The medians of processor time with a trace over without, and of the seconds between them."""
    ratios, differences = [], []
    for number in range(-1, rounds):
        order = (None, trace) if number % 2 else (trace, None)
        runs = {where: once(where) for where in order}
        if number >= 0:
            ratios.append(runs[trace].cpu / runs[None].cpu)
            differences.append(runs[trace].cpu - runs[None].cpu)
    return statistics.median(ratios), statistics.median(differences)


def main() -> None:
    """Run both and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--dir", type=Path, default=None, help="where the large file goes")
    options = parser.parse_args()
    memory = shared_memory()
    stage = Stage(Scale(), options.dir or Path(tempfile.gettempdir()), memory, None)
    with stage.nginx() as server, stage.folder() as disk, stage.folder(memory) as shared:
        make_file(server.root / "large.bin", options.mebibytes)
        (server.root / "small").mkdir()
        for number in range(options.files):
            (server.root / "small" / f"{number}.bin").write_bytes(number.to_bytes(8, "big") * 2048)
        (shared / "list.txt").write_text(
            "".join(f"{server.url(f'/small/{number}.bin')}\n" for number in range(options.files))
        )
        trace = disk / "trace.json"
        large = [server.url("/large.bin"), "-x", "4"]
        small = ["-i", str(shared / "list.txt"), "-j", "50", "--per-host", "50", "--no-manifest"]
        jobs = (
            (f"{options.mebibytes} MiB, 4 connections", disk, large, 1, "download"),
            (f"{options.files} x 16 KiB", shared, small, options.files, "file"),
        )
        for name, folder, arguments, count, noun in jobs:

            def once(where: Path | None, folder: Path = folder, arguments: Sequence[str] = arguments) -> Run:
                return penstock(folder, arguments, trace=where)

            say(name)
            ratio, more = compare(once, trace, options.rounds)
            size = trace.stat().st_size
            print(
                f"{name}: processor time with a trace {ratio:.3f} of without ({more / count * 1e6:+.1f} us a {noun}); "
                f"the trace has {size:,} bytes, {size / count:,.0f} a {noun}"
            )


if __name__ == "__main__":
    main()
