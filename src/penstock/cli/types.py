"""Values of options from text. The parsers are imported when one is given, to keep ``--help`` quick.

Each raises click.BadParameter, to which click adds the option's name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from penstock.errors import InvalidRequest
from penstock.model import Digest

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def byte_count(value: str | int) -> int:
    """Bytes from ``4096``, ``64K`` or ``1MiB``."""
    from penstock.core.limits import parse_size

    try:
        return parse_size(str(value))
    except InvalidRequest as error:
        raise click.BadParameter(error.message) from error


def byte_rate(value: str | int) -> int:
    """Bytes per second from ``500K`` or ``2M``."""
    from penstock.core.limits import parse_rate

    try:
        return parse_rate(str(value))
    except InvalidRequest as error:
        raise click.BadParameter(error.message) from error


def pace(value: str | float) -> float:
    """Requests per second from ``5/s``, ``30/min`` or ``1000/h``."""
    from penstock.core.politeness import parse_pace

    try:
        return parse_pace(str(value))
    except InvalidRequest as error:
        raise click.BadParameter(error.message) from error


def seconds(value: str | float) -> float:
    """Seconds, more than 0, from ``30`` or ``0.5``."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise click.BadParameter(f"{str(value)[:40]!r} is not a time; give seconds, more than 0, such as 30 or 0.5")
    return number


def checksum(value: str | Digest) -> Digest:
    """A digest from ``sha-256:HEX`` or bare hex."""
    from penstock.core.digests import parse_checksum

    if isinstance(value, Digest):
        return value
    try:
        return parse_checksum(value)
    except InvalidRequest as error:
        raise click.BadParameter(error.message) from error


def completes(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """For an option's ``shell_complete``: its values are each a ``file`` or a ``dir``, which the shell looks for."""

    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type=kind)]

    return complete
