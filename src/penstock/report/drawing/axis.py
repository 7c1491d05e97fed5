"""Time from left to right, and what is drawn along it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from penstock.core import words
from penstock.report.drawing.markup import Markup, element, join

#: Pixels below a drawing for its times.
AXIS_HEIGHT: Final = 24
_STEPS: Final = (1, 2, 5)
_LONG_STEPS: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
#: Ticks at most.
_MOST_TICKS: Final = 7


@dataclass(frozen=True, slots=True)
class Axis:
    """`seconds` over the whole width: of whatever it is put into (`width` None), or so many pixels."""

    seconds: float
    width: float | None = None

    def x(self, at: float) -> str:
        """Where a moment is."""
        return self.part(at / self.seconds)

    def part(self, share: float) -> str:
        """A part of the width, 0 to 1."""
        share = min(1.0, max(0.0, share))
        return f"{share * 100:.2f}%" if self.width is None else f"{share * self.width:.1f}"

    def length(self, begin: float, end: float) -> str:
        """How wide a time is, at least enough to be seen."""
        share = max((end - begin) / self.seconds, 0.001)
        return self.part(share)

    @property
    def full(self) -> str:
        """All of the width."""
        return self.part(1.0)

    def shows(self, seconds: float) -> bool:
        """Whether so short a time can be seen at all."""
        return seconds >= self.seconds / 2000


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawing: its height in pixels, labels at its left (y of their middle, text), and its shapes."""

    height: float
    labels: tuple[tuple[float, str], ...]
    shapes: Markup


def ticks(seconds: float) -> list[float]:
    """Round moments, a handful, from 0 on."""
    step = _step(seconds / _MOST_TICKS)
    return [number * step for number in range(int(seconds / step + 1e-9) + 1)]


def _step(least: float) -> float:
    if least > 30:
        return next((float(step) for step in _LONG_STEPS if step >= least), 86400.0 * math.ceil(least / 86400))
    scale = 10.0 ** math.floor(math.log10(least))
    return next((step * scale for step in _STEPS if step * scale >= least), 10 * scale)


def moment(at: float, step: float) -> str:
    """A tick's label."""
    if step >= 60:
        return words.clock(at)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{at:.{places}f} s"


def time_grid(axis: Axis, height: float) -> Markup:
    """Lines at round moments over `height`, and their times below."""
    found = ticks(axis.seconds)
    step = found[1] if len(found) > 1 else axis.seconds
    shapes = []
    for number, at in enumerate(found):
        share = at / axis.seconds
        shapes.append(element("line", x1=axis.x(at), x2=axis.x(at), y1=0, y2=height, class_="grid"))
        anchor = "start" if share < 0.02 else "end" if share > 0.96 else "middle"
        shapes.append(
            element("text", moment(at, step), x=axis.x(at), y=height + 16, text_anchor=anchor, class_=tick(number))
        )
    return join(shapes)


def tick(number: int) -> str:
    """The class of the label with this number: every second one goes where there is no room."""
    return "tick thin" if number % 2 else "tick"


def value_steps(most: float) -> list[float]:
    """Round values from 0 to at least `most`, three or four."""
    if most <= 0:
        return [0.0, 1.0]
    scale = 10.0 ** math.floor(math.log10(most / 2))
    step = next(step * scale for step in (1, 2, 2.5, 5, 10) if step * scale * 3 >= most)
    return [number * step for number in range(math.ceil(most / step - 1e-9) + 1)]


def byte_steps(most: float) -> list[float]:
    """The same, round in the units of bytes."""
    unit = 1024.0 ** math.floor(math.log(max(1.0, most), 1024))
    return [value * unit for value in value_steps(most / unit)]
