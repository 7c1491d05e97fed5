"""No page may load anything from the network: what was built is looked through, and a find fails the build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_REMOTE: Final = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_IN_STYLES: Final = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^'\")\s;]+)", re.IGNORECASE)
#: Attributes by which an element loads something; `a` loads nothing.
_LOADS: Final = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
#: Kinds of `link` that a browser does not follow by itself.
_ONLY_TOLD: Final = {"canonical", "alternate", "author", "license", "next", "prev", "index", "search", "help"}


class _Page(HTMLParser):
    """Collects what a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        if tag == "link" and set(values.get("rel", "").lower().split()) <= _ONLY_TOLD:
            return
        for name in _LOADS.get(tag, ()):
            for place in values.get(name, "").split(","):
                if _REMOTE.match(place):
                    self.found.append(place.strip())
        self.found += loaded_by_styles(values.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += loaded_by_styles(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def loaded_by_page(html: str) -> list[str]:
    """The addresses elsewhere from which a browser would load something for this page."""
    page = _Page()
    page.feed(html)
    page.close()
    return page.found


def loaded_by_styles(css: str) -> list[str]:
    """The same for a style sheet."""
    return _IN_STYLES.findall(css)


def loads(folder: Path) -> Iterator[str]:
    """``FILE: ADDRESS`` for everything that a built site would load from elsewhere."""
    for path in sorted(folder.rglob("*")):
        look = {".html": loaded_by_page, ".svg": loaded_by_page, ".css": loaded_by_styles}.get(path.suffix)
        if look is not None:
            for address in look(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(folder)}: {address}"


def check(app: Sphinx, exception: Exception | None) -> None:
    """Fail a build that would need a network to be looked at."""
    from sphinx.errors import ExtensionError

    found = [] if exception else list(loads(Path(app.outdir)))
    if found:
        raise ExtensionError("pages load something from the network:\n" + "\n".join(found))


def setup(app: Sphinx) -> dict[str, Any]:
    """Look once all is written."""
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
