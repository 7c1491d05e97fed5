"""A file's bytes in rows of cells, by the place of the connection that brought each."""

from __future__ import annotations

from typing import Final

from penstock.core import words
from penstock.report.drawing.axis import Axis, Drawn
from penstock.report.drawing.markup import Markup, element, join, lines
from penstock.report.drawing.palette import Paint, paint, series
from penstock.report.facts import Download, Piece

_COLUMNS: Final = 64
_MOST_ROWS: Final = 12
#: Pixels from row to row, and of a cell.
_ROW: Final = 18
_CELL: Final = 14
#: A row of cells stands for at least so many bytes.
_LEAST_ROW: Final = 64 * 1024
#: Who brought a cell that no transfer did.
KEPT, MISSING = -1, -2


def bytemap(download: Download, axis: Axis) -> Drawn:
    """The map of one file. The axis counts nothing but width here."""
    length = max(download.length or 0, download.size, max((piece.stop for piece in download.pieces), default=0))
    rows = min(_MOST_ROWS, max(1, -(-length // _LEAST_ROW)))
    cells = owners(download, length, rows * _COLUMNS)
    shapes, labels = [], []
    for row in range(rows):
        y = row * _ROW
        labels.append((y + _CELL / 2, words.size(length * row / rows)))
        shapes += _row(cells, length, row, y, axis)
    return Drawn(rows * _ROW, tuple(labels), join(shapes))


def owners(download: Download, length: int, count: int) -> list[tuple[int, int]]:
    """For each of `count` cells the (row, connection) that brought most of it; KEPT or MISSING for none."""
    if length <= 0:
        return [(MISSING, 0)] * count
    shares: list[dict[tuple[int, int], float]] = [{} for _ in range(count)]
    for piece in download.pieces:
        _share_out(piece, length, shares)
    # what nobody brought in this run was there before it, if the file is whole
    gap = (KEPT if download.state == "done" or _gaps(shares) <= download.kept / length * count * 1.02 else MISSING, 0)
    return [max(share, key=lambda owner: share[owner]) if sum(share.values()) >= 0.5 else gap for share in shares]


def _share_out(piece: Piece, length: int, shares: list[dict[tuple[int, int], float]]) -> None:
    cell = length / len(shares)
    first, last = int(piece.start / cell), min(len(shares) - 1, int(max(piece.start, piece.stop - 1) / cell))
    owner = (piece.row, piece.connection)
    for number in range(first, last + 1):
        overlap = min(piece.stop, (number + 1) * cell) - max(piece.start, number * cell)
        shares[number][owner] = shares[number].get(owner, 0.0) + max(0.0, overlap) / cell


def _gaps(shares: list[dict[tuple[int, int], float]]) -> int:
    return sum(sum(share.values()) < 0.5 for share in shares)


def _row(cells: list[tuple[int, int]], length: int, row: int, y: float, axis: Axis) -> list[Markup]:
    """Neighbours of one owner as one shape."""
    shapes = []
    begin = row * _COLUMNS
    stop = begin + _COLUMNS
    while begin < stop:
        end = begin
        while end < stop and cells[end] == cells[begin]:
            end += 1
        left, right = (begin - row * _COLUMNS) / _COLUMNS, (end - row * _COLUMNS) / _COLUMNS
        said = f"{words.size(length * begin / len(cells))} to {words.size(length * end / len(cells))}"
        title = element("title", lines(f"{said}: {owner_text(cells[begin])}"))
        rect = element("rect", x=axis.part(left), y=y, width=axis.part(right - left), height=_CELL,
                       **owner_paint(cells[begin][0]).fill())  # fmt: skip
        frame = element("rect", x=axis.part(left), y=y, width=axis.part(right - left), height=_CELL, class_="frame")
        shapes.append(element("g", title, rect, frame, class_="m"))
        begin = end
    return shapes


def owner_text(owner: tuple[int, int]) -> str:
    """Who brought it, in words."""
    row, connection = owner
    if row == KEPT:
        return "kept from an earlier run"
    return "not there yet" if row == MISSING else f"place {row + 1}, connection {connection}"


def owner_paint(row: int) -> Paint:
    """The paint of a place, or of what no connection brought."""
    return paint("kept") if row == KEPT else paint("missing") if row == MISSING else series(row)
