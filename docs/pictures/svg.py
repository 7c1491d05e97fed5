"""A terminal's screen as an SVG picture that loads nothing: text in any monospaced font, bars as rectangles."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Final

from rich.cells import cell_len
from rich.color import blend_rgb
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

_FONT: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
_SIZE, _CELL, _LINE = 14.0, 8.43, 20.0
_SIDE, _TOP, _BOTTOM = 16.0, 44.0, 14.0
#: Black, red, green, yellow, blue, magenta, cyan, white; then the bright ones.
_THEME: Final = TerminalTheme(
    (24, 26, 33),
    (214, 219, 229),
    [(36, 39, 48), (235, 104, 111), (126, 200, 122), (229, 192, 105),
     (106, 168, 240), (203, 130, 222), (92, 190, 200), (200, 205, 215)],
    [(100, 108, 125), (240, 130, 136), (152, 216, 148), (240, 208, 135),
     (140, 190, 250), (218, 158, 234), (124, 210, 218), (240, 243, 248)],
)  # fmt: skip
#: Of the characters that bars are made of: which part of their cell is filled.
_BARS: Final = {"━": (0.0, 1.0), "╸": (0.0, 0.5), "╺": (0.5, 1.0)}


def picture(screen: str, columns: int, title: str) -> str:
    """The SVG of `screen`, lines with colours as escape sequences, in a window `columns` wide."""
    lines = screen.splitlines()
    width = columns * _CELL + 2 * _SIDE
    height = len(lines) * _LINE + _TOP + _BOTTOM
    back = _THEME.background_color.hex
    dots = "".join(
        f'<circle cx="{_SIDE + 6 + 20 * number:g}" cy="20" r="6" fill="{colour}"/>'
        for number, colour in enumerate(("#eb686f", "#e5c069", "#7ec87a"))
    )
    console = Console(file=io.StringIO(), width=columns, force_terminal=True, color_system="truecolor")
    drawn = [shape for number, line in enumerate(lines) for shape in _line(console, line, _TOP + number * _LINE)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img"',
            f' width="{width:.0f}" height="{height:.0f}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="100%" height="100%" rx="9" fill="{back}"/>{dots}',
            f'<g font-family="{_FONT}" font-size="{_SIZE:g}">',
            *drawn,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _line(console: Console, line: str, top: float) -> list[str]:
    shapes, column = [], 0
    for segment in Text.from_ansi(line).render(console, ""):
        text, style = segment.text, segment.style or Style()
        for piece in _pieces(text):
            cells = cell_len(piece)
            if piece[0] in _BARS:
                shapes.append(_bar(piece, column, top, _colour(style)))
            elif piece.strip():
                shapes.append(_text(piece, column, cells, top, style))
            column += cells
    return shapes


def _pieces(text: str) -> list[str]:
    """Cut into bars, gaps, and the words between them: browsers draw two blanks as one."""
    return re.findall(rf"[{''.join(_BARS)}]+| {{2,}}|(?:(?! {{2}})[^{''.join(_BARS)}])+", text)


def _bar(piece: str, column: int, top: float, colour: str) -> str:
    begin = column + _BARS[piece[0]][0]
    end = column + len(piece) - 1 + _BARS[piece[-1]][1]
    x, width = _SIDE + begin * _CELL, (end - begin) * _CELL
    return f'<rect x="{x:.1f}" y="{top + _LINE / 2 - 2:.1f}" width="{width:.1f}" height="4" fill="{colour}"/>'


def _text(piece: str, column: int, cells: int, top: float, style: Style) -> str:
    kept = piece.rstrip()
    column += cell_len(kept) - cell_len(kept.lstrip())
    kept = kept.lstrip()
    width = cell_len(kept) * _CELL
    weight = ' font-weight="bold"' if style.bold else ""
    return (
        f'<text x="{_SIDE + column * _CELL:.1f}" y="{top + 14.5:.1f}" textLength="{width:.1f}"'
        f' lengthAdjust="spacingAndGlyphs" fill="{_colour(style)}"{weight}>{escape(kept)}</text>'
    )


def _colour(style: Style) -> str:
    fore, back = _THEME.foreground_color, _THEME.background_color
    colour = fore if style.color is None or style.color.is_default else style.color.get_truecolor(_THEME)
    return (blend_rgb(colour, back, 0.3) if style.dim else colour).hex
