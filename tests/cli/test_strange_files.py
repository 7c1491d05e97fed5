"""Files that a user names and that are not what they should be: a clear error, never a traceback."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import click
import pytest

from penstock.api import checked_options
from penstock.cli.config import read_config
from penstock.cli.get import get
from penstock.cli.manifests import _csv_line
from penstock.errors import InvalidRequest
from penstock.model import Options


@pytest.mark.parametrize(
    "text", ["stall-timeout = " + "9" * 400, 'cacert = "\\u0000"', 'cacert = "~\\u0000"', "header = " + "[" * 5000]
)
def test_a_configuration_that_no_option_can_hold_is_a_usage_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(click.UsageError, match=r"config\.toml"):
        read_config(path, click.Context(get))


def test_S09_a_file_that_libcurl_would_choke_on_at_every_transfer_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    path.write_bytes(b"# Netscape HTTP Cookie File\n" + b"x" * 5000 + b"\n")
    with pytest.raises(InvalidRequest, match="line 2 is too long"):
        checked_options(Options(cookie_file=path))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [('a"b', 'a"b'), ("a,b", "a,b"), ("a\rb", "a\\x0db"), ("a\nb", "a\\x0ab"), ("\x1b[2J", "\\x1b[2J")],
)
def test_every_cell_of_an_export_comes_back_with_what_a_terminal_obeys_as_escapes(cell: str, shown: str) -> None:
    assert list(csv.reader(io.StringIO(_csv_line([cell, 1]), newline=""))) == [[shown, "1"]]
