"""parfive: splits of one file, or many files each in one piece; blocks of 1 MiB instead of its 1 KiB.

with_parfive.py one URL FILE CONNECTIONS | many LIST DIRECTORY AT_ONCE
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from parfive import Downloader

_BLOCK = 1 << 20


def main(what: str, source: str, target: str, number: int) -> int:
    """Fetch; 0 when all came."""
    if what == "one":
        downloader = Downloader(max_conn=number, max_splits=number, progress=False, overwrite=True)
        directory, name = os.path.split(target)
        downloader.enqueue_file(source, path=directory, filename=name, chunksize=_BLOCK)
    else:
        downloader = Downloader(max_conn=number, max_splits=1, progress=False, overwrite=True)
        for url in Path(source).read_text().split():
            downloader.enqueue_file(url, path=target, filename=url.rpartition("/")[2], chunksize=_BLOCK)
    return 1 if downloader.download().errors else 0


if __name__ == "__main__":
    _what, _source, _target, _number = sys.argv[1:]
    sys.exit(main(_what, _source, _target, int(_number)))
