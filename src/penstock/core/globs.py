r"""Ranges and sets in URLs, as curl has them: ``img[001-100].jpg``, ``[a-z:2]``, ``{one,two}``.

The last one varies fastest. ``\[``, ``\]``, ``\{``, ``\}`` and ``\,`` stand for the characters themselves; ``[]`` and
an IPv6 address in the host are left as they are (curl's src/tool_urlglob.c). Nothing is built in memory: a product may
be as long as it likes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from penstock.errors import InvalidRequest

#: Ranges and sets in one URL, at most.
MAX_GLOBS: Final = 100
#: Digits in a number, at most.
_MAX_DIGITS: Final = 18
_NUMBERS: Final = re.compile(r"\[([0-9]+)-([0-9]+)(?::([0-9]+))?\]")
_LETTERS: Final = re.compile(r"\[([A-Za-z])-([A-Za-z])(?::([0-9]+))?\]")
_ADDRESS: Final = re.compile(r"\[(?=[^:\]]*:)[0-9A-Fa-f:.]*(?:%[0-9A-Za-z._~%-]*)?\]")
_FIELD: Final = re.compile(r"#([0-9]{1,3})")


class Match(NamedTuple):
    """One URL, and what each range or set stands for in it."""

    url: str
    parts: tuple[str, ...]


class _Numbers(NamedTuple):
    start: int
    stop: int
    step: int
    width: int

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return (f"{number:0{self.width}}" for number in range(self.start, self.stop + 1, self.step))

    @property
    def size(self) -> int:
        return (self.stop - self.start) // self.step + 1


class _Words(NamedTuple):
    words: tuple[str, ...]

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.words)

    @property
    def size(self) -> int:
        return len(self.words)


class Glob:
    """A parsed URL: literal pieces with ranges and sets between them."""

    def __init__(self, literals: Sequence[str], globs: Sequence[_Numbers | _Words]) -> None:
        self._literals = literals
        self._globs = globs

    @property
    def count(self) -> int:
        """How many URLs it stands for."""
        return math.prod(glob.size for glob in self._globs)

    def __iter__(self) -> Iterator[Match]:
        return self._expand(0, self._literals[0], ())

    def _expand(self, index: int, url: str, parts: tuple[str, ...]) -> Iterator[Match]:
        # itertools.product would hold every range in memory
        if index == len(self._globs):
            yield Match(url, parts)
            return
        literal = self._literals[index + 1]
        for part in iter(self._globs[index]):
            yield from self._expand(index + 1, url + part + literal, (*parts, part))


def parse_glob(url: str) -> Glob:
    """The ranges and sets in `url`; raises InvalidRequest that names the position of what makes no sense."""
    literals: list[str] = []
    globs: list[_Numbers | _Words] = []
    literal: list[str] = []
    at = 0
    while at < len(url):
        character = url[at]
        if character == "\\" and url[at + 1 : at + 2] in set("[]{},"):
            literal.append(url[at + 1])
            at += 2
        elif character in "[{" and (end := _literal_end(url, at)):
            literal.append(url[at:end])
            at = end
        elif character in "[{":
            glob, at = _parse_range(url, at) if character == "[" else _parse_set(url, at)
            literals.append("".join(literal))
            literal = []
            globs.append(glob)
            if len(globs) > MAX_GLOBS:
                raise InvalidRequest(f"more than {MAX_GLOBS} ranges and sets in a URL")
        elif character in "]}":
            raise _error(url, at, f"a {character} without its beginning")
        else:
            literal.append(character)
            at += 1
    return Glob([*literals, "".join(literal)], globs)


def fill(output: str, parts: Sequence[str]) -> str:
    """`output` with ``#1``, ``#2``... replaced by the parts; a number that has none is left as it is."""

    def part(field: re.Match[str]) -> str:
        number = int(field[1])
        return re.sub(r"[/\\]", "_", parts[number - 1]) if 1 <= number <= len(parts) else field[0]

    return _FIELD.sub(part, output)


def _literal_end(url: str, at: int) -> int | None:
    """Where brackets that stand for themselves end."""
    if url.startswith("[]", at):
        return at + 2
    address = _ADDRESS.match(url, at)
    return address.end() if address is not None and url.rfind("/", 0, at) < url.find("//") + 2 else None


def _parse_range(url: str, at: int) -> tuple[_Numbers | _Words, int]:
    numbers, letters = _NUMBERS.match(url, at), _LETTERS.match(url, at)
    match = numbers or letters
    if match is None:
        raise _error(url, at, "a bad range; write [1-9], [01-99:3] or [a-z]")
    if any(len(group) > _MAX_DIGITS for group in match.groups("")):
        raise _error(url, at, "a number that is too large")
    step = int(match[3] or 1)
    if not step:
        raise _error(url, at, "a step of 0")
    if numbers is not None:
        start, stop = int(match[1]), int(match[2])
        width = len(match[1]) if match[1].startswith("0") else 0
        glob: _Numbers | _Words = _Numbers(start, stop, step, width)
    else:
        start, stop = ord(match[1]), ord(match[2])
        if match[1].islower() != match[2].islower():
            raise _error(url, at, "a range from one case to the other")
        glob = _Words(tuple(map(chr, range(start, stop + 1, step))))
    if stop < start:
        raise _error(url, at, "a range that goes backwards")
    return glob, match.end()


def _parse_set(url: str, at: int) -> tuple[_Words, int]:
    words: list[str] = []
    word: list[str] = []
    index = at + 1
    while index < len(url):
        character = url[index]
        if character == "\\" and index + 1 < len(url):
            word.append(url[index + 1])
            index += 2
            continue
        if character in ",}":
            words.append("".join(word))
            word = []
            if character == "}":
                return _words(url, at, words), index + 1
        elif character in "{[]":
            raise _error(url, index, f"a {character} inside a set")
        else:
            word.append(character)
        index += 1
    raise _error(url, at, "a set without its end")


def _words(url: str, at: int, words: list[str]) -> _Words:
    if words == [""]:
        raise _error(url, at, "an empty set")
    return _Words(tuple(words))


def _error(url: str, at: int, what: str) -> InvalidRequest:
    from penstock.core.urls import redact

    return InvalidRequest(f"{redact(url)[:200]}: {what} at character {at + 1} (--no-glob takes it as it is)")
