"""Turn a page's bytes into text, by the rules of the WHATWG Encoding standard as far as pages use them."""

from __future__ import annotations

import codecs
import re
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
#: Bytes in which a page has to say its charset.
_PRESCAN: Final = 1024
_COMMENT: Final = re.compile(rb"<!--.*?(?:-->|$)", re.DOTALL)
_META: Final = re.compile(rb"""<meta[^>]{0,512}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE)
_XML: Final = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_:.-]{1,40})""")
#: Python's names of the encodings that strangers may choose, and what browsers decode them as. Python has many more,
#: some of which raise whatever comes ("undefined").
_ENCODINGS: Final = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874",
    "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "big5": "big5hkscs",
} | {
    name: name
    for name in (
        "utf-8", "cp866", "cp874", "cp932", "cp949", "gb18030", "big5hkscs", "euc_jp", "iso2022_jp", "koi8-r", "koi8-u",
        "mac-roman", "mac-cyrillic", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
        "cp1258", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8",
        "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16",
    )
}  # fmt: skip
#: Labels that Python does not know.
_LABELS: Final = {
    "x-sjis": "cp932", "windows-31j": "cp932", "windows-949": "cp949", "windows-874": "cp874", "dos-874": "cp874",
    "x-gbk": "gb18030", "x-x-big5": "big5hkscs", "x-euc-jp": "euc_jp", "unicode-1-1-utf-8": "utf-8",
    "x-mac-cyrillic": "mac-cyrillic", "macintosh": "mac-roman", "koi": "koi8-r", "x-cp1251": "cp1251",
    "x-cp1252": "cp1252", "x-cp1250": "cp1250", "iso-8859-8-i": "iso8859-8", "utf-16": "utf-16-le",
    "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "unicode": "utf-16-le",
}  # fmt: skip


def decoded(content: bytes, said: str | None) -> tuple[str, str]:
    """The page as text, and the encoding of the queries of its URLs (Python's name): by its mark, by what HTTP `said`,
    by what it says itself, else as UTF-8 or windows-1252. Raises nothing."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(name, "replace"), "utf-8"
    encoding = encoding_of(said) or _own(content)
    if encoding is not None:
        return content.decode(encoding, "replace"), encoding if not encoding.startswith("utf") else "utf-8"
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), "cp1252"


def encoding_of(label: str | None) -> str | None:
    """Python's name of the encoding that browsers use for `label`; None for none."""
    name = (label or "").strip().lower()
    if name in _LABELS:
        return _LABELS[name]
    try:
        return _ENCODINGS.get(codecs.lookup(name).name)
    except (LookupError, ValueError):
        return None


def _own(content: bytes) -> str | None:
    """What the page says itself. One that could be read so far is not UTF-16, whatever it says."""
    start = _COMMENT.sub(b"", content[:_PRESCAN])
    said = _META.search(start) or _XML.search(start)
    encoding = encoding_of(said[1].decode("ascii")) if said else None
    return "utf-8" if encoding is not None and encoding.startswith("utf-16") else encoding
