"""The report as one picture for pasting: the sentence, the figures, connections and speed over time. SVG, or PNG where
the library for it is installed."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from penstock.errors import InvalidRequest
from penstock.report import totals
from penstock.report.drawing import gantt, palette, throughput
from penstock.report.drawing.axis import Axis, Drawn
from penstock.report.drawing.markup import Markup, element, join
from penstock.report.facts import PHASES
from penstock.report.judged import Judged

#: Pixels: the whole width, the margin, and the room for labels left of a drawing.
_WIDTH: Final = 1200
_MARGIN: Final = 36
_LABELS: Final = 84
#: Characters on a line of the sentence, and of smaller text.
_SENTENCE: Final = 62
_LINE: Final = 118
#: Figures that are shown.
_MOST_FIGURES: Final = 6
#: Rows up to which connections are drawn one by one: a picture cannot be scrolled.
_MOST_ROWS: Final = 24
#: Times as many pixels in a PNG: it may be looked at on a dense screen.
_SCALE: Final = 2
#: Bands that the legend names.
_MOST_NAMES: Final = 16


def svg(judged: Judged) -> str:
    """The picture as a file of SVG, in the light theme."""
    column = _Column(judged)
    column.head()
    column.chart("Connections over time", _connections(judged, column.axis))
    has_bars = gantt.can_draw(judged.story) and judged.story.rows <= _MOST_ROWS
    marks = gantt.marks(judged.story) if has_bars else []
    column.legend([(gantt.PHASE_NAMES[phase], palette.paint(phase)) for phase in PHASES], marks)
    drawn = throughput.throughput(judged.story, column.axis, judged.best)
    column.chart("Speed over time", drawn)
    column.legend(throughput.names(judged.story)[:_MOST_NAMES])
    return column.picture()


def png(judged: Judged) -> bytes:
    """The same as PNG; raises InvalidRequest where resvg_py is not installed."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise InvalidRequest(
            "PNG pictures need the package resvg_py: pip install 'penstock[png]'; --format svg needs nothing"
        ) from None
    return bytes(svg_to_bytes(svg_string=svg(judged), zoom=_SCALE))


def _connections(judged: Judged, axis: Axis) -> Drawn:
    story = judged.story
    if gantt.can_draw(story) and story.rows <= _MOST_ROWS:
        return gantt.gantt(story, axis)
    return throughput.activity(story, axis)


class _Column:
    """Things below each other."""

    def __init__(self, judged: Judged) -> None:
        self._judged = judged
        self._y = float(_MARGIN)
        self._shapes: list[Markup] = []
        self.axis = Axis(judged.story.seconds, _WIDTH - 2 * _MARGIN - _LABELS)

    def head(self) -> None:
        """What it is of, the sentence, the figures."""
        story, finding = self._judged.story, self._judged.finding
        self._text(_cut(f"{totals.title(story)} · {totals.about(story)}"), "soft", 15)
        self._y += 10
        for line in textwrap.wrap(finding.sentence, _SENTENCE):
            self._text(line, "title", 27)
        for line in textwrap.wrap(finding.advice, _LINE):
            self._text(line, "soft", 17)
        self._y += 14
        figures = totals.totals(story, self._judged.best)[:_MOST_FIGURES]
        step = (_WIDTH - 2 * _MARGIN) / len(figures)
        for number, (name, value) in enumerate(figures):
            x = _MARGIN + number * step
            self._shapes.append(element("text", name, x=f"{x:.0f}", y=self._y + 14, class_="tick"))
            self._shapes.append(element("text", value, x=f"{x:.0f}", y=self._y + 36, class_="figure"))
        self._y += 54

    def chart(self, heading: str, drawn: Drawn) -> None:
        """A drawing with its heading and labels."""
        self._y += 14
        self._text(heading, "heading", 17)
        self._y += 8
        labels = [
            element("text", label, x=_LABELS - 10, y=f"{y + 4:.1f}", text_anchor="end", class_="tick")
            for y, label in drawn.labels
        ]
        shapes = element("g", drawn.shapes, transform=f"translate({_LABELS} 0)")
        self._shapes.append(element("g", *labels, shapes, transform=f"translate({_MARGIN} {self._y:.0f})"))
        self._y += drawn.height + 8

    def legend(self, entries: list[tuple[str, palette.Paint]], marks: Sequence[str] = ()) -> None:
        """Swatches and marks with their names, in lines."""
        x = float(_MARGIN + _LABELS)
        meanings = {kind: meaning for kind, _, meaning in gantt.MARKS}
        named: list[tuple[str, palette.Paint | str]] = [*entries, *((meanings[kind], kind) for kind in marks)]
        for label, each in named:
            shown = _cut(label, 44)
            width = 26 + 7.2 * len(shown) + 14
            if x + width > _WIDTH - _MARGIN:
                x, self._y = float(_MARGIN + _LABELS), self._y + 20
            y = self._y + 2
            if isinstance(each, str):
                class_ = "mark cross" if each == "broken" else "mark"
                self._shapes.append(element("use", href=f"#mark-{each}", x=x + 6, y=y + 7, class_=class_))
            else:
                square = {"x": f"{x:.0f}", "y": y, "width": 13, "height": 13, "rx": 2}
                self._shapes += [element("rect", **square, **each.fill()), element("rect", **square, class_="frame")]
            self._shapes.append(element("text", shown, x=f"{x + 19:.0f}", y=y + 11, class_="tick"))
            x += width
        self._y += 26

    def picture(self) -> str:
        """All of it as a file."""
        height = self._y + _MARGIN / 2
        defs = element("defs", palette.patterns(), gantt.mark_shapes())
        ground = element("rect", width=_WIDTH, height=f"{height:.0f}", rx=10, class_="ground")
        picture = element(
            "svg", element("title", self._judged.finding.sentence), element("style", Markup(_style())), defs, ground,
            join(self._shapes), xmlns="http://www.w3.org/2000/svg", width=_WIDTH, height=f"{height:.0f}",
            viewBox=f"0 0 {_WIDTH} {height:.0f}",
        )  # fmt: skip
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{picture}\n'

    def _text(self, text: str, class_: str, size: int) -> None:
        self._y += size * 1.28
        self._shapes.append(
            element("text", text, x=_MARGIN, y=f"{self._y - size * 0.3:.1f}", class_=class_, font_size=size)
        )


def _cut(text: str, most: int = _LINE) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _style() -> str:
    """The page's rules with the colours of the light theme."""
    role = {name: colours[0] for name, colours in palette.ROLES.items()}
    return (
        palette.classes(0)
        + "text{font-family:system-ui,'Noto Sans','DejaVu Sans',sans-serif}"
        + f".ground{{fill:{role['panel']}}}.title{{fill:{role['ink']};font-weight:bold}}.soft{{fill:{role['soft']}}}"
        + f".heading,.figure{{fill:{role['ink']};font-weight:bold}}.figure{{font-size:17px}}"
        + f".tick{{fill:{role['soft']};font-size:12.5px}}"
        + f".note{{fill:{role['ink']};font-size:12.5px;font-weight:bold;paint-order:stroke;"
        + f"stroke:{role['panel']};stroke-width:4}}"
        + f".grid{{stroke:{role['line']}}}.rule{{stroke:{role['soft']}}}"
        + f".level{{stroke:{role['ink']};stroke-width:1.5;stroke-dasharray:6 4}}"
        + f".frame{{fill:none;stroke:{role['edge']};stroke-width:.7}}"
        + f".bands path{{stroke:{role['panel']};stroke-width:.8}}.strip rect,.hit{{fill:none}}"
        + f".mark{{fill:{role['ink']};stroke:{role['panel']};stroke-width:1.2}}"
        + f".cross{{fill:none;stroke:{role['ink']};stroke-width:2}}"
    )
