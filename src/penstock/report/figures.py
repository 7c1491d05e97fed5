"""Charts of the page: a drawing with its heading, labels, legend and, for those who do not see it, a table."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.report.drawing.axis import Drawn
from penstock.report.drawing.gantt import MARKS, PHASE_NAMES
from penstock.report.drawing.markup import Markup, element
from penstock.report.drawing.palette import Paint, paint
from penstock.report.facts import PHASES

#: Pixels of a swatch.
_SWATCH = 14


def figure(heading: str, about: str, drawn: Drawn, legend: Markup | None = None, more: Markup | None = None) -> Markup:
    """A chart under `heading`; `about` says in a sentence what can be seen."""
    labels = [
        element("span", label, style=f"top:{y:.1f}px", aria_hidden="true") for y, label in drawn.labels
    ]  # fmt: skip
    plot = element("svg", drawn.shapes, class_="plot", height=f"{drawn.height:g}", role="group", aria_label=heading)
    side = element("div", *labels, class_="labels", style=f"height:{drawn.height:g}px") if labels else ""
    return element(
        "figure",
        element("figcaption", element("h3", heading), element("p", about)),
        legend or Markup(""),
        element("div", side, plot, class_="frame-box" if labels else "frame-box bare"),
        more or Markup(""),
    )


def legend(entries: Iterable[tuple[str, Paint]], *, marks: Iterable[str] = ()) -> Markup:
    """What each paint, and each mark, stands for."""
    items = [element("li", swatch(each), label) for label, each in entries]
    known = {kind: meaning for kind, _, meaning in MARKS}
    items += [element("li", _mark(kind), known[kind]) for kind in marks]
    return element("ul", *items, class_="legend")


def phase_legend(marks: Iterable[str] = (), *, has_pauses: bool = False) -> Markup:
    """The legend of what connections do."""
    entries = [(PHASE_NAMES[phase], paint(phase)) for phase in PHASES]
    if has_pauses:
        entries.append(("paused", paint("paused")))
    return legend(entries, marks=marks)


def swatch(each: Paint) -> Markup:
    """A small square of the paint."""
    inner = _SWATCH - 1
    rect = element("rect", x=0.5, y=0.5, width=inner, height=inner, rx=2, **each.fill())
    frame = element("rect", x=0.5, y=0.5, width=inner, height=inner, rx=2, class_="frame")
    return element("svg", rect, frame, class_="swatch", width=_SWATCH, height=_SWATCH, aria_hidden="true")


def _mark(kind: str) -> Markup:
    shape = element("use", href=f"#mark-{kind}", x=7, y=7, class_="mark cross" if kind == "broken" else "mark")
    return element("svg", shape, class_="swatch", width=_SWATCH, height=_SWATCH, aria_hidden="true")
