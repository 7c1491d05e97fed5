"""The command line as a whole: which command is meant, what it costs, how it complains."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from penstock.cli.main import cli, run, with_command
from penstock.cli.rows import PAUSE_SECONDS
from penstock.core.template import FIELDS
from tests.cli.command import environment, penstock


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["https://e.org/a"], ["get", "https://e.org/a"]),
        (["-x", "4", "https://e.org/a"], ["get", "-x", "4", "https://e.org/a"]),
        (["-q"], ["get", "-q"]),
        (["get", "https://e.org/a"], ["get", "https://e.org/a"]),
        (["--version"], ["--version"]),
        (["--help"], ["--help"]),
        ([], ["--help"]),
    ],
)
def test_get_is_meant_unless_a_command_or_an_option_of_the_group_comes_first(
    typed: list[str], meant: list[str]
) -> None:
    assert with_command(typed, cli.commands) == meant


def test_version_prints_one_line_and_imports_neither_rich_nor_pycurl() -> None:
    script = (
        "import sys; from penstock.cli.main import run; code = run(['--version']); "
        "heavy = {'rich', 'pycurl', 'tomllib', 'platformdirs'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "penstock 0.1.0\n", "")


def test_help_of_get_imports_neither_rich_nor_pycurl() -> None:
    script = (
        "import sys; from penstock.cli.main import run; run(['get', '--help']); "
        "sys.exit(str({'rich', 'pycurl'} & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""


def test_without_arguments_it_prints_the_help() -> None:
    done = penstock()
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: penstock")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["get"], "give a URL, or a list with -i"),
        (["--no-such-option", "https://e.org/a"], "No such option"),
        (["-x", "0", "https://e.org/a"], "-x"),
        (["ftp://e.org/a"], "ftp"),
        (["--limit-rate", "fast", "https://e.org/a"], "--limit-rate"),
        (["--stall-timeout", "nan", "https://e.org/a"], "--stall-timeout"),
        (["--checksum", "sha-256:xyz", "https://e.org/a"], "--checksum"),
        (["-H", "no colon", "https://e.org/a"], "no colon"),
        (["-4", "-6", "https://e.org/a"], "-4 and -6"),
        (["-q", "-v", "https://e.org/a"], "-q and -v"),
        (["-o", "x", "https://e.org/a", "https://e.org/b"], "-o"),
        (["-o", "-", "https://e.org/a"], "stdout"),
        (["-H", "@/no/such/file", "https://e.org/a"], "/no/such/file"),
        (["-u", "name", "https://e.org/a"], "password"),
        (["-b", "no-such-file", "https://e.org/a"], "no-such-file"),
        (["--config", "/no/such.toml", "https://e.org/a"], "/no/such.toml"),
        (["--config", "/x", "--no-config", "https://e.org/a"], "/x"),
        (["--no-config", "--config", "/x", "https://e.org/a"], "exclude"),
    ],
)
def test_what_cannot_work_is_one_line_on_stderr_and_exit_2(args: list[str], complaint: str) -> None:
    done = penstock(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("penstock: ")
    assert complaint in done.stderr


def test_a_complaint_never_carries_terminal_escapes_through() -> None:
    done = penstock("--config", "/no/\x1b[31mred", "https://e.org/a")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(("args", "has_traceback"), [([], False), (["-v"], True)])
def test_an_unexpected_error_is_one_line_and_with_v_a_traceback(
    args: list[str], has_traceback: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command("explode")
    @click.option("-v", is_flag=True)
    def explode(v: bool) -> None:
        raise RuntimeError("boom\x1b[31m")

    cli.add_command(explode)
    try:
        assert run(["explode", *args]) == 1
    finally:
        del cli.commands["explode"]
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("penstock: internal error: RuntimeError: boom")
    assert (len(lines) > 1) == has_traceback
    assert not any("\x1b" in line for line in lines)


def test_F49_a_closed_stdout_is_no_traceback() -> None:
    command = f"{sys.executable} -m penstock get --help | true; exit ${{PIPESTATUS[0]}}"
    for _ in range(3):  # whether the reader is gone before the write is a race: neither side may complain
        done = subprocess.run(["bash", "-c", command], env=environment(), capture_output=True, text=True, check=False)
        assert done.stderr == ""


def test_without_a_stdout_there_is_no_traceback() -> None:
    command = f"{sys.executable} -m penstock --version >&-"
    done = subprocess.run(["bash", "-c", command], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_the_help_of_get_tells_what_differs_from_what_one_may_expect() -> None:
    text = " ".join(penstock("get", "--help").stdout.split())
    for words in (
        "{ext} the extension with its dot",
        "[1-9] and {a,b} are of the command line alone",
        "../x is DIR/x",
        "in LIST.penstock (stdin.penstock for -)",
        "within 0.2 s",
    ):
        assert words in text
    assert all(f"{{{field}}}" in text for field in FIELDS)
    assert str(PAUSE_SECONDS) in text
