"""What a user gives for one origin, and what of it may go to another (CVE-2018-1000007's class, S05)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from penstock.model import Options

#: Header fields that say nothing of who asks. Any other may carry a secret.
HARMLESS: Final = frozenset({"accept", "accept-language", "cache-control", "pragma", "user-agent"})


def harmless(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Those fields that any origin may see."""
    return tuple(field for field in headers if field[0].lower() in HARMLESS)


def without_secrets(options: Options) -> Options:
    """The options for another origin than the one that they were given for."""
    if not has_secrets(options):
        return options
    return replace(options, credentials=None, cookies=None, headers=harmless(options.headers))


def has_secrets(options: Options) -> bool:
    """True when there is something that must stay with its origin."""
    is_plain = options.credentials is None and options.cookies is None
    return not is_plain or harmless(options.headers) != options.headers
