"""requests: a pool of threads, each with a session, over ranges of one file or over many files.

with_requests.py one URL FILE CONNECTIONS | many LIST DIRECTORY AT_ONCE
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

_BLOCK = 1 << 20
_ATTEMPTS = 5
_PATIENCE = (30, 30)
_own = threading.local()


def _session() -> requests.Session:
    """This thread's, so that its connection is kept alive."""
    if not hasattr(_own, "session"):
        _own.session = requests.Session()
    session: requests.Session = _own.session
    return session


def one(url: str, output: str, connections: int) -> None:
    """As many equal ranges as connections."""
    answer = requests.head(url, timeout=_PATIENCE)
    answer.raise_for_status()
    size = int(answer.headers["Content-Length"])
    part = -(-size // connections)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.ftruncate(file, size)
        with ThreadPoolExecutor(connections) as pool:
            starts = range(0, size, part)
            list(pool.map(lambda start: _fetch_range(url, file, start, min(start + part, size)), starts))
    finally:
        os.close(file)


def _fetch_range(url: str, file: int, start: int, stop: int) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            headers = {"Range": f"bytes={start}-{stop - 1}"}
            with _session().get(url, headers=headers, stream=True, timeout=_PATIENCE) as answer:
                answer.raise_for_status()
                for block in answer.iter_content(_BLOCK):
                    os.pwrite(file, block, start)
                    start += len(block)
        except requests.RequestException:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(2**attempt / 2)
        if start >= stop:
            return


def many(list_file: str, directory: str, at_once: int) -> None:
    """Each thread takes the next file."""

    def fetch(url: str) -> None:
        with _session().get(url, timeout=_PATIENCE) as answer:
            answer.raise_for_status()
            Path(directory, url.rpartition("/")[2]).write_bytes(answer.content)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(fetch, Path(list_file).read_text().split()))


if __name__ == "__main__":
    _what, _source, _target, _number = sys.argv[1:]
    (one if _what == "one" else many)(_source, _target, int(_number))
