"""A server whose connections have different speeds: how near does each program come to the ideal time?

python -m bench.shaped [--rates 4,4,4,0.2] [--size 100] [--rtt 0] [--connections 8,16] [--rounds 3] [--stall-one]

Rates are MB/s (1e6 bytes), given to connections in the order they come. The ideal for N connections is the size over
the sum of the first N connections' rates; with --stall-one one in eight of these goes silent after 1 MB and counts as
nothing. The time is that of the whole process, its start included.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

from bench.harness import Run, aria2, axel, fetching, middle, penstock, rounds, table

MB = 1_000_000
#: With --stall-one the third of every eight connections goes silent.
_STALLED = 3
_ONE_IN = 8


def serve(pipe: Connection, rates: list[float], size: int, round_trip: float, stall_one: bool) -> None:
    """Run the server in a process of its own. Each message is a number of connections to expect, counted anew."""
    server = FaultServer()
    server.rates = [rate * MB for rate in rates]
    server.round_trip = round_trip
    before, expected = 0, 0

    def script(request: Request, reply: Reply) -> None:
        number = request.connection - before
        reply.rate = server.rates[(number - 1) % len(server.rates)]
        if stall_one and number <= expected and number % _ONE_IN == _STALLED:
            reply.stall_after = 1 * MB

    server.script = script
    pipe.send(server.serve("/file.bin", Content(size)))
    while expected := pipe.recv():
        before = server.connections
        pipe.send(None)
    server.close()


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="4,4,4,0.2")
    parser.add_argument("--size", type=float, default=100)
    parser.add_argument("--rtt", type=float, default=0.0, help="seconds")
    parser.add_argument("--connections", default="8,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stall-one", action="store_true")
    parser.add_argument("--timeout", type=float, default=120.0)
    options = parser.parse_args()
    rates = [float(rate) for rate in options.rates.split(",")]
    content = Content(int(options.size * MB))
    counts = [int(number) for number in options.connections.split(",")]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(
        target=serve, args=(theirs, rates, content.size, options.rtt, options.stall_one), daemon=True
    )
    server.start()
    url = ours.recv()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.bin"
        for count in counts:
            sources = [rates[number % len(rates)] for number in range(count)]
            if options.stall_one:
                sources = [0.0 if number % _ONE_IN == _STALLED - 1 else rate for number, rate in enumerate(sources)]
            ideal = options.size / sum(sources)
            commands = {
                "penstock": penstock(url, output, count),
                "aria2": aria2(url, output, count),
                "axel": axel(url, output, count),
            }

            def numbered_anew(command: list[str] | None, count: int) -> Run | None:
                ours.send(count)
                ours.recv()
                return fetching(command, output, content.sha256, timeout=options.timeout)()

            steps: dict[str, Callable[[], Run | None]] = {
                name: functools.partial(numbered_anew, command, count) for name, command in commands.items()
            }
            for name, runs in rounds(steps, options.rounds, warm_up=0).items():
                rows.append(row(name, count, runs, ideal))
    ours.send(0)
    server.join()
    print(table(["program", "connections", "median s", "min", "max", "ideal s", "of the ideal"], rows))


def row(name: str, count: int, runs: list[Run], ideal: float) -> list[object]:
    """One program's line."""
    good = [each.wall for each in runs if each.code == 0]
    if not runs:
        return [name, count, "not installed", "", "", f"{ideal:.2f}", ""]
    if len(good) < len(runs):
        return [name, count, f"failed or too slow {len(runs) - len(good)} of {len(runs)}", "", "", f"{ideal:.2f}", ""]
    mid = middle(good)
    return [name, count, f"{mid:.2f}", f"{min(good):.2f}", f"{max(good):.2f}", f"{ideal:.2f}", f"{mid / ideal:.2f}"]


if __name__ == "__main__":
    main()
