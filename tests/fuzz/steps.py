"""Count the work that a parser does: lines of our Python, and steps of its regular expressions.

Python counts the lines; nothing counts the steps, so `Machine` takes them itself: a backtracking machine for the same
patterns (from the syntax tree of the standard library's own parser), which must come to the same match. Both numbers
are the same on every machine and every run, where a time is not. What C code does in one call (`str.split`, `json`,
`selectolax`) is not counted; ``python -m tests.fuzz.linear`` times that by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import FrameType, ModuleType
from typing import Any

Test = Callable[[str], bool]


class TooMuch(AssertionError):
    """The work went over what was allowed."""


class Counter:
    """How much was done, and how much may be."""

    def __init__(self, most: int) -> None:
        self.done = 0
        self._most = most

    def add(self, steps: int = 1) -> None:
        """Count; raises TooMuch."""
        self.done += steps
        if self.done > self._most:
            raise TooMuch(f"more than {self._most} steps")


class Machine:
    """One pattern as instructions: ``(test, f)`` takes a character, ``(split, a, b)`` prefers a, and so on."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self._is_bytes = isinstance(pattern.pattern, bytes)
        self._flags = pattern.flags
        self._program: list[tuple[Any, ...]] = []
        self._sequence(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))
        self._program.append(("end",))

    def run(self, text: str, at: int, counter: Counter, *, to_end: bool = False) -> int | None:
        """Where a match that begins at `at` ends; None when there is none."""
        return self._run(0, text, at, counter, to_end)

    def _run(self, start: int, text: str, begin: int, counter: Counter, to_end: bool) -> int | None:
        stack = [(start, begin)]
        program, length = self._program, len(text)
        while stack:
            pc, at = stack.pop()
            while True:
                counter.add()
                code = program[pc]
                match code[0]:
                    case "test":
                        if at >= length or not code[1](text[at]):
                            break
                        at += 1
                        pc += 1
                    case "split":
                        stack.append((code[2], at))
                        pc = code[1]
                    case "jump":
                        pc = code[1]
                    case "where":
                        if not code[1](text, at):
                            break
                        pc += 1
                    case "look":
                        found = at - code[2] >= 0 and self._run(pc + 1, text, at - code[2], counter, False) is not None
                        if found != code[3]:
                            break
                        pc = code[1]
                    case "atomic":
                        end = self._run(pc + 1, text, at, counter, False)
                        if end is None:
                            break
                        pc, at = code[1], end
                    case _:
                        if to_end and at < length:
                            break
                        return at
        return None

    def _sequence(self, nodes: Any) -> None:
        for kind, value in nodes:
            self._node(kind, value)

    def _node(self, kind: Any, value: Any) -> None:
        program = self._program
        if kind in {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN}:
            program.append(("test", self._one(kind, value)))
        elif kind is op.SUBPATTERN:
            self._sequence(value[-1])
        elif kind is op.BRANCH:
            self._branch(value[1])
        elif kind in {op.MAX_REPEAT, op.MIN_REPEAT}:
            self._repeat(*value, prefers_more=kind is op.MAX_REPEAT)
        elif kind is op.POSSESSIVE_REPEAT:
            self._closed("atomic", lambda: self._repeat(*value, prefers_more=True))
        elif kind is op.ATOMIC_GROUP:
            self._closed("atomic", lambda: self._sequence(value))
        elif kind in {op.ASSERT, op.ASSERT_NOT}:
            direction, nodes = value
            back = nodes.getwidth()[0] if direction < 0 else 0
            self._closed("look", lambda: self._sequence(nodes), back, kind is op.ASSERT)
        elif kind is op.AT:
            program.append(("where", self._place(value)))
        else:
            raise NotImplementedError(kind)

    def _closed(self, name: str, inside: Callable[[], None], *more: Any) -> None:
        at = len(self._program)
        self._program.append(())
        inside()
        self._program.append(("end",))
        self._program[at] = (name, len(self._program), *more)

    def _branch(self, choices: Any) -> None:
        program, jumps = self._program, []
        for choice in choices[:-1]:
            at = len(program)
            program.append(())
            self._sequence(choice)
            jumps.append(len(program))
            program.append(())
            program[at] = ("split", at + 1, len(program))
        self._sequence(choices[-1])
        for jump in jumps:
            program[jump] = ("jump", len(program))

    def _repeat(self, least: int, most: Any, nodes: Any, *, prefers_more: bool) -> None:
        program = self._program
        for _ in range(least):
            self._sequence(nodes)
        endless = most is op.MAXREPEAT
        splits = []
        for _ in range(1 if endless else most - least):
            splits.append(len(program))
            program.append(())
            self._sequence(nodes)
            if endless:
                program.append(("jump", splits[0]))
        for at in splits:
            program[at] = ("split", at + 1, len(program)) if prefers_more else ("split", len(program), at + 1)

    def _one(self, kind: Any, value: Any) -> Test:
        if kind is op.ANY:
            return (lambda _c: True) if self._flags & re.DOTALL else (lambda c: c != "\n")
        if kind is op.IN:
            negated = value[0][0] is op.NEGATE
            tests = [self._member(*item) for item in value[negated:]]
            found = self._any_case(lambda c: any(test(c) for test in tests))
            return (lambda c: not found(c)) if negated else found
        found = self._any_case(lambda c: ord(c) == value)
        return found if kind is op.LITERAL else (lambda c: not found(c))

    def _any_case(self, test: Test) -> Test:
        if not self._flags & re.IGNORECASE:
            return test
        return lambda c: test(c) or any(len(d) == 1 and test(d) for d in (c.lower(), c.upper()))

    def _member(self, kind: Any, value: Any) -> Test:
        if kind is op.LITERAL:
            return lambda c: ord(c) == value
        if kind is op.RANGE:
            return lambda c: value[0] <= ord(c) <= value[1]
        if kind is op.CATEGORY:
            letter = {
                op.CATEGORY_DIGIT: r"\d", op.CATEGORY_SPACE: r"\s", op.CATEGORY_WORD: r"\w",
                op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_NOT_WORD: r"\W",
            }[value]  # fmt: skip
            is_ascii = self._is_bytes or self._flags & re.ASCII
            found = re.compile(letter, re.ASCII if is_ascii else 0)
            return lambda c: found.match(c) is not None
        raise NotImplementedError(kind)

    def _place(self, kind: Any) -> Callable[[str, int], bool]:
        if kind in {op.AT_BEGINNING, op.AT_BEGINNING_STRING}:
            return lambda _text, at: at == 0
        if kind is op.AT_END_STRING:
            return lambda text, at: at == len(text)
        if kind is op.AT_END:
            return lambda text, at: text[at:] in {"", "\n"} if len(text) - at < 2 else False
        word = re.compile(r"\w", re.ASCII if self._flags & re.ASCII else 0)

        def is_word(text: str, at: int) -> bool:
            return 0 <= at < len(text) and word.match(text[at]) is not None

        if kind is op.AT_BOUNDARY:
            return lambda text, at: is_word(text, at - 1) != is_word(text, at)
        raise NotImplementedError(kind)


@cache
def machine_of(pattern: re.Pattern[Any]) -> Machine:
    """The machine of a pattern, made once."""
    return Machine(pattern)


class Counted:
    """A pattern that counts what it does; for the rest it is the pattern."""

    def __init__(self, pattern: re.Pattern[Any], counter: Counter) -> None:
        self._pattern = pattern
        self._counter = counter
        self._machine = machine_of(pattern)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def match(self, text: Any, *place: int) -> Any:
        return self._checked(self._pattern.match(text, *place), text, *place)

    def fullmatch(self, text: Any, *place: int) -> Any:
        return self._checked(self._pattern.fullmatch(text, *place), text, *place, to_end=True)

    def search(self, text: Any, *place: int) -> Any:
        found = self._pattern.search(text, *place)
        self._search(text, *place)
        return found

    def finditer(self, text: Any) -> Any:
        self._all(text)
        return self._pattern.finditer(text)

    def sub(self, by: Any, text: Any, count: int = 0) -> Any:
        self._all(text)
        return self._pattern.sub(by, text, count)

    def split(self, text: Any, maxsplit: int = 0) -> Any:
        self._all(text)
        return self._pattern.split(text, maxsplit)

    def _checked(self, found: Any, text: Any, at: int = 0, end: int | None = None, *, to_end: bool = False) -> Any:
        stop = self._machine.run(_as_text(text)[:end], at, self._counter, to_end=to_end)
        assert stop == (found.end() if found else None), (self._pattern, text, stop, found)
        return found

    def _search(self, text: Any, at: int = 0, end: int | None = None) -> int | None:
        """Where the first match from `at` on ends; an empty one ends one further."""
        found = self._pattern.search(text, at) if end is None else self._pattern.search(text, at, end)
        plain = _as_text(text)[:end]
        for start in range(at, len(plain) + 1):
            stop = self._machine.run(plain, start, self._counter)
            if stop is not None:
                assert found, (self._pattern, text)
                assert found.span() == (start, stop), (self._pattern, text, start, stop)
                return max(stop, start + 1)
        assert found is None, (self._pattern, text)
        return None

    def _all(self, text: Any) -> None:
        at: int | None = 0
        while at is not None and at <= len(text):
            at = self._search(text, at)


def _as_text(text: Any) -> str:
    return text.decode("latin-1") if isinstance(text, bytes) else text


class _Re:
    """The module `re` for ours: what it is asked for is counted."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def __getattr__(self, name: str) -> Any:
        return getattr(re, name)

    def compile(self, pattern: Any, flags: int = 0) -> Any:
        return Counted(re.compile(pattern, flags), self._counter)

    def match(self, pattern: Any, text: Any, flags: int = 0) -> Any:
        return self.compile(pattern, flags).match(text)

    def fullmatch(self, pattern: Any, text: Any, flags: int = 0) -> Any:
        return self.compile(pattern, flags).fullmatch(text)

    def search(self, pattern: Any, text: Any, flags: int = 0) -> Any:
        return self.compile(pattern, flags).search(text)

    def sub(self, pattern: Any, by: Any, text: Any, count: int = 0, flags: int = 0) -> Any:
        return self.compile(pattern, flags).sub(by, text, count)

    def split(self, pattern: Any, text: Any, maxsplit: int = 0, flags: int = 0) -> Any:
        return self.compile(pattern, flags).split(text, maxsplit)


@contextmanager
def counted(most: int) -> Iterator[Counter]:
    """Count what our modules do; TooMuch is raised in them when it is more than `most`."""
    counter = Counter(most)
    modules = [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "penstock"]
    kept = [(module, dict(vars(module))) for module in modules]
    for module in modules:
        _count_in(module, counter)
    previous = sys.gettrace()
    sys.settrace(lambda frame, _event, _value: _traced(frame, counter))
    try:
        yield counter
    finally:
        sys.settrace(previous)
        for module, names in kept:
            vars(module).update(names)


def _count_in(module: ModuleType, counter: Counter) -> None:
    for name, value in list(vars(module).items()):
        changed = _with_counting(value, counter)
        if changed is not value:
            setattr(module, name, changed)


def _with_counting(value: Any, counter: Counter) -> Any:
    if value is re:
        return _Re(counter)
    if isinstance(value, re.Pattern):
        return Counted(value, counter)
    if type(value) is tuple and value and all(isinstance(part, re.Pattern) for part in value):
        return tuple(Counted(part, counter) for part in value)
    if type(value) is dict and value and all(isinstance(part, re.Pattern) for part in value.values()):
        return {key: Counted(part, counter) for key, part in value.items()}
    return value


def _traced(frame: FrameType, counter: Counter) -> Any:
    if "penstock" not in str(frame.f_globals.get("__name__")):
        return None

    def line(_frame: FrameType, event: str, _value: Any) -> Any:
        if event == "line":
            counter.add()
        return line

    return line
