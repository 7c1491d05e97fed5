"""The files of a batch that are being fetched now, as their events tell: for the names, and the bytes still to come."""

from __future__ import annotations

from typing import NamedTuple

from penstock.cli.display import Row, updated
from penstock.core import words
from penstock.core.urls import escape
from penstock.events import AnyEvent, BatchProgressed, Cancelled, Failed, Finished, Probed, Started


class Running:
    """Takes events. What small files end without an event of their own is none of these."""

    def __init__(self) -> None:
        self._files: dict[int, tuple[float, str, Row]] = {}

    def take(self, event: AnyEvent) -> None:
        """Follow what `event` tells."""
        number = event.download
        if isinstance(event, Started):
            self._files[number] = event.at, event.url, Row(escape(event.url))
        elif isinstance(event, Finished | Failed | Cancelled):
            self._files.pop(number, None)
        elif isinstance(event, Probed) or number in self._files:
            since, url, row = self._files.get(number, (event.at, "", Row("")))
            self._files[number] = since, url, updated(row, event)

    def url(self, number: int) -> str:
        """The URL of a file that is being fetched, without credentials; empty when it is not known."""
        return self._files[number][1] if number in self._files else ""

    def oldest(self, count: int, *, begun_before: float) -> list[Row]:
        """Those that have run for longest."""
        old = [(since, row) for since, _, row in self._files.values() if since <= begun_before]
        return [row for _, row in sorted(old, key=lambda pair: pair[0])[:count]]

    def known(self) -> Known:
        """What is known of their sizes."""
        rows = [row for _, _, row in self._files.values() if row.length is not None]
        return Known(
            len(rows),
            sum(row.length or 0 for row in rows),
            sum(max(0, (row.length or 0) - row.done) for row in rows),
        )


class Known(NamedTuple):
    """Of the files under way whose size is known: how many, their bytes, and those of them still to come."""

    files: int = 0
    size: int = 0
    left: int = 0


def time_left(event: BatchProgressed, known: Known) -> str:
    """The time to go as a clock shows it; empty while it cannot be told.

    By files at their pace, but no less than the bytes take that are known to be missing: the last files are often the
    large ones. Before the first file has ended, all are taken to be like those under way.
    """
    files = event.total - event.done - event.failed
    if not event.listed or files <= 0:
        return ""
    missing = float(known.left)
    if event.pace <= 0:
        if not known.files:
            return ""
        missing += max(0, files - known.files) * known.size / known.files
    by_bytes = missing / event.speed if event.speed > 0 else 0.0
    by_files = files / event.pace if event.pace > 0 else 0.0
    return words.clock(max(by_bytes, by_files)) if by_bytes or by_files else ""
