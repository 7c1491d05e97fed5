"""Text can be read, and shapes be told apart, in both themes."""

from __future__ import annotations

import re

import pytest

from penstock.report.drawing import palette


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize(("text", "ground"), palette.READ)
def test_text_stands_out_as_WCAG_AA_asks(text: str, ground: str, theme: int) -> None:
    assert contrast(palette.ROLES[text][theme], palette.ROLES[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("ground", ["ground", "panel"])
def test_the_focus_stands_out(ground: str, theme: int) -> None:
    assert contrast(palette.ROLES["focus"][theme], palette.ROLES[ground][theme]) >= 3


@pytest.mark.parametrize("name", ["dns", "connect", "tls", "wait", "body", "paused", "kept", "done", "failed"])
def test_shapes_or_their_frames_stand_out(name: str) -> None:
    paint = palette.paint(name)
    for theme, colour in enumerate((paint.light, paint.dark)):
        panel, edge = palette.ROLES["panel"][theme], palette.ROLES["edge"][theme]
        assert max(contrast(colour, panel), contrast(edge, panel)) >= 3, (name, theme)


def test_no_two_paints_of_a_kind_are_alike_without_their_colour() -> None:
    for kind in (["dns", "connect", "tls", "wait"], ["done", "failed"], ["kept", "missing", "rest"]):
        patterns = [palette.paint(name).pattern for name in kind]
        assert len(set(patterns)) == len(kind)
    assert len({(palette.series(n).light, palette.series(n).pattern) for n in range(palette.SERIES)}) == palette.SERIES


def test_every_paint_has_its_class_its_variables_and_its_pattern() -> None:
    defs, rules = palette.patterns(), palette.classes()
    for number in range(palette.SERIES):
        paint = palette.series(number)
        assert f".{paint.name}{{" in rules
        if paint.pattern:
            assert f'id="paint-{paint.name}"' in defs
    for theme in (0, 1):
        names = re.findall(r"--([\w-]+):", palette.variables(theme))
        assert set(re.findall(r"var\(--([\w-]+)\)", rules)) <= set(names)
