"""How a run shows itself, and what it leaves as exit code, where no server is needed."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.cli.display import Display
from penstock.cli.messages import NORMAL, QUIET
from penstock.cli.plain import Plain
from penstock.cli.run import INSECURE, choose_voice
from penstock.cli.streams import SturdyStream
from tests.cli.command import environment, penstock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def refused() -> Iterator[str]:
    """A URL that refuses connections: its port is held, so that nobody else comes to listen there, but is deaf."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}/file"


@pytest.mark.parametrize(
    ("stream", "level", "lines", "term", "kind"),
    [
        (Terminal(), NORMAL, False, "xterm", Display),
        (Terminal(), NORMAL, False, "dumb", Plain),
        (Terminal(), QUIET, False, "xterm", Plain),
        (Terminal(), NORMAL, True, "xterm", Plain),
        (io.StringIO(), NORMAL, False, "xterm", Plain),
    ],
)
def test_a_live_display_is_for_able_terminals_only(
    stream: io.StringIO, level: int, lines: bool, term: str, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    assert isinstance(choose_voice(SturdyStream(stream), level, lines=lines), kind)


@pytest.mark.parametrize("option", ["-q", "--json", "-v"])
def test_without_a_terminal_rich_is_not_imported(option: str, tmp_path: Path, refused: str) -> None:
    script = "import sys; from penstock.cli.main import run; run(); sys.exit('rich' in sys.modules)"
    args = ["--max-tries", "1", "-d", str(tmp_path), option, refused]
    done = subprocess.run([sys.executable, "-c", script, *args], env=environment(), capture_output=True, check=False)
    assert done.returncode == 0


def test_F33_a_refused_connection_is_one_line_and_exit_1(tmp_path: Path, refused: str) -> None:
    done = penstock("-q", "--max-tries", "1", "-d", str(tmp_path), refused)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("penstock: ")
    assert done.stderr.count("\n") == 1


def test_F36_a_directory_that_cannot_be_made_is_one_line_and_exit_3(tmp_path: Path, refused: str) -> None:
    (tmp_path / "file").touch()
    done = penstock("-d", str(tmp_path / "file" / "inside"), refused)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("penstock: ")
    assert done.stderr.count("\n") == 1


def test_F36_a_directory_that_cannot_be_is_told_once_before_any_request(tmp_path: Path, refused: str) -> None:
    (tmp_path / "file").touch()
    done = penstock("-q", "-d", str(tmp_path / "file"), refused, f"{refused}/b")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "not a directory" in done.stderr


@pytest.mark.parametrize("option", ["-q", "-v"])
def test_insecure_is_loud_even_when_quiet(option: str, tmp_path: Path, refused: str) -> None:
    done = penstock("-k", option, "--max-tries", "1", "-d", str(tmp_path), refused)
    assert done.stderr.startswith(INSECURE + "\n")
