"""What a start costs: a one-byte file from nginx and ``--version``, beside bare Python, interleaved.

python -m bench.startup [--rounds 15]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers.nginx import start_nginx

from bench.harness import Run, fetching, middle, penstock, rounds, run, sha256, table

_BARE = "bare Python"
#: What ``--version`` has no use for.
_HEAVY = {"pycurl", "rich"}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = start_nginx(home / "nginx", home / "root")
        try:
            source = server.root / "one.bin"
            source.write_bytes(b"x")
            output = home / "out.bin"
            results = rounds(
                {
                    _BARE: lambda: run([sys.executable, "-c", "pass"]),
                    "penstock --version": lambda: run([sys.executable, "-m", "penstock", "--version"]),
                    "a one-byte file": fetching(penstock(server.url("one.bin"), output, 8), output, sha256(source)),
                },
                options.rounds,
                warm_up=2,
            )
        finally:
            server.stop()
    print(report(results))
    forbidden = imported_by_version()
    print("--version imports of rich and pycurl:", ", ".join(forbidden) or "none")
    if forbidden:
        raise SystemExit(1)


def report(results: dict[str, list[Run]]) -> str:
    """The table. CPU time is shown too, since it says more than wall time on a machine that does other things."""
    walls = {name: middle(each.wall for each in runs) for name, runs in results.items()}
    cpus = {name: middle(each.cpu for each in runs) for name, runs in results.items()}
    rows = []
    for name, runs in results.items():
        if any(each.code for each in runs):
            raise SystemExit(f"{name} failed")
        seconds = (walls[name], walls[name] - walls[_BARE], cpus[name], cpus[name] - cpus[_BARE])
        rows.append([name, *(f"{each * 1e3:.0f}" for each in seconds)])
    return table(["what", "wall ms", "over bare Python", "CPU ms", "over bare Python"], rows)


def imported_by_version() -> list[str]:
    """Which of the heavy modules ``--version`` imports."""
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "penstock", "--version"], capture_output=True, text=True, check=True
    ).stderr
    names = {line.rpartition("|")[2].strip() for line in seen.splitlines()}
    return sorted(names & _HEAVY)


if __name__ == "__main__":
    main()
