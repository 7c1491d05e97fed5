"""From hints that nobody vouches for to one safe path component.

Never outside the directory, never hidden, never a device, never a name that only looks like another one, never one
of our own working files. Deterministic, and safe to apply twice.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import unquote_to_bytes

from penstock.core.disposition import filename
from penstock.core.urls import last_segment

#: 255 bytes is the limit of every common file system; `.part.journal~` needs 14 of them behind the name.
MAX_NAME_BYTES: Final = 240
#: Controls, invisible format characters (bidirectional overrides, zero-width), halves of surrogate pairs, and the
#: line and paragraph separators.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Letters and marks that show as nothing: a name of them would look empty, or like another one.
_BLANK: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]")
_EXTENSION: Final = re.compile(r"\.[^.\s]{1,15}")
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')
_DEVICE: Final = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\..*)?", re.IGNORECASE
)
#: Nothing in such a name could need a change, but for devices and our own suffixes.
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,198}[A-Za-z0-9_-]|[A-Za-z0-9]")
_OURS: Final = (".part", ".part~", ".part.journal", ".part.journal~", ".corrupt", ".penstock", ".penstock-wal",
                ".penstock-shm", ".penstock-journal", ".penstock.lock")  # fmt: skip
_DOUBLE: Final = re.compile(r"(\.tar)(\.[A-Za-z0-9]{1,8})$", re.IGNORECASE)
_CODING_SUFFIX: Final = re.compile(r"\.(gz|br|zst|z|deflate)$", re.IGNORECASE)
_EXTENSIONS: Final = {
    "application/gzip": ".gz", "application/json": ".json", "application/msword": ".doc",
    "application/octet-stream": ".bin", "application/pdf": ".pdf", "application/rtf": ".rtf",
    "application/vnd.android.package-archive": ".apk", "application/x-7z-compressed": ".7z",
    "application/x-bzip2": ".bz2", "application/x-iso9660-image": ".iso", "application/x-tar": ".tar",
    "application/x-xz": ".xz", "application/xml": ".xml", "application/zip": ".zip", "application/zstd": ".zst",
    "audio/flac": ".flac", "audio/mpeg": ".mp3", "audio/ogg": ".ogg", "audio/wav": ".wav", "font/woff2": ".woff2",
    "image/avif": ".avif", "image/gif": ".gif", "image/jpeg": ".jpg", "image/png": ".png", "image/svg+xml": ".svg",
    "image/webp": ".webp", "text/calendar": ".ics", "text/css": ".css", "text/csv": ".csv", "text/html": ".html",
    "text/javascript": ".js", "text/markdown": ".md", "text/plain": ".txt", "text/xml": ".xml",
    "video/mp4": ".mp4", "video/webm": ".webm", "video/x-matroska": ".mkv",
}  # fmt: skip


def choose_name(*, disposition: str | None, url: str, media_type: str | None) -> str:
    """The target's name: the server's suggestion, else the URL's last segment, else ``index`` with an extension."""
    for hint in (filename(disposition), _decoded(last_segment(url))):
        name = safe_name(hint) if hint else None
        if name is not None:
            return name
    return "index" + _EXTENSIONS.get(media_type or "", ".html")


def _decoded(segment: str) -> str:
    if "%" not in segment and segment.isascii():
        return segment
    raw = unquote_to_bytes(segment.encode("utf-8", "replace"))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def safe_name(hint: str) -> str | None:
    """One safe path component made from `hint`, or None when nothing of it is left."""
    if _PLAIN.fullmatch(hint) and not _DEVICE.fullmatch(hint) and not hint.lower().endswith(_OURS):
        return hint  # as nearly all are
    name = _BLANK.sub("", re.split(r"[/\\]", hint)[-1])
    name = "".join(character for character in name if unicodedata.category(character) not in _INVISIBLE)
    name = unicodedata.normalize("NFC", _FORBIDDEN.sub("_", name))
    name = _trimmed(name)
    if not name:
        return None
    if name.startswith("."):
        name = "_" + name.lstrip(".")
    name = _shortened(name)
    if _DEVICE.fullmatch(name):
        name = _shortened("_" + name)
    if name.lower().endswith(_OURS):
        name = _shortened(name, len("_")) + "_"
    return name if name.strip("_") or "_" in hint else None


def is_safe_path(path: str) -> bool:
    """True for a relative path of which every component is as `safe_name` makes it: it leads nowhere else."""
    return all(part and safe_name(part) == part for part in path.split("/"))


def _trimmed(name: str) -> str:
    """Without whitespace at either end, and without dots at the end, however the two alternate."""
    end = len(name)
    while end and (name[end - 1] == "." or name[end - 1].isspace()):
        end -= 1
    return name[:end].lstrip()


def split_extension(name: str) -> tuple[str, str]:
    """Stem and extension, ``.tar.gz`` taken together; what is too long or has a space belongs to the stem."""
    double = _DOUBLE.search(name)
    at = double.start() if double else name.rfind(".")
    if at <= 0 or not (double or _EXTENSION.fullmatch(name, at)):
        return name, ""
    return name[:at], name[at:]


def _shortened(name: str, spare: int = 0) -> str:
    """Within the byte limit, cut on a character's boundary, keeping the extension."""
    limit = MAX_NAME_BYTES - spare
    if len(name.encode("utf-8")) <= limit:
        return name
    stem, extension = split_extension(name)
    room = limit - len(extension.encode("utf-8"))
    cut = stem.encode("utf-8")[:room].decode("utf-8", "ignore")
    return _trimmed(cut) + extension


def numbered(name: str, number: int) -> str:
    """``a.iso`` as ``a.1.iso``, ``a.tar.gz`` as ``a.1.tar.gz``, still within the limit."""
    return with_mark(name, str(number))


def with_mark(name: str, mark: str) -> str:
    """``a.iso`` as ``a.MARK.iso``, still within the limit."""
    stem, extension = split_extension(name)
    end = f".{mark}{extension}"
    room = MAX_NAME_BYTES - len(end.encode("utf-8"))
    return stem.encode("utf-8")[:room].decode("utf-8", "ignore") + end


def folded(path: str) -> str:
    """The path as a file system sees it that tells neither case nor compositions apart (macOS, Windows)."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def decoded_name(name: str) -> str:
    """The name of bytes whose content coding was undone: ``a.txt.gz`` is ``a.txt`` then, ``a.tgz`` is ``a.tar``.

    Made safe again, for what comes to light may end in one of our suffixes: ``a.part.gz``.
    """
    if name.lower().endswith(".tgz"):
        return name[:-4] + ".tar"
    return safe_name(_CODING_SUFFIX.sub("", name)) or name
