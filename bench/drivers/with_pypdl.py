"""pypdl: segments of one file, or many files each in one piece.

with_pypdl.py one URL FILE CONNECTIONS | many LIST DIRECTORY AT_ONCE
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from pypdl import Pypdl

_RETRIES = 5


def main(what: str, source: str, target: str, number: int) -> int:
    """Fetch; 0 when all came."""
    logger = logging.getLogger("pypdl")
    logger.addHandler(logging.NullHandler())  # its own writes a file where it is called
    if what == "one":
        downloader = Pypdl(logger=logger)
        downloader.start(
            url=source, file_path=target, multisegment=number > 1, segments=number, retries=_RETRIES, display=False
        )
    else:
        urls = Path(source).read_text().split()
        tasks = [{"url": url, "file_path": os.path.join(target, url.rpartition("/")[2])} for url in urls]
        downloader = Pypdl(logger=logger, max_concurrent=number)
        downloader.start(tasks=tasks, multisegment=False, retries=_RETRIES, display=False)
    return 1 if downloader.failed else 0


if __name__ == "__main__":
    _what, _source, _target, _number = sys.argv[1:]
    sys.exit(main(_what, _source, _target, int(_number)))
