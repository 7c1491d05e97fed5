"""core/ stays pure: its imports are read from its source, so that a late one inside a function counts too."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import penstock.core

if TYPE_CHECKING:
    from collections.abc import Iterator

CORE = Path(penstock.core.__file__).parent
FILES = sorted(CORE.rglob("*.py"))

#: What of ours may be imported: this floor and the ones below.
OURS = {"penstock.core", "penstock.model", "penstock.errors", "penstock.events"}
#: What of the standard library touches the world: sockets, files, threads, processes, clocks, chance, the
#: terminal.
IMPURE = {
    *("socket", "ssl", "select", "selectors", "socketserver", "asyncio", "signal"),
    *("os", "io", "shutil", "tempfile", "glob", "fcntl", "mmap", "fileinput", "sqlite3", "pickle", "shelve"),
    *("threading", "multiprocessing", "concurrent", "queue", "subprocess", "sched", "contextvars"),
    *("time", "random", "secrets", "uuid", "logging", "warnings", "sys", "platform", "locale", "getpass"),
    *("importlib", "ctypes", "gc", "inspect", "atexit"),
}
#: Modules that are impure but for these names.
PURE_NAMES = {
    "pathlib": {"PurePath", "PurePosixPath", "PureWindowsPath"},
    "http": {"HTTPStatus"},
    "urllib": {"parse"},
    "email": {"utils"},
}
#: Built-ins that do the same without an import.
IMPURE_BUILTINS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}


def imports(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """(module, name) for each import; name is None for a plain ``import module``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            module = "penstock.core" if node.level else (node.module or "")
            yield from ((module, alias.name) for alias in node.names)


def why_impure(module: str, name: str | None) -> str | None:
    """What is wrong with an import, or None."""
    top, _, rest = module.partition(".")
    if top == "penstock":
        allowed = f"{module}.{name}" in OURS or any(f"{module}.".startswith(f"{ours}.") for ours in OURS)
        return None if allowed else "stands above core"
    if top in IMPURE:
        return "touches the world"
    if top in PURE_NAMES and (rest.split(".")[0] or name) not in PURE_NAMES[top]:
        return "is pure in parts only, and this is not one of them"
    return None


def faults(source: str) -> list[str]:
    """Everything in `source` that is not pure, one line each."""
    tree = ast.parse(source)
    found = [f"{module} {name or ''}: {why}" for module, name in imports(tree) if (why := why_impure(module, name))]
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return found + [f"{name}(): touches the world" for name in calls if name in IMPURE_BUILTINS]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_core_knows_no_socket_file_thread_clock_or_chance(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


def test_the_files_of_core_are_found() -> None:
    assert {"ranges.py", "ramp.py", "retry.py"} <= {path.name for path in FILES}


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "import os.path as p",
        "from time import monotonic",
        "def late():\n    import random",
        "from concurrent.futures import Future",
        "from pathlib import Path",
        "import pathlib",
        "from http import client",
        "import http.client",
        "from urllib import request",
        "from penstock.net import loop",
        "from penstock import api",
        "import penstock",
        "open('x')",
    ],
)
def test_an_impure_line_is_caught(source: str) -> None:
    assert faults(source)


@pytest.mark.parametrize(
    "source",
    [
        "from pathlib import PurePosixPath",
        "from http import HTTPStatus",
        "from urllib.parse import urlsplit",
        "import urllib.parse",
        "from penstock.errors import InvalidRequest",
        "from penstock import model",
        "from penstock.core.ranges import Range",
        "from .ranges import Range",
        "import math",
    ],
)
def test_a_pure_line_passes(source: str) -> None:
    assert not faults(source)
