"""The manual pages: they say what the commands say, and man shows them without a word of complaint."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from penstock.cli.main import cli, with_command
from penstock.cli.manual import roff, texts
from penstock.cli.manual.pages import names, page, write
from tests.cli.command import environment

DATE = "2026-01-31"
PAGES = names()


def command_of(name: str) -> click.Command:
    return cli if name == "penstock" else cli.commands[name.removeprefix("penstock-")]


def shown(name: str, tmp_path: Path) -> str:
    """The page as a reader of 80 columns sees it."""
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("man or groff is not installed")
    path = tmp_path / f"{name}.1"
    path.write_text(page(name, DATE), encoding="ascii")
    variables = {**environment(), "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""}
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(path)], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_there_is_a_page_for_each_command(tmp_path: Path) -> None:
    assert [path.name for path in write(tmp_path, DATE)] == [f"{name}.1" for name in PAGES]
    assert set(PAGES) == {"penstock", *(f"penstock-{name}" for name in cli.commands)}


@pytest.mark.parametrize("name", PAGES)
def test_every_option_is_in_its_page_once_with_its_words(name: str) -> None:
    text = page(name, DATE)
    command = command_of(name)
    context = click.Context(command, info_name=name)
    for param in command.get_params(context):
        record = param.get_help_record(context) if isinstance(param, click.Option) else None
        if record is not None:
            assert text.count(f".TP\n{roff.usage(record[0])}\n") == 1, record[0]
            assert roff.running(record[1].split()[0]) in text


@pytest.mark.parametrize("name", PAGES)
def test_no_sentence_of_a_command_s_text_is_lost(name: str, tmp_path: Path) -> None:
    command = command_of(name)
    words = f"{command.help or ''} {command.epilog or ''}".replace("\b", " ").split()
    read = shown(name, tmp_path).lower()
    assert {word for word in words if word.strip(".,;:").lower() not in read} <= {"codes:"}  # their heading says so


@pytest.mark.parametrize("name", PAGES)
def test_man_shows_it_in_80_columns(name: str, tmp_path: Path) -> None:
    text = shown(name, tmp_path)
    assert max(map(len, text.splitlines())) <= 80
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"):
        assert f"\n{title}\n" in text


@pytest.mark.parametrize("name", PAGES)
def test_mandoc_has_no_warning(name: str, tmp_path: Path) -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    path = tmp_path / f"{name}.1"
    path.write_text(page(name, DATE), encoding="ascii")
    done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", path], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_the_page_of_get_has_what_a_reader_looks_for(tmp_path: Path) -> None:
    text = shown("penstock-get", tmp_path)
    for title in ("LISTS", "TEMPLATES", "JSON LINES", "DRY RUN", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"):
        assert f"\n{title}\n" in text
    for code in ("0      Done.", "1      A download failed.", "129, 130, 143"):
        assert code in text
    assert "PENSTOCK_USER" in text[text.index("\nENVIRONMENT\n") :]


def test_every_variable_of_an_option_is_named() -> None:
    for name in PAGES:
        for param in command_of(name).params:
            if isinstance(param.envvar, str):
                assert roff.bold(param.envvar) in page(name, DATE)


@pytest.mark.parametrize(
    "line", [entry.term for entries in texts.EXAMPLES.values() for entry in entries], ids=lambda line: line[:40]
)
def test_every_example_parses(line: str) -> None:
    name, *words = with_command(shlex.split(line)[1:], cli.commands)
    command = cli.commands[name]
    if "--no-config" in {option for parameter in command.params for option in parameter.opts}:
        words.append("--no-config")
    command.make_context(name, words)


def test_headings_texts_and_sections_are_of_what_there_is() -> None:
    known = {param.name for command in cli.commands.values() for param in command.params}
    assert set(texts.HEADINGS) - {"trace"} <= known
    for table in (texts.ENVIRONMENT, texts.FILES, texts.EXAMPLES):
        assert set(table) <= {texts.GROUP, *cli.commands}
    whole = " ".join(f"{command.help} {command.epilog}" for command in cli.commands.values())
    for words in texts.SECTIONS:
        assert words in " ".join(whole.split()), words


@pytest.mark.parametrize(
    ("text", "set_as"),
    [
        (".hidden", "\\&.hidden"),
        ("it's", "it\\(aqs"),
        ("a\\b", "a\\(rsb"),
        ("--x-y z", "\\fB\\-\\-x\\-y\\fR z"),
        ("re-run", "re\\-run"),
        ("~/.netrc", "\\(ti/.netrc"),
        ("naïve", "na\\[u00EF]ve"),
    ],
)
def test_nothing_in_a_text_is_taken_for_a_request(text: str, set_as: str) -> None:
    assert roff.running(text) == set_as


def test_a_line_that_would_begin_with_a_dot_is_guarded() -> None:
    lines = roff.paragraph("x" * 78 + " .netrc")
    assert lines[1:] == ["x" * 78, "\\&.netrc"]


def test_the_date_can_be_that_of_another_build(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "penstock.cli.manual", str(tmp_path / "man")]
    subprocess.run(words, env=environment(SOURCE_DATE_EPOCH="86400"), check=True, capture_output=True)
    assert ".TH PENSTOCK 1 1970-01-02 " in (tmp_path / "man" / "penstock.1").read_text()


def test_the_manual_is_not_imported_at_run_time() -> None:
    script = (
        "import sys; from penstock.cli.main import run; run(['get', '--help']); "
        "sys.exit(str([name for name in sys.modules if name.startswith('penstock.cli.manual')] or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""


def test_the_build_puts_the_pages_where_man_looks(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    root = Path(__file__).parents[2]
    script = f"from hatchling.build import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    import zipfile

    [wheel] = tmp_path.glob("*.whl")
    packed = zipfile.ZipFile(wheel).namelist()
    found = {path.rpartition("/")[2] for path in packed if "/data/share/man/man1/" in path}
    assert found == {f"{name}.1" for name in PAGES}
