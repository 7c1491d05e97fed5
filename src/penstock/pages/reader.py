"""Who reads documents for a walk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from penstock.model import Document, Origin


class Reader(NamedTuple):
    """`read(url, max_size)` begins to read a document, `wait(future)` brings it or raises DownloadError,
    `slow_down(origin, pace)` asks an origin at most `pace` times a second, `note` tells a person what was left out."""

    read: Callable[[str, int], Future[Document]]
    wait: Callable[[Future[Document]], Document]
    slow_down: Callable[[Origin, float], None]
    note: Callable[[str], None]
