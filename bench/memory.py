"""Peak resident memory for a file much larger than memory should ever see.

python -m bench.memory [--size 4096] [--connections 16]

The size is in MiB; the file is sparse on the server's side, so only the client's disk is filled.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.servers.nginx import start_nginx

from bench.harness import penstock, run, sha256


def main() -> None:
    """Measure and print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = start_nginx(home / "nginx", home / "root")
        try:
            source = server.root / "file.bin"
            with source.open("wb") as file:
                file.truncate(options.size << 20)
            output = home / "out.bin"
            done = run(penstock(server.url("file.bin"), output, options.connections), timeout=600)
            same = done.code == 0 and sha256(output) == sha256(source)
        finally:
            server.stop()
    print(
        f"{options.size} MiB over {options.connections} connections: peak {done.memory / 2**20:.1f} MiB resident, "
        f"{done.wall:.1f} s, bytes {'right' if same else 'WRONG'}"
    )
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
