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

from bench.harness import fetching, middle, penstock, rounds, run, sha256, table


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
                    "bare Python": lambda: run([sys.executable, "-c", "pass"]),
                    "penstock --version": lambda: run([sys.executable, "-m", "penstock", "--version"]),
                    "a one-byte file": fetching(penstock(server.url("one.bin"), output, 8), output, sha256(source)),
                },
                options.rounds,
                warm_up=2,
            )
        finally:
            server.stop()
    bare = middle(each.wall for each in results["bare Python"])
    walls = {name: middle(each.wall for each in runs) for name, runs in results.items()}
    print(
        table(
            ["what", "median ms", "over bare Python ms"],
            [[name, f"{wall * 1e3:.0f}", f"{(wall - bare) * 1e3:.0f}"] for name, wall in walls.items()],
        )
    )
    check = "import sys, penstock.__main__ as m; sys.argv[1:] = ['--version']\ntry: m.main()\nexcept SystemExit: pass\n"
    check += "print([name for name in ('rich', 'pycurl') if name in sys.modules])"
    print(
        "--version imports of rich and pycurl:",
        subprocess.check_output([sys.executable, "-c", check], text=True).split("\n")[1],
    )


if __name__ == "__main__":
    main()
