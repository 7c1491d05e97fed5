"""Keep markup from nesting deeper than a parser can bear.

A tree builder looks through its open elements at every tag, so nesting takes quadratic time: 200,000 nested ``div``
keep one busy for minutes. Browsers stop at 512; so do we, by renaming what would nest deeper to elements that hold
nothing.
"""

from __future__ import annotations

import re
from typing import Final

#: Elements open at once, by a count that does not know which ones close by themselves.
MAX_DEPTH: Final = 512
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})|<!--.*?(?:-->|$)", re.DOTALL)
#: Elements without content, and those whose content is text: the parser looks at them by itself.
_LEFT_ALONE: Final = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "script", "style", "title", "textarea", "iframe", "xmp", "plaintext", "html", "head", "body",
})  # fmt: skip
_INSTEAD: Final = {"a": "area", "video": "source", "audio": "source", "image": "img"}


def flattened(text: str) -> str:
    """The markup, with what would nest too deep made flat; attributes stay."""
    depth = 0

    def tag(match: re.Match[str]) -> str:
        nonlocal depth
        name = (match[2] or "").lower()
        if not name or name in _LEFT_ALONE:
            return match[0]
        if match[1]:
            depth = max(0, depth - 1)
            return match[0] if depth < MAX_DEPTH else "</wbr"
        depth += 1
        return match[0] if depth <= MAX_DEPTH else f"<{_INSTEAD.get(name, 'wbr')}"

    return _TAG.sub(tag, text)
