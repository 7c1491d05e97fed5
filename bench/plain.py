"""A large file from nginx over loopback: wall and CPU time of each program, paired round by round.

python -m bench.plain [--size 1024] [--connections 4] [--rounds 5] [--tls] [--dir DIR]

The size is in MiB. Every output is compared by SHA-256. Ratios are of medians within this run.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.servers.nginx import start_nginx

from bench.harness import Run, aria2, axel, curl, fetching, middle, penstock, rounds, run, sha256, table


def make_file(path: Path, mebibytes: int) -> None:
    """A file that no compression or hole makes easier."""
    block = random.Random(1).randbytes(1 << 20)
    with path.open("wb") as file:
        for number in range(mebibytes):
            file.write(number.to_bytes(8, "big") + block[8:])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--dir", default=None, help="where the files go; a temporary directory by default")
    parser.add_argument("--json", type=Path, default=None, help="a file for every single measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        home = Path(folder)
        server = start_nginx(home / "nginx", home / "root")
        try:
            make_file(server.root / "file.bin", options.size)
            digest = sha256(server.root / "file.bin")
            url = server.url("file.bin", tls=options.tls)
            output = home / "out" / "file.bin"
            output.parent.mkdir()
            authority = str(server.ca_file)
            trust = ("--cacert", authority) if options.tls else ()
            trust_aria2 = (f"--ca-certificate={authority}",) if options.tls else ()
            steps = {
                "penstock": penstock(url, output, options.connections, *trust),
                "aria2": aria2(url, output, options.connections, *trust_aria2),
                "curl (1 connection)": curl(url, output, *trust),
                "axel": None if options.tls else axel(url, output, options.connections),
                "cp": ["cp", str(server.root / "file.bin"), str(output)],
            }
            run(["cat", str(server.root / "file.bin")])
            results = rounds(
                {name: fetching(command, output, digest) for name, command in steps.items()}, options.rounds
            )
        finally:
            server.stop()
    if options.json is not None:
        every = {name: [asdict(each) for each in runs] for name, runs in results.items()}
        options.json.write_text(json.dumps(every, indent=1) + "\n")
    print(report(results))


def report(results: dict[str, list[Run]]) -> str:
    """The table; penstock's medians are set against everyone's."""
    ours_wall = middle(each.wall for each in results["penstock"])
    ours_cpu = middle(each.cpu for each in results["penstock"])
    rows = []
    for name, runs in results.items():
        if not runs or any(each.code for each in runs):
            rows.append([name, "failed" if runs else "not measured", *[""] * 6])
            continue
        wall, cpu = middle(each.wall for each in runs), middle(each.cpu for each in runs)
        user, system = middle(each.user for each in runs), middle(each.system for each in runs)
        memory = max(each.memory for each in runs) / 2**20
        seconds = [f"{each:.2f}" for each in (wall, user, system, cpu)]
        rows.append([name, *seconds, f"{memory:.0f}", f"{ours_wall / wall:.2f}", f"{ours_cpu / cpu:.2f}"])
    ratios = ["penstock's wall / its", "penstock's CPU / its"]
    return table(["program", "wall s", "user s", "system s", "CPU s", "peak MiB", *ratios], rows)


if __name__ == "__main__":
    main()
