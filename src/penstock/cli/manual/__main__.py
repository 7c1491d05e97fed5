"""Write the manual pages: ``python -m penstock.cli.manual DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.cli.manual.dates import today
from penstock.cli.manual.pages import write


def main() -> None:
    """Write them into the directory that is named, which is made if need be."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m penstock.cli.manual DIR")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for path in write(folder, today()):
        print(path)


if __name__ == "__main__":
    main()
