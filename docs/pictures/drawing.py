"""Boxes, arrows and words as SVG, legible on a light page and on a dark one.

Boxes have fills and inks of their own, so that the page behind them does not matter; lines are of a grey that shows on
both. Pictures are at most 520 units wide, for they are looked at on telephones too.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
INK: Final = "#1d2733"
FAINT_INK: Final = "#4a5766"
LINE: Final = "#7d8896"
PAPER: Final = "#f4f6f8"
#: Fill and edge of a box by what it stands for.
KINDS: Final = {
    "step": ("#e3ecf8", "#5a7fb5"),
    "disk": ("#fbefcf", "#b3861b"),
    "outside": ("#e0f2e6", "#46905f"),
    "end": ("#eceef1", "#7d8896"),
}
_HEADS: Final = (
    '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    f'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{LINE}"/></marker></defs>'
)


class Point(NamedTuple):
    """A place: units to the right, units down."""

    x: float
    y: float


class Box(NamedTuple):
    """A box with a title and perhaps lines below it. `x` and `y` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    title: str
    lines: tuple[str, ...] = ()
    kind: str = "step"

    @property
    def top(self) -> Point:
        """The middle of the upper edge."""
        return Point(self.x + self.width / 2, self.y)

    @property
    def bottom(self) -> Point:
        """The middle of the lower edge."""
        return Point(self.x + self.width / 2, self.y + self.height)

    @property
    def left(self) -> Point:
        """The middle of the left edge."""
        return Point(self.x, self.y + self.height / 2)

    @property
    def right(self) -> Point:
        """The middle of the right edge."""
        return Point(self.x + self.width, self.y + self.height / 2)

    def svg(self) -> str:
        """The box as SVG."""
        fill, edge = KINDS[self.kind]
        middle = self.x + self.width / 2
        first = self.y + self.height / 2 - 8.5 * len(self.lines) + 5
        parts = [rectangle(self.x, self.y, self.width, self.height, fill=fill, edge=edge)]
        parts.append(text(middle, first, self.title, size=15, weight=600))
        parts += [
            text(middle, first + 17 * row, line, size=12.5, ink=FAINT_INK) for row, line in enumerate(self.lines, 1)
        ]
        return "".join(parts)


def column(x: float, y: float, width: float, height: float, gap: float, boxes: Sequence[tuple[str, ...]]) -> list[Box]:
    """Boxes one below another; each is (kind, title, line, ...)."""
    return [
        Box(x, y + row * (height + gap), width, height, title, tuple(lines), kind)
        for row, (kind, title, *lines) in enumerate(boxes)
    ]


def rectangle(
    x: float, y: float, width: float, height: float, *, fill: str, edge: str = "none", round_: float = 7
) -> str:
    """A rectangle with round corners."""
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(round_)}" '
        f'fill="{fill}" stroke="{edge}" stroke-width="1.4"/>'
    )


def text(
    x: float, y: float, words: str, *, size: float = 13, ink: str = INK, weight: int = 400, anchor: str = "middle"
) -> str:
    """Words; `y` is their baseline."""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{ink}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(words, quote=False)}</text>'
    )


def arrow(*points: Point, dashed: bool = False, both: bool = False, curved: bool = False) -> str:
    """A line with a head through `points`; `curved`: a smooth one from the first to the last, drawn by the others."""
    if curved:
        first, *between, last = points
        path = f"M{_at(first)} C{' '.join(_at(point) for point in between)} {_at(last)}"
    else:
        path = "M" + " L".join(_at(point) for point in points)
    style = ' stroke-dasharray="5 4"' if dashed else ""
    start = ' marker-start="url(#head)"' if both else ""
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.6"{style} marker-end="url(#head)"{start}/>'


def label(x: float, y: float, words: str, *, size: float = 12) -> str:
    """Words on a small piece of paper, centred on (`x`, `y`): for what stands outside of boxes."""
    width = 0.56 * size * len(words) + 12
    return rectangle(x - width / 2, y - size * 0.85, width, size * 1.7, fill=PAPER, round_=4) + text(
        x, y + size * 0.36, words, size=size, ink=FAINT_INK
    )


def picture(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """A whole SVG file."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="img" font-family="{escape(FONT)}">\n<title>{escape(title)}</title>\n'
        + _HEADS
        + "\n"
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _at(point: Point) -> str:
    return f"{_n(point.x)} {_n(point.y)}"


def _n(value: float) -> str:
    """A number as short as it can be."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
