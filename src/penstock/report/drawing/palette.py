"""Colours, light and dark, and the patterns that tell shapes apart without them.

Hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with any kind of colour vision can tell
apart. Where there are more things than hues, or where confusion would be bad, a pattern is added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from penstock.report.drawing.markup import Markup, element, join
from penstock.report.facts import PHASES
from penstock.report.losses import PARTS

#: Colours of the page by their role: (light, dark).
ROLES: Final = {
    "ground": ("#f4f6f8", "#0e1115"),
    "panel": ("#ffffff", "#171b21"),
    "ink": ("#14181d", "#e8ecf1"),
    "soft": ("#4a5460", "#aab4c0"),
    "line": ("#d4dae1", "#2f3843"),
    "edge": ("#3a434e", "#0e1115"),
    "accent": ("#00578a", "#7cc4f0"),
    "on-accent": ("#ffffff", "#0e1115"),
    "focus": ("#b34700", "#ffb454"),
}
#: (text, what it stands on): each must be readable (WCAG 2.2, 1.4.3).
READ: Final = (
    ("ink", "ground"),
    ("ink", "panel"),
    ("soft", "ground"),
    ("soft", "panel"),
    ("accent", "ground"),
    ("accent", "panel"),
    ("on-accent", "accent"),
    ("panel", "ink"),
)

_BLUE, _ORANGE, _GREEN, _SKY = (
    ("#0072b2", "#3a93d6"),
    ("#e69f00", "#e69f00"),
    ("#009e73", "#009e73"),
    ("#56b4e9", "#8fd0f5"),
)
_RED, _PURPLE, _YELLOW, _GREY = (
    ("#d55e00", "#e06a10"),
    ("#cc79a7", "#cc79a7"),
    ("#f0e442", "#f0e442"),
    ("#8b929b", "#8b929b"),
)
_PALE, _VIOLET = ("#c5ccd4", "#707b88"), ("#5b4b8a", "#9c8bd0")

#: Hues of connections and hosts, in turn; then the same with the next pattern.
_HUES: Final = (_BLUE, _ORANGE, _GREEN, _SKY, _RED, _PURPLE, _YELLOW, _GREY)
_PATTERNS: Final = (None, "slant", "dots", "level")
#: Paints that tell connections or hosts apart.
SERIES: Final = len(_HUES) * len(_PATTERNS)

_STROKES: Final = {
    "slant": (6, "M-1 1L1 -1M0 6L6 0M5 7L7 5"),
    "back": (6, "M-1 5L1 7M0 0L6 6M5 -1L7 1"),
    "level": (4, "M0 2H4"),
    "upright": (4, "M2 0V4"),
    "dots": (5, "M1.5 2.5H3.5"),
}


@dataclass(frozen=True, slots=True)
class Paint:
    """What a shape is filled with: a colour for each theme and perhaps a pattern over it."""

    name: str
    light: str
    dark: str
    pattern: str | None = None

    def fill(self) -> dict[str, object]:
        """The attributes that fill a shape with it."""
        return {"class_": self.name} if self.pattern is None else {"fill": f"url(#paint-{self.name})"}


_PHASES: Final = {
    "dns": (_PURPLE, "dots"),
    "connect": (_ORANGE, "slant"),
    "tls": (_GREEN, "back"),
    "wait": (_PALE, "level"),
    "body": (_BLUE, None),
}
_PARTS: Final = ((_BLUE, None), (_PURPLE, "slant"), (_RED, None), (_YELLOW, "back"), (_PALE, "level"), (_ORANGE, None),
                 (_GREEN, None), (_SKY, "slant"), (_GREY, None), (_VIOLET, "back"))  # fmt: skip
_OTHERS: Final = {
    "kept": (_PALE, "slant"),
    "missing": (("#ffffff", "#171b21"), "dots"),
    "rest": (_GREY, "upright"),
    "paused": (_RED, "slant"),
    "done": (_BLUE, None),
    "failed": (_RED, "slant"),
    "plain": (_BLUE, None),
}

_NAMED: Final = {
    name: Paint(name, *hue, pattern)
    for name, (hue, pattern) in (
        *((name, _PHASES[name]) for name in PHASES),
        *((f"s{n}", (_HUES[n % len(_HUES)], _PATTERNS[n // len(_HUES)])) for n in range(SERIES)),
        *((f"part{n}", _PARTS[n]) for n in range(len(PARTS))),
        *_OTHERS.items(),
    )
}


def paint(name: str) -> Paint:
    """The paint of a phase or of something else that has a name."""
    return _NAMED[name]


def series(number: int) -> Paint:
    """The paint of the connection or host with this number, from 0."""
    return _NAMED[f"s{number % SERIES}"]


def part(name: str) -> Paint:
    """The paint of a part of the run's time."""
    return _NAMED[f"part{PARTS.index(name)}"]


def variables(theme: int) -> str:
    """CSS custom properties of the light (0) or dark (1) theme."""
    roles = "".join(f"--{name}:{colours[theme]};" for name, colours in ROLES.items())
    return roles + "".join(f"--{each.name}:{(each.light, each.dark)[theme]};" for each in _NAMED.values())


def classes(theme: int | None = None) -> str:
    """CSS classes that fill shapes: by custom properties, or by the colours of one theme."""
    rules = []
    for each in _NAMED.values():
        value = f"var(--{each.name})" if theme is None else (each.light, each.dark)[theme]
        rules.append(f".{each.name}{{fill:{value}}}")
    stroke = "var(--panel)" if theme is None else ROLES["panel"][theme]
    rules.append(f".over{{fill:none;stroke:{stroke};stroke-width:1.4;stroke-opacity:.75}}")
    return "".join(rules)


def patterns() -> Markup:
    """The ``defs`` that paints with patterns need."""
    return join(
        element(
            "pattern",
            element("rect", width=size, height=size, class_=each.name),
            element("path", d=strokes, class_="over"),
            id=f"paint-{each.name}", width=size, height=size, patternUnits="userSpaceOnUse",
        )
        for each in _NAMED.values()
        if each.pattern is not None
        for size, strokes in [_STROKES[each.pattern]]
    )  # fmt: skip
