"""The command's way in: ``penstock`` and ``python -m penstock``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from penstock.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
