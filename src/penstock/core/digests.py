"""Digests: as a user writes them, and as servers send them (RFC 9530; RFC 3230 and Content-MD5 before it)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Final

from penstock.errors import InvalidRequest
from penstock.model import Digest, Head

#: Strongest first: of several that a server sends, the first is checked.
_STRENGTH: Final = ("sha512", "sha384", "sha256", "sha224", "sha1", "md5")
_WEAK: Final = frozenset({"md5", "sha1"})
_BY_LENGTH: Final = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
#: Names that servers use (RFC 9530 §5, RFC 3230 §4.1.1), by hashlib's.
_FIELD_NAMES: Final = {
    "sha-512": "sha512",
    "sha-384": "sha384",
    "sha-256": "sha256",
    "sha-224": "sha224",
    "sha": "sha1",
    "sha-1": "sha1",
    "md5": "md5",
}
_STRUCTURED: Final = re.compile(r"\s*([a-z*][a-z0-9_.*-]*)\s*=\s*:([A-Za-z0-9+/=]*):\s*(?:;.*)?")
_OLD: Final = re.compile(r"\s*([A-Za-z0-9-]+)\s*=\s*([A-Za-z0-9+/=]+)\s*")
FIELDS: Final = frozenset({"repr-digest", "digest", "content-digest", "content-md5"})
#: A field longer than this is no digest.
_MAX_FIELD: Final = 8192


def parse_checksum(text: str) -> Digest:
    """A digest from ``sha-256:HEX``, ``sha256=HEX`` or bare hex of a known length; raises InvalidRequest."""
    name, separator, value = text.strip().replace("=", ":", 1).partition(":")
    if not separator:
        name, value = "", name
    value = value.strip().lower()
    if not value:
        raise InvalidRequest("the checksum is empty; write sha-256:HEX")
    if not re.fullmatch(r"[0-9a-f]+", value):
        raise InvalidRequest(f"checksum {text[:80]!r} is not hexadecimal; write sha-256:HEX")
    if not separator:
        algorithm = _BY_LENGTH.get(len(value))
        if algorithm is None:
            raise InvalidRequest(f"a checksum of {len(value)} hex digits is of no known kind; write ALGORITHM:HEX")
        return Digest(algorithm, bytes.fromhex(value))
    algorithm = _hashlib_name(name)
    size = hashlib.new(algorithm, usedforsecurity=False).digest_size * 2
    if len(value) != size:
        raise InvalidRequest(f"a checksum of {algorithm} has {size} hex digits, not {len(value)}")
    return Digest(algorithm, bytes.fromhex(value))


def _hashlib_name(name: str) -> str:
    plain = re.sub("[-_]", "", name.strip().lower())
    for algorithm in sorted(hashlib.algorithms_guaranteed):
        if algorithm.replace("_", "") == plain and not algorithm.startswith("shake"):
            return algorithm
    known = ", ".join(sorted(a for a in hashlib.algorithms_guaranteed if not a.startswith("shake")))
    raise InvalidRequest(f"no checksum algorithm {name.strip()[:40]!r}; there are {known}")


def is_weak(digest: Digest) -> bool:
    """True for algorithms that no longer keep an attacker from making another file with the same digest."""
    return digest.algorithm in _WEAK


def from_head(head: Head) -> tuple[Digest, ...]:
    """The digests of the whole, unencoded representation that a 200 or 206 carries, strongest first.

    Repr-Digest and the old Digest speak of the representation, on a 206 too; Content-Digest and Content-MD5 of this
    message's content, so only a 200's cover the whole (RFC 9530 §2, §3). With a content coding none is of the bytes
    that we store.
    """
    if head.lacks(FIELDS):
        return ()
    if (head.get("content-encoding") or "identity").lower() != "identity" or head.status not in {200, 206}:
        return ()
    found = _structured(head.get("repr-digest")) + _old(head.get("digest"))
    if head.status == 200:
        found += _structured(head.get("content-digest")) + _digest("md5", head.get("content-md5") or "")
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda digest: _STRENGTH.index(digest.algorithm)))


def _structured(field: str | None) -> list[Digest]:
    """A structured-field dictionary of byte sequences (RFC 8941 §3.2, §3.3.5)."""
    if field is None or len(field) > _MAX_FIELD:
        return []
    matches = (_STRUCTURED.fullmatch(member) for member in field.split(","))
    members = {match[1]: match[2] for match in matches if match}  # of one key twice the last counts
    return [digest for name, text in members.items() for digest in _digest(name, text)]


def _old(field: str | None) -> list[Digest]:
    if field is None or len(field) > _MAX_FIELD:
        return []
    matches = (_OLD.fullmatch(member) for member in field.split(","))
    return [digest for match in matches if match for digest in _digest(match[1].lower(), match[2])]


def _digest(name: str, text: str) -> list[Digest]:
    algorithm = _FIELD_NAMES.get(name)
    if algorithm is None or not text:
        return []
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # lenient: RFC 8941 §4.2.7
    except (binascii.Error, ValueError):
        return []
    size = hashlib.new(algorithm, usedforsecurity=False).digest_size
    return [Digest(algorithm, value)] if len(value) == size else []
