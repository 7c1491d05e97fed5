"""What one line of a list asks for, and what is wrong with a line that asks for nothing."""

from __future__ import annotations

from typing import NamedTuple

from penstock.model import Digest


class Row(NamedTuple):
    """One file to fetch. `urls` are alternatives, tried in turn, as they were written."""

    #: Where it may be had: alternatives, tried in turn.
    urls: tuple[str, ...]
    #: Its line in the list, counted from 1; 0 when it came from elsewhere.
    line: int = 0
    #: Name of the target, perhaps with folders, relative to `directory`; None: made from the URL.
    output: str | None = None
    #: Folder of the target; None: the batch's own.
    directory: str | None = None
    #: The digest that it must have.
    checksum: Digest | None = None
    #: Length it must have, bytes.
    size: int | None = None
    #: Header fields for this file only.
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Without URLs and header fields, which may hold secrets."""
        return f"Row(line={self.line}, output={self.output!r}, directory={self.directory!r})"


class BadRow(NamedTuple):
    """A line that cannot be used, and why. `text` is an excerpt fit to be shown: escaped, without credentials."""

    #: Its line in the list, counted from 1.
    line: int
    #: An excerpt fit to be shown.
    text: str
    #: What is wrong with it, in words.
    why: str
