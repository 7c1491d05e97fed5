"""Take the tags out of markup, as browsers see them, in linear time and little memory.

Only tags are cut out here, by the states of the HTML standard's tokenizer; what their attributes say is left to
lexbor, a group of tags at a time and none inside another. A tree of the whole page would take a hundred times its size,
and quadratic time where it nests: a tree builder looks through its open elements at every tag.

What browsers do not show is passed over: comments, scripts, style sheets, and templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

#: Tags that are given to the parser at once.
_GROUP: Final = 500
_SPACE: Final = r"\t\n\f\r "
_VALUE: Final = rf"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^"'>{_SPACE}][^>{_SPACE}]*+|(?=>)|\Z)"""
_ATTRIBUTE: Final = rf"[^/>{_SPACE}][^=/>{_SPACE}]*+(?:[{_SPACE}]*+=[{_SPACE}]*+{_VALUE})?+"
#: Comments, what browsers take for comments, and tags. Each alternative takes all that it has looked at.
_TOKEN: Final = re.compile(
    rf"<(?:!--(?:-?>|.*?(?:--!?>|\Z))|(?:[!?]|/(?![A-Za-z]))[^>]*+(?:>|\Z)"
    rf"|(/?)([A-Za-z][^/>{_SPACE}]*+)((?:[/{_SPACE}]++|{_ATTRIBUTE})*+)(>?))",
    re.DOTALL,
)
#: Elements whose content is text.
_RAW: Final = frozenset({"script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"})
_RAW_END: Final = {name: re.compile(rf"</{name}(?=[/>{_SPACE}])", re.IGNORECASE) for name in _RAW}
#: Elements that are of interest whatever their attributes are, and attributes that make any other so.
_NAMES: Final = frozenset({
    "a", "area", "audio", "base", "embed", "frame", "iframe", "image", "img", "input", "link", "meta", "object",
    "source", "track", "video",
})  # fmt: skip
_ATTRIBUTES: Final = re.compile(r"style|background|data-bg", re.IGNORECASE)
#: Where the name of the element goes; the first of two attributes with one name counts.
_NAME: Final = "penstock-element"


class Tag(NamedTuple):
    """A start tag of interest: its element's name, and its attributes without character references."""

    name: str
    attributes: dict[str, str | None]


def tags(text: str) -> Iterator[Tag]:
    """The start tags that may name a file, in their order."""
    from selectolax.lexbor import LexborHTMLParser

    cut = _cut(text)
    while group := "".join(islice(cut, _GROUP)):
        for node in LexborHTMLParser(group).css(f"[{_NAME}]"):
            attributes = node.attributes
            yield Tag(attributes.pop(_NAME) or "", attributes)


def _cut(text: str) -> Iterator[str]:
    """Each tag as that of an element that holds nothing."""
    at = templates = drawings = 0
    while (token := _TOKEN.search(text, at)) is not None:
        at = token.end()
        slash, name, attributes, end = token.groups()
        name = (name or "").lower()
        if not name or not end:
            continue
        step = -1 if slash else 1
        if name == "template":
            templates = max(0, templates + step)
        elif name == "svg":
            drawings = max(0, drawings + step)
        if slash:
            continue
        if not templates and (name in _NAMES or _ATTRIBUTES.search(attributes)):
            shown = "img" if name == "image" and not drawings else name if name in _NAMES else "other"
            yield f"<wbr {_NAME}={shown} {attributes}>"
        is_closed = attributes.endswith("/")
        if name == "plaintext":
            return
        if name in _RAW and not (is_closed and drawings):
            close = _RAW_END[name].search(text, at)
            if close is not None:
                at = close.start()
            elif not is_closed:  # as in XHTML
                return
