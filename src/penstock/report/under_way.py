"""A download that is being told of: what is known of it so far."""

from __future__ import annotations

from typing import Any, Final

from penstock.report.facts import Download, Piece
from penstock.report.fields import amount, number, text

#: States that are kept of one download: each retry from another source begins a few.
_MOST_STATES: Final = 40


class UnderWay:
    """Grows with each event of one download."""

    __slots__ = ("_answered", "_begin", "_kept", "_length", "_open", "_ranges", "_states", "_url", "number", "origin",
                 "pieces")  # fmt: skip

    def __init__(self, number: int, begin: float, url: str) -> None:
        self.number = number
        #: The origin that its transfers go to; empty before the first.
        self.origin = ""
        #: Who brought which bytes.
        self.pieces: list[Piece] = []
        self._begin = begin
        self._url = url
        self._answered: float | None = None
        self._length: int | None = None
        self._ranges: bool | None = None
        self._kept = 0
        self._open: tuple[str, float] | None = None
        self._states: list[tuple[str, float, float]] = []

    def take(self, phase: str, name: str, at: float, arguments: dict[str, Any]) -> None:
        """A state begins (``b``) or ends (``e``), or something became known (``n``)."""
        if phase == "b":
            self._close(at)
            self._open = (name, at)
        elif phase == "e":
            if self._open is not None and self._open[0] == name:
                self._close(at)
        elif name == "probed":
            self._answered = at if self._answered is None else self._answered
            length = number(arguments, "length")
            self._length = None if length is None else int(length)
            ranges = arguments.get("ranges")
            self._ranges = ranges if isinstance(ranges, bool) else None
            self._url = text(arguments, "url") or self._url
        elif name == "resumed":
            self._kept = amount(arguments, "kept")
        elif name == "restarted":
            self._kept = 0
            self.pieces.clear()

    def ended(self, at: float, arguments: dict[str, Any]) -> Download:
        """The whole of it, at its end."""
        self._close(at)
        answered = self._answered
        return Download(
            number=self.number,
            begin=self._begin,
            end=at,
            state=text(arguments, "state", 20) or "open",
            url=self._url,
            name=text(arguments, "name"),
            length=self._length,
            accepts_ranges=self._ranges,
            size=amount(arguments, "size") or self._length or 0,
            fetched=amount(arguments, "fetched"),
            kept=amount(arguments, "resumed") or self._kept,
            connections=amount(arguments, "connections"),
            reason=text(arguments, "reason", 100),
            message=text(arguments, "message"),
            first_byte=None if answered is None else answered - self._begin,
            states=tuple(self._states),
            pieces=tuple(self.pieces),
        )

    def _close(self, at: float) -> None:
        if self._open is not None and len(self._states) < _MOST_STATES:
            self._states.append((*self._open, at))
        self._open = None
