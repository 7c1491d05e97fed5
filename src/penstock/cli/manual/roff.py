"""Set a manual page: man(7)'s macros, as groff and mandoc both know them. Text in, lines out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Final

#: Columns of a page's own text.
_WIDTH: Final = 79
#: Columns that a section's text is from the margin.
_INDENT: Final = 7
_SPECIAL: Final = {
    "\\": "\\(rs",
    "-": "\\-",  # else it is a hyphen, which nobody can paste
    "'": "\\(aq",
    "`": "\\(ga",
    "^": "\\(ha",
    "~": "\\(ti",
    '"': "\\(dq",
}
#: An option in running text.
_OPTION: Final = re.compile(r"(?<![\w-])--?[A-Za-z0-9][\w-]*")


def plain(text: str) -> str:
    """Text as it is, fit to begin a line."""
    escaped = "".join(_SPECIAL.get(letter) or _letter(letter) for letter in text)
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def _letter(letter: str) -> str:
    return letter if letter.isascii() else f"\\[u{ord(letter):04X}]"


def bold(text: str) -> str:
    """What is typed as it stands."""
    return f"\\fB{plain(text)}\\fR"


def italic(text: str) -> str:
    """What stands for something else."""
    return f"\\fI{plain(text)}\\fR"


def running(text: str) -> str:
    """Text with its options in bold."""
    pieces: list[str] = []
    at = 0
    for match in _OPTION.finditer(text):
        pieces += [_inner(text[at : match.start()]), bold(match[0])]
        at = match.end()
    line = "".join([*pieces, _inner(text[at:])])
    return f"\\&{line}" if line.startswith(".") else line


def _inner(text: str) -> str:
    return plain(text).removeprefix("\\&")


def usage(text: str) -> str:
    """An option or a command as it is called: names in bold, what stands for a value in italics."""
    words = text.replace(",", " ,").split()
    shown = [word if word == "," else bold(word) if word.startswith("-") else italic(word) for word in words]
    return " ".join(shown).replace(" ,", ",")


def head(name: str, *, date: str, version: str) -> list[str]:
    """A page's first lines. `date` is as in 2026-01-31."""
    return [
        f'.TH {plain(name.upper())} 1 {date} "Penstock {plain(version)}" "User Commands"',
        ".nr HY 0",  # macros turn hyphenation on again, unless this says not to
        ".nh",
        ".ad l",
        ".ss 12 0",
    ]


def section(title: str, body: Sequence[str]) -> list[str]:
    """A section; nothing when there is nothing in it."""
    return [f'.SH "{plain(title)}"', *(body[1:] if body[0] == ".PP" else body)] if body else []


def subsection(title: str) -> list[str]:
    """A heading inside a section."""
    return [f'.SS "{plain(title)}"']


def paragraph(text: str) -> list[str]:
    """A paragraph that is wrapped."""
    return [".PP", *_wrapped(text)]


def entry(term: str, text: str) -> list[str]:
    """A term, which is set already, and what it means."""
    return [".TP", term, *(_wrapped(text) or ["\\&"])]


def example(lines: Sequence[str]) -> list[str]:
    """A command, or lines of one, that stay as they are."""
    return [".EX", *(plain(line) or "\\&" for line in lines), ".EE"]


def table(lines: Sequence[str]) -> list[str]:
    """Lines that stay as they are; wide ones begin further to the left."""
    indent = max(0, min(_INDENT, _WIDTH + 1 - max(map(len, lines))))
    return [".PP", f".in {indent}n", *example(lines), ".in"]


def _wrapped(text: str) -> list[str]:
    """Running text in lines that a person may edit; none of them begins like a request."""
    lines = textwrap.wrap(running(" ".join(text.split())), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"\\&{line}" if line.startswith(".") else line for line in lines]
