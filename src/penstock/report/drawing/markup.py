"""HTML and SVG that cannot be broken out of: text is escaped by being text.

`element` takes other elements as they are and escapes every plain string, so a name from a server has no way in (S11).
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from penstock.core.urls import escape

#: HTML elements without content or end.
_VOID: Final = frozenset({"meta", "link", "br"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: object) -> Markup:
    """``<name attributes>children</name>``.

    Attributes that are None or False are left out, those that are True stand without a value; ``class_`` is ``class``
    and other underscores are hyphens.
    """
    shown = "".join(map(_attribute, attributes.items()))
    if name in _VOID:
        return Markup(f"<{name}{shown}>")
    content = join(children)
    return Markup(f"<{name}{shown}>{content}</{name}>" if content else f"<{name}{shown}></{name}>")


def join(children: Iterable[str]) -> Markup:
    """Children one after another, escaped where they are text."""
    return Markup("".join(child if isinstance(child, Markup) else escaped(child) for child in children))


def escaped(text: str) -> Markup:
    """Text as markup; what a terminal or a bidirectional algorithm would obey is spelt out."""
    return Markup(html.escape(escape(text), quote=True))


def lines(*texts: str) -> Markup:
    """Texts on lines of their own, in an element that keeps line breaks."""
    return Markup("\n".join(escaped(text) for text in texts if text))


def _attribute(item: tuple[str, object]) -> str:
    name, value = item
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{value if isinstance(value, Markup) else escaped(str(value))}"'
