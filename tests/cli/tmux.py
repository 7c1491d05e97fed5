"""A real terminal with a shell in it, by tmux: what a person would see, at any size."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.cli.command import environment

#: Seconds that something may take to appear: the machine may be busy.
PATIENCE = 40.0
#: tmux tells a program of a new size this long after the one before at the earliest; until then it draws for the old.
_RESIZE_SECONDS = 0.3
_GOODBYE_SECONDS = 5.0
_NUMBERS = itertools.count(1)


def find_tmux() -> str | None:
    """The tmux on this machine, if any."""
    return shutil.which("tmux")


class Tmux:
    """A terminal of `columns` by `rows`; a context manager. Its shell finds `penstock`, which is put into `programs`.

    No configuration of the user's is read, and no other tmux is touched.
    """

    def __init__(self, columns: int, rows: int, directory: Path, programs: Path, **changes: str) -> None:
        self._socket = f"penstock-{os.getpid()}-{next(_NUMBERS)}"
        program = programs / "penstock"
        programs.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m penstock "$@"\n')
        program.chmod(0o755)
        outside = environment(**changes)
        for name in ("TMUX", "COLUMNS", "LINES", "COLORTERM", "NO_COLOR"):
            if name not in changes:
                outside.pop(name, None)
        outside |= {"PATH": f"{programs}{os.pathsep}{outside['PATH']}", "ENV": "", "LC_ALL": "C.UTF-8"}
        shell = "bash --norc --noprofile" if shutil.which("bash") else "sh"
        shell = f"exec env PS1='$ ' {shell} -i"  # the shell that runs this may drop the prompt it was given
        size = ["-x", str(columns), "-y", str(rows)]
        self._run(
            "-f", os.devnull, "start-server", ";", "set", "-g", "status", "off", ";",
            "set", "-g", "default-terminal", "screen-256color", ";",
            "new-session", "-d", *size, "-c", str(directory), shell,
            env=outside,
        )  # fmt: skip
        self.wait_for(lambda screen: screen.startswith("$"))

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        self._run("send-keys", "-l", line)
        self.press("Enter")

    def press(self, key: str) -> None:
        """Press a key, by tmux's name for it: ``C-c``."""
        self._run("send-keys", key)

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size."""
        time.sleep(_RESIZE_SECONDS)
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, colours: bool = False, history: bool = False) -> str:
        """What is on the screen: its lines without the blank ones at the end. `colours`: with their sequences;
        `history`: and what has left it at the top."""
        more = [*(["-e"] if colours else []), *(["-S", "-"] if history else [])]
        return self._run("capture-pane", "-p", *more).rstrip("\n")

    def shows_cursor(self) -> bool:
        """True while the cursor can be seen."""
        return self._run("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def wait_for(self, truth: str | Callable[[str], bool]) -> str:
        """The screen once it is so, or has this text; the test fails when that takes too long."""
        holds = truth if callable(truth) else lambda screen: truth in screen
        until = time.monotonic() + PATIENCE
        while not holds(screen := self.screen()):
            assert time.monotonic() < until, f"waited in vain before this screen:\n{screen}"
            time.sleep(0.02)
        return screen

    def close(self) -> None:
        """End what runs in the shell, which is given a while for its last words, and then the shell."""
        with contextlib.suppress(AssertionError):  # it may be gone already
            self.press("C-c")
            self.type("exit")
            until = time.monotonic() + _GOODBYE_SECONDS
            while time.monotonic() < until:
                self._run("has-session")
                time.sleep(0.02)
            self._run("kill-server")

    def __enter__(self) -> Tmux:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, *words: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [find_tmux() or "tmux", "-L", self._socket, *words], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
