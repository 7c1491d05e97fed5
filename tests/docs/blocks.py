"""The code of a document, and what it promises to do.

A block may have a promise in a comment above it, which readers do not see:

    <!-- test: saves big.iso; prints saved -->

    saves FILE...     these files are there after it, each with the bytes of what is served under its name;
                      FILE=NAME has the bytes of NAME
    leaves FILE...    these are there, whatever is in them
    lacks FILE...     these are not
    prints TEXT       on either stream
    exit CODE         instead of 0
    ctrl-c            it is interrupted once a part of the file has come
    digest NAME       64 hex digits in it stand for the SHA-256 of NAME
    fresh             it begins in an empty directory; else each goes on where the one before it ended
    proxy HOST:PORT [USER:PASSWORD]
                      a proxy is there, and everything comes through it
    no proxy          nothing comes through one
    not run, WHY      it is only to be read
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_BLOCK: Final = re.compile(
    r"(?:<!-- test: (?P<promise>[^\n]*?) -->\n)?```(?P<language>[a-z]+)\n(?P<code>.*?)```", re.DOTALL
)
_WORDS: Final = {
    "exit",
    "digest",
    "fresh",
    "ctrl-c",
    "proxy",
    "no proxy",
    "not run,",
    "saves",
    "lacks",
    "leaves",
    "prints",
}


@dataclass(frozen=True)
class Promise:
    """What a block does."""

    saves: dict[str, str] = field(default_factory=dict)
    leaves: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    prints: tuple[str, ...] = ()
    code: int = 0
    is_interrupted: bool = False
    digest_of: str = ""
    is_fresh: bool = False
    #: Host and port, and perhaps a login.
    proxy: tuple[str, ...] = ()
    avoids_proxies: bool = False
    is_run: bool = True


@dataclass(frozen=True)
class Block:
    """One block of code. `line` is where it begins in its document."""

    language: str
    code: str
    promise: Promise
    line: int


def read(name: str) -> str:
    """A document of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, *languages: str) -> list[Block]:
    """The blocks in these languages, in their order."""
    return [
        Block(match["language"], match["code"], promised(match["promise"] or ""), text[: match.start()].count("\n") + 1)
        for match in _BLOCK.finditer(text)
        if match["language"] in languages
    ]


def codes(text: str, language: str) -> list[str]:
    """What is in the blocks of a language."""
    return [block.code for block in blocks(text, language)]


def outline(text: str) -> list[int]:
    """The levels of the headings; of what looks like one in a block of code, nothing."""
    plain = _BLOCK.sub("", text)
    return [len(mark) for mark in re.findall(r"^(#+) ", plain, re.MULTILINE)]


def promised(comment: str) -> Promise:
    """The promise that a comment makes; raises ValueError for one that says something else."""
    found: dict[str, list[str]] = {}
    for part in filter(None, (part.strip() for part in comment.split(";"))):
        word = next((word for word in _WORDS if part == word or part.startswith(f"{word} ")), None)
        if word is None:
            raise ValueError(f"no promise: {part!r} ({textwrap.shorten(comment, 60)})")
        found.setdefault(word, []).append(part.removeprefix(word).strip())
    saved = [each.partition("=") for part in found.get("saves", []) for each in part.split()]
    return Promise(
        saves={path: name or path for path, _, name in saved},
        leaves=tuple(path for part in found.get("leaves", []) for path in part.split()),
        lacks=tuple(path for part in found.get("lacks", []) for path in part.split()),
        prints=tuple(found.get("prints", [])),
        code=int(found["exit"][0]) if "exit" in found else 0,
        is_interrupted="ctrl-c" in found,
        digest_of=found.get("digest", [""])[0],
        is_fresh="fresh" in found,
        proxy=tuple(found.get("proxy", [""])[0].split()),
        avoids_proxies="no proxy" in found,
        is_run="not run," not in found,
    )
