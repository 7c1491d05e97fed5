"""Bars that lie, for shares of a whole, and bars that stand, for how many took how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from penstock.core import words
from penstock.report.drawing.axis import AXIS_HEIGHT, Axis, Drawn, tick
from penstock.report.drawing.markup import Markup, element, join, lines
from penstock.report.drawing.palette import Paint, paint
from penstock.report.histogram import Histogram

#: Buckets in a tenfold; their edges are round to the eye.
_PER_TENFOLD: Final = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0)
#: Times that are named below the bars.
_LABELS: Final = 6


def share_bar(axis: Axis, parts: Sequence[tuple[str, Paint, float]], height: float = 28) -> Drawn:
    """One bar of (what it is, paint, amount), as wide as all together."""
    total = sum(amount for _, _, amount in parts)
    at, shapes = 0.0, []
    for told, each, amount in parts:
        left, width = axis.part(at / total), axis.part(amount / total)
        rect = element("rect", x=left, y=0, width=width, height=height, **each.fill())
        frame = element("rect", x=left, y=0, width=width, height=height, class_="frame")
        shapes.append(element("g", element("title", lines(told)), rect, frame, class_="m"))
        at += amount
    return Drawn(height, (), join(shapes))


def times(histogram: Histogram, axis: Axis, height: float = 110) -> Drawn:
    """How many took up to 1 ms, 2 ms, 5 ms, and so on. The axis counts nothing but width here."""
    edges = _edges(histogram)
    counts = histogram.below(edges)
    most = max(counts)
    shapes: list[Markup] = [element("line", x1=axis.part(0), x2=axis.full, y1=height, y2=height, class_="rule")]
    width = 1 / len(edges)
    for number, (edge, count) in enumerate(zip(edges, counts, strict=True)):
        tall = max(2.0, height * 0.86 * count / most) if count else 0.0
        title = lines(f"up to {words.short_duration(edge)}: {count:,} files ({count / histogram.count:.1%})")
        x, wide = axis.part((number + 0.06) * width), axis.part(0.88 * width)
        rect = element("rect", x=x, y=f"{height - tall:.1f}", width=wide, height=f"{tall:.1f}", **paint("plain").fill())
        strip = element("rect", x=axis.part(number * width), y=0, width=axis.part(width), height=height, class_="hit")
        shapes.append(element("g", element("title", title), strip, rect, class_="m"))
        middle = axis.part((number + 0.5) * width)
        every = max(1, round(len(edges) / _LABELS))
        if number % every == 0:
            label = f"≤ {words.short_duration(edge)}"
            class_ = tick(number // every)
            shapes.append(element("text", label, x=middle, y=height + 16, text_anchor="middle", class_=class_))
    return Drawn(height + AXIS_HEIGHT, ((height * 0.14, f"{most:,}"), (height, "0")), join(shapes))


def _edges(histogram: Histogram) -> list[float]:
    """Round times from the least to the greatest."""
    low = math.floor(math.log10(max(1e-4, histogram.percentile(0.001) * 0.99)))
    high = math.ceil(math.log10(max(1e-3, histogram.greatest)))
    edges = [step * 10.0**power for power in range(low, high + 1) for step in _PER_TENFOLD]
    first = next(number for number, edge in enumerate(edges) if edge >= histogram.percentile(0.0) * 0.99)
    last = next((number for number, edge in enumerate(edges) if edge >= histogram.greatest * 0.999), len(edges) - 1)
    return edges[min(first, last) : last + 1]
