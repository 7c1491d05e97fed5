"""Where the files of a batch go: from a URL to a relative path, the same on every run.

A template is a path with fields in braces, as in ``{host}/{path}/{name}``:

    host   the host's name                       name   the URL's last segment, made safe ("index.html" when empty)
    path   the folders of the URL's path         stem   the name without its extension
    line   the row's number in the list          ext    the extension with its dot, or nothing
    hash   16 hex digits that tell URLs apart

``{line:06}`` pads a number with zeros; ``{{`` and ``}}`` are braces. Every component is made safe by `core/naming.py`:
no field leads out of the directory.
"""

from __future__ import annotations

import hashlib
import re
from string import Formatter
from typing import Final
from urllib.parse import unquote, urlsplit

from penstock.core.naming import choose_name, safe_name, split_extension, with_mark
from penstock.core.urls import identity
from penstock.errors import InvalidRequest

DEFAULT_TEMPLATE: Final = "{name}"
FIELDS: Final = ("host", "path", "name", "stem", "ext", "line", "hash")
#: All that `str.format` may be asked for: its other codes read attributes, fail on some lines, or fill the memory.
_WIDTH: Final = re.compile(r"[0-9]{0,3}")
#: A path of more folders than this is not made.
MAX_DEPTH: Final = 32


class Template:
    """A checked template. Raises InvalidRequest for unknown fields, and for paths out of the directory."""

    def __init__(self, text: str = DEFAULT_TEMPLATE) -> None:
        self.text = text
        try:
            pieces = list(Formatter().parse(text))
        except ValueError as error:
            raise InvalidRequest(f"template {text[:80]!r}: {error}") from None
        for literal, field, width, conversion in pieces:
            if field is not None and (field not in FIELDS or conversion):
                raise InvalidRequest(f"template {text[:80]!r}: no field {field!r}; there are {', '.join(FIELDS)}")
            if not _WIDTH.fullmatch(width or ""):
                raise InvalidRequest(
                    f"template {text[:80]!r}: after the colon only a width may stand, as in {{line:06}}"
                )
            if "\\" in literal or "\0" in literal:
                raise InvalidRequest(f"template {text[:80]!r}: folders are separated by /")
        if not text or text.startswith("/") or text.endswith("/") or ".." in text.split("/"):
            raise InvalidRequest(f"template {text[:80]!r} must be the relative path of a file")
        self._is_plain = text == DEFAULT_TEMPLATE
        self.fill("https://example.org/a/b.c", 1)

    def fill(self, url: str, line: int) -> str:
        """The target of `url`, which is in normal form: a relative path with ``/`` between its components."""
        name = _name_of(url)
        if self._is_plain:
            return name
        stem, ext = split_extension(name)
        parts = urlsplit(url)
        folders = [safe_name(unquote(part)) for part in parts.path.split("/")[:-1]]
        try:
            filled = self.text.format(
                host=safe_name((parts.hostname or "").replace(":", "_")) or "_",
                path="/".join(part for part in folders if part),
                name=name,
                stem=stem,
                ext=ext,
                line=line,
                hash=url_hash(url),
            )
        except (ValueError, IndexError, KeyError) as error:
            raise InvalidRequest(f"template {self.text[:80]!r}: {error}") from None
        components = [safe_name(part) for part in filled.split("/") if part]
        kept = [part for part in components if part]
        return "/".join(kept[-MAX_DEPTH:]) or name


def _name_of(url: str) -> str:
    last = url[url.rfind("/") + 1 :]
    if last and "%" not in last and "?" not in url and last.isascii():  # as nearly all are
        name = safe_name(last)
        if name is not None:
            return name
    return choose_name(disposition=None, url=url, media_type=None)


def url_hash(url: str) -> str:
    """16 hex digits made from the URL without credentials."""
    return hashlib.blake2b(identity(url).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def told_apart(target: str, url: str) -> str:
    """Another target like `target`, for a URL whose own is taken: the same for this URL on every run."""
    folder, slash, name = target.rpartition("/")
    return f"{folder}{slash}{with_mark(name, url_hash(url))}"


def safe_path(text: str) -> str:
    """A relative path as a list gives it, every component made safe; raises InvalidRequest when nothing is left."""
    components = [safe_name(part) for part in text.replace("\\", "/").split("/") if part not in {"", "."}]
    kept = [part for part in components if part]
    if not kept or len(kept) > MAX_DEPTH:
        raise InvalidRequest(f"{text[:80]!r} is not the name of a file")
    return "/".join(kept)
