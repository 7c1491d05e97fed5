"""What TAB brings: asked as the shells ask, and typed into the shells themselves."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import SOURCE, environment, penstock

#: Seconds for a shell to answer; only a failure waits so long.
PATIENCE = 30.0


def offered(words: str, shell: str = "bash") -> list[str]:
    """What is offered for the last word of a command line, as ``type,value``."""
    typed = words.split(" ")
    count = typed[-1] if shell == "fish" else str(len(typed) - 1)
    done = penstock(_PENSTOCK_COMPLETE=f"{shell}_complete", COMP_WORDS=words, COMP_CWORD=count)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    if shell == "zsh":
        return [f"{kind},{value}" for kind, value in zip(lines[::3], lines[1::3], strict=True)]
    return [line.partition("\t")[0] for line in lines]


def test_without_a_command_there_are_the_commands() -> None:
    commands = {"plain,get", "plain,page", "plain,status", "plain,verify", "plain,doctor", "plain,completion"}
    assert commands <= set(offered("penstock "))
    assert offered("penstock st") == ["plain,status"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("penstock --lim", ["plain,--limit-rate"]),
        ("penstock get --lim", ["plain,--limit-rate"]),
        ("penstock https : //e.org/a --ch", ["plain,--checksum"]),  # as bash cuts a URL
        ("penstock --vers", ["plain,--version"]),
        ("penstock page https://e.org/ --acc", ["plain,--accept"]),
        ("penstock --if-exists sk", ["plain,skip"]),
        ("penstock https://e.org/a --if-exists o", ["plain,overwrite"]),
        ("penstock --if-exists = sk", ["plain,skip"]),  # as bash cuts --if-exists=sk
        ("penstock -o x", ["file,x"]),
        ("penstock -d x", ["dir,x"]),
        ("penstock page https://e.org/ -d x", ["dir,x"]),
        ("penstock -i x", ["file,x"]),
        ("penstock --cacert x", ["file,x"]),
        ("penstock status x", ["file,x"]),
        ("penstock verify x", ["file,x"]),
        ("penstock doctor -d x", ["dir,x"]),
        ("penstock completion z", ["plain,zsh"]),
    ],
)
def test_options_choices_and_files_are_offered(words: str, found: list[str]) -> None:
    assert offered(words) == found


def test_the_options_of_get_are_offered_beside_the_group_s_own() -> None:
    found = offered("penstock --")
    assert {"plain,--version", "plain,--checksum", "plain,--dry-run"} <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_value_behind_an_equals_sign_keeps_its_option(shell: str, tmp_path: Path) -> None:
    assert offered("penstock --if-exists=sk", shell) == ["plain,--if-exists=skip"]
    (tmp_path / "there.pem").touch()
    (tmp_path / "things").mkdir()
    before = f"penstock --cacert={tmp_path}/th"
    assert offered(before, shell) == [f"plain,--cacert={tmp_path}/there.pem", f"plain,--cacert={tmp_path}/things/"]
    assert offered(f"penstock --dir={tmp_path}/th", shell) == [f"plain,--dir={tmp_path}/things/"]


def test_whoever_asks_without_words_gets_no_noise() -> None:
    done = penstock(_PENSTOCK_COMPLETE="bash_complete")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_broken_configuration_does_not_keep_tab_from_working(tmp_path: Path) -> None:
    (tmp_path / "penstock").mkdir()
    (tmp_path / "penstock" / "config.toml").write_text("nonsense")
    done = penstock(
        _PENSTOCK_COMPLETE="bash_complete",
        COMP_WORDS="penstock --lim",
        COMP_CWORD="1",
        XDG_CONFIG_HOME=str(tmp_path),
    )
    assert done.stdout.strip() == "plain,--limit-rate"


@pytest.mark.parametrize(
    "asked",
    [
        "os.environ.update(_PENSTOCK_COMPLETE='bash_complete', COMP_WORDS='penstock --lim', COMP_CWORD='1'); run([])",
        "run(['completion', 'zsh'])",
    ],
)
def test_nothing_heavy_is_imported(asked: str) -> None:
    script = (
        f"import os, sys; from penstock.cli.main import run; {asked}; "
        "sys.exit(str({'rich', 'pycurl', 'tomllib', 'platformdirs', 'sqlite3', 'subprocess'} & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
    assert "limit-rate" in done.stdout or "compdef" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_what_click_s_variable_brings_too(shell: str) -> None:
    done = penstock("completion", shell)
    assert done.returncode == 0
    assert done.stdout.startswith(("_penstock_completion()", "#compdef penstock", "function _penstock_completion"))
    assert penstock(_PENSTOCK_COMPLETE=f"{shell}_source").stdout.strip() == done.stdout.strip()


def test_an_unknown_shell_is_told_those_there_are() -> None:
    done = penstock("completion", "tcsh")
    assert done.returncode == 2
    assert all(shell in done.stderr for shell in ("bash", "zsh", "fish"))


class Shell:
    """An interactive shell on a terminal of its own, in which a person types."""

    def __init__(self, words: list[str], directory: Path, path: str) -> None:
        import pty  # there is none on Windows

        pid, self._terminal = pty.fork()
        if pid == 0:
            os.chdir(directory)
            os.execvpe(words[0], words, environment(PATH=path, TERM="dumb", PS1="$ ", HOME=str(directory)))
        self._pid = pid

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def read_until(self, wanted: str) -> str:
        """What was shown, once `wanted` is in it."""
        shown = ""
        until = time.monotonic() + PATIENCE
        while wanted not in shown:
            left = until - time.monotonic()
            assert left > 0, f"{wanted!r} did not come; there came {shown!r}"
            if select.select([self._terminal], [], [], left)[0]:
                shown += os.read(self._terminal, 65536).decode(errors="replace")
        return shown

    def close(self) -> None:
        os.close(self._terminal)
        os.waitpid(self._pid, 0)


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(penstock completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -u -D; eval "$(penstock completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "penstock completion fish | source"),
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    words, setup = SHELLS[request.param]
    if os.name == "nt" or shutil.which(words[0]) is None:
        pytest.skip(f"{request.param} is not installed")
    programs, place = tmp_path / "programs", tmp_path / "place"
    programs.mkdir()
    place.mkdir()
    (place / "wanted-list.txt").touch()
    program = programs / "penstock"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={SOURCE} exec {sys.executable} -m penstock "$@"\n')
    program.chmod(0o755)
    shell = Shell(words, place, f"{programs}{os.pathsep}{os.environ['PATH']}")
    try:
        shell.type(f"{setup}; echo set'-'up\n")  # so that the echo of what is typed does not pass for its answer
        shell.read_until("set-up")
        yield shell
    finally:
        shell.close()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("penstock --lim", "--limit-rate"),
        ("penstock https://e.org/a --ch", "--checksum"),
        ("penstock --if-exists=sk", "--if-exists=skip"),
        ("penstock -i wan", "wanted-list.txt"),
        ("penstock stat", "penstock status"),
    ],
)
def test_in_the_shell_itself(shell: Shell, typed: str, completed: str) -> None:
    shell.type(f"{typed}\t")
    # the rest of the word comes behind what was typed; a dumb terminal draws the line anew at most
    rest = completed.rpartition(" ")[2]
    known = typed.rpartition(" ")[2]
    shell.read_until(rest[len(known) :] if rest.startswith(known) else rest)
