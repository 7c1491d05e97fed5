"""Bands stacked over time: throughput by connection or host, connections by what they do, files that ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from penstock.report.drawing.axis import AXIS_HEIGHT, Axis, Drawn, time_grid
from penstock.report.drawing.markup import Markup, element, join, lines
from penstock.report.drawing.palette import Paint

#: Columns that a band is drawn with at most, and those that can be pointed at.
_MOST_COLUMNS: Final = 160
_POINTED: Final = 48
#: Units over the width of a band's own coordinates, which are stretched to the drawing.
_UNITS: Final = 1000


@dataclass(frozen=True, slots=True)
class Band:
    """One layer: `values` for columns of the same width."""

    label: str
    paint: Paint
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Mark:
    """A level worth a dashed line, and its name."""

    label: str
    value: float


def grouped(
    values: Sequence[float], width: float, seconds: float, most: int = _MOST_COLUMNS
) -> tuple[list[float], float]:
    """Means of neighbours so that at most `most` are left, and their new width in seconds."""
    size = -(-len(values) // most)
    means = []
    for first in range(0, len(values), size):
        begin, end = first * width, min(seconds, (first + size) * width)
        share = width / max(end - begin, 1e-9)  # of the last group only a part may be within the run
        means.append(sum(values[first : first + size]) * share)
    return means, width * size


def stacked(
    axis: Axis,
    bands: Sequence[Band],
    width: float,
    steps: Sequence[float],
    told: Callable[[float], str],
    *,
    height: float = 190,
    marks: Sequence[Mark] = (),
    noun: str = "in all",
) -> Drawn:
    """`bands` with columns of `width` seconds, on a scale of `steps` whose values `told` puts in words."""
    top = steps[-1]
    shapes: list[Markup] = [time_grid(axis, height)]
    shapes += [
        element("line", x1=axis.x(0), x2=axis.full, y1=_y(step, top, height), y2=_y(step, top, height), class_="grid")
        for step in steps
    ]
    paths = _paths(bands, width / axis.seconds, top, height)
    shapes.append(
        element("svg", *paths, x=0, y=0, width=axis.full, height=height, viewBox=f"0 0 {_UNITS} {height:g}",
                preserveAspectRatio="none", class_="bands")
    )  # fmt: skip
    for mark in marks:
        y = _y(mark.value, top, height)
        shapes.append(element("line", x1=axis.x(0), x2=axis.full, y1=y, y2=y, class_="level"))
        below = float(y) < 16
        shapes.append(
            element(
                "text", mark.label, x=axis.full, y=float(y) + (14 if below else -5), text_anchor="end", class_="note"
            )
        )
    shapes.append(_pointed(axis, bands, width, told, height, noun))
    labels = tuple((float(_y(step, top, height)), told(step)) for step in steps)
    return Drawn(height + AXIS_HEIGHT, labels, join(shapes))


def _y(value: float, top: float, height: float) -> str:
    return f"{height * (1 - min(1.0, value / top)):.1f}"


def _paths(bands: Sequence[Band], column: float, top: float, height: float) -> list[Markup]:
    """A path for each band, lowest first."""
    count = max((len(band.values) for band in bands), default=0)
    floor = [0.0] * count
    found = []
    edges = [min(_UNITS, round(number * column * _UNITS, 1)) for number in range(count + 1)]
    for band in bands:
        ceiling = [low + value for low, value in zip(floor, band.values, strict=True)]
        if any(band.values):
            upper = "".join(f"V{_y(value, top, height)}H{edges[n + 1]:g}" for n, value in enumerate(ceiling))
            lower = "".join(f"V{_y(floor[n], top, height)}H{edges[n]:g}" for n in reversed(range(count)))
            found.append(element("path", d=f"M0 {_y(floor[0], top, height)}{upper}{lower}Z", **band.paint.fill()))
        floor = ceiling
    return found


def _pointed(
    axis: Axis, bands: Sequence[Band], width: float, told: Callable[[float], str], height: float, noun: str
) -> Markup:
    """Upright strips that say what is at their time."""
    count = max((len(band.values) for band in bands), default=0)
    size = max(1, -(-count // _POINTED))
    strips = []
    for first in range(0, count, size):
        begin, end = first * width, min(axis.seconds, (first + size) * width)
        middle = min(count - 1, first + size // 2)
        values = [(band.label, band.values[middle]) for band in bands]
        said = [f"{label}: {told(value)}" for label, value in values if value > 0]
        head = f"{begin:.4g} s: {told(sum(value for _, value in values))} {noun}"
        title = element("title", lines(head, *(said[:16] if len(said) > 1 else [])))
        strips.append(
            element("g", title, element("rect", x=axis.x(begin), width=axis.length(begin, end), y=0, height=height),
                    class_="m strip")
        )  # fmt: skip
    return join(strips)
