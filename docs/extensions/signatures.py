"""Plain signatures: those of dataclasses, events and errors only repeat their fields, so they are left out."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from sphinx.application import Sphinx


def shorten(
    _app: Sphinx, kind: str, _name: str, thing: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """The signature to show; an empty one for what is made of fields, or raised."""
    is_plain = isinstance(thing, type) and (
        dataclasses.is_dataclass(thing) or issubclass(thing, enum.Enum | BaseException) or hasattr(thing, "_fields")
    )
    return ("", None) if is_plain and kind in {"class", "exception"} else (signature, returns)


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at every signature that autodoc makes."""
    app.connect("autodoc-process-signature", shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
