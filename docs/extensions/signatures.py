"""Plain signatures: type aliases by their names, and none where it would only repeat the fields below."""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import Any, Final

from sphinx.application import Sphinx

#: What Python shows for an alias that `autodoc_type_aliases` names.
_ALIAS: Final = re.compile(r"TypeAliasForwardRef\('([^']*)'\)")


def shorten(
    _app: Sphinx, kind: str, _name: str, thing: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """The signature to show; an empty one for what is made of fields, or raised."""
    is_plain = isinstance(thing, type) and (
        dataclasses.is_dataclass(thing) or issubclass(thing, enum.Enum | BaseException) or hasattr(thing, "_fields")
    )
    if is_plain and kind in {"class", "exception"}:
        return "", None
    return _named(signature), _named(returns)


def _named(text: str | None) -> str | None:
    return None if text is None else _ALIAS.sub(r"\1", text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at every signature that autodoc makes."""
    app.connect("autodoc-process-signature", shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
