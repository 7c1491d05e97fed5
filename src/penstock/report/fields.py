"""Values out of a record's fields, whatever stands there: a trace may be cut, old, new or spoilt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Numbers past this are nonsense, and would make charts of nothing else.
_MOST: Final = 1e15


def number(fields: Mapping[str, Any], name: str) -> float | None:
    """A number that is there, is finite and not negative; else None."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST else None  # no NaN is, no infinity, nor an integer too large for floats


def amount(fields: Mapping[str, Any], name: str) -> int:
    """A number without its fraction; 0 for what is none."""
    return int(number(fields, name) or 0)


def seconds(fields: Mapping[str, Any], name: str) -> float:
    """Seconds of a field in microseconds; 0.0 for what is none."""
    return (number(fields, name) or 0.0) / 1e6


def text(fields: Mapping[str, Any], name: str, longest: int = 2000) -> str:
    """A text, cut at `longest` characters; empty for what is none."""
    value = fields.get(name)
    return value[:longest] if isinstance(value, str) else ""
