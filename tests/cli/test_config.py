"""The configuration file: what it may say, who wins, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from penstock.cli.config import default_path
from penstock.cli.get import get
from penstock.cli.request import build_options
from penstock.model import IfExists, Options
from tests.cli.command import penstock

URL = "https://e.org/a"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def params(config: Path, text: str, *args: str) -> dict[str, Any]:
    config.write_text(text)
    return get.make_context("get", ["--config", str(config), *args, URL]).params


def test_keys_are_the_long_names_of_options(config: Path) -> None:
    text = """
        max-connections = 16
        header = ["A: b", "C: d"]
        min-segment = 4096
        limit-rate = "2M"
        stall-timeout = 5
        if-exists = "skip"
        no-remote-time = true
        dest_filename = "x"
        verbose = 2
    """
    found = params(config, text)
    assert build_options(found) == Options(
        max_connections=16,
        headers=(("A", "b"), ("C", "d")),
        min_segment=4096,
        stall_timeout=5.0,
        if_exists=IfExists.SKIP,
        remote_time=False,
    )
    assert (found["limit_rate"], found["output"], found["verbose"]) == (2 * 1024 * 1024, Path("x"), 2)


def test_the_command_line_wins(config: Path) -> None:
    found = params(config, 'max-connections = 16\nheader = ["A: b"]\n', "-x", "2", "-H", "C: d")
    assert (found["max_connections"], found["header"]) == (2, ("C: d",))


def test_the_environment_wins(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_PROXY", "http://env:1")
    assert params(config, 'proxy = "http://file:1"')["proxy"] == "http://env:1"


def test_a_directory_may_begin_with_a_tilde(config: Path) -> None:
    assert params(config, 'dir = "~/x"')["directory"] == Path.home() / "x"


@pytest.mark.parametrize(
    ("text", "key", "cause"),
    [
        ("colour = 1", "colour", "unknown key"),
        ('config = "x"', "config", "unknown key"),
        ("insecure = true", "insecure", "not allowed"),
        ("insecure = false", "insecure", "not allowed"),
        ('user = "me:secret"', "user", "not allowed"),
        ('max-connections = "16"', "max-connections", "whole number"),
        ("max-connections = true", "max-connections", "whole number"),
        ("max-connections = 0", "max-connections", "range"),
        ("max-connections = [1]", "max-connections", "whole number"),
        ('header = "A: b"', "header", "list of strings"),
        ("header = [1]", "header", "list of strings"),
        ('netrc = "yes"', "netrc", "true or false"),
        ("netrc = 1", "netrc", "true or false"),
        ('deadline = "60"', "deadline", "seconds"),
        ("deadline = -1", "deadline", "more than 0"),
        ("limit-rate = 1.5", "limit-rate", "bytes"),
        ('limit-rate = "fast"', "limit-rate", "rate"),
        ('if-exists = "ask"', "if-exists", "overwrite"),
        ("http-version = 1.1", "http-version", "string"),
        ('cacert = "/no/such"', "cacert", "/no/such"),
        ("[get]\nx = 1", "get", "unknown key"),
        ("max-conections = 1", "max-conections", "did you mean max-connections?"),
        ("dry-run = true", "dry-run", "unknown key"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(config: Path, text: str, key: str, cause: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        params(config, text)
    message = caught.value.format_message()
    assert message.startswith(f"{config}: {key}: ")
    assert cause in message


@pytest.mark.parametrize("content", [b"max-connections", b"\xff\xfe", b"#" * 2_000_000])
def test_what_is_not_a_small_toml_file_is_refused_by_name(config: Path, content: bytes) -> None:
    config.write_bytes(content)
    with pytest.raises(click.UsageError, match=r"config\.toml"):
        get.make_context("get", ["--config", str(config), URL])


def test_the_file_is_found_in_the_configuration_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = default_path()
    assert path.name == "config.toml"
    if not path.is_relative_to(tmp_path):
        pytest.skip("this platform has another configuration directory")
    path.parent.mkdir(parents=True)
    path.write_text("max-connections = 5")
    assert get.make_context("get", [URL]).params["max_connections"] == 5
    assert get.make_context("get", ["--no-config", URL]).params["max_connections"] == 8


def test_a_mistake_is_one_line_and_exit_2(config: Path) -> None:
    config.write_text("colour = 1")
    done = penstock("--config", str(config), URL)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"penstock: {config}: colour: unknown key; keys are the long names of options (see 'penstock get --help')\n"
    )
