"""Every option of ``get`` reaches the request."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.get import get, level_of_detail
from penstock.cli.request import build_many, build_request
from penstock.core.rows import Row
from penstock.errors import InvalidRequest
from penstock.model import Digest, IfExists, Options, Request, Source

URL = "https://e.org/a"
MIB = 1024 * 1024
HASH = "ab" * 32


def params(*args: str) -> dict[str, Any]:
    """What click makes of ``penstock get --no-config ARGS``."""
    return get.make_context("get", ["--no-config", *args]).params


def request(*args: str) -> Request:
    parsed = params(*args, URL)
    return build_request(parsed["urls"][0], parsed)


OPTIONS: list[tuple[list[str], str, Any]] = [
    (["-x", "64"], "max_connections", 64),
    (["-x4"], "max_connections", 4),
    (["--max-connections", "3"], "max_connections", 3),
    (["--min-segment", "1M"], "min_segment", MIB),
    (["--multipart_chunksize", "65536"], "min_segment", 65536),
    (["-H", "A: b", "--header", "C: d"], "headers", (("A", "b"), ("C", "d"))),
    (["-u", "me:it:is"], "credentials", "me:it:is"),
    (["--user", "me:"], "credentials", "me:"),
    (["-b", "a=b", "--cookie", "c=d"], "cookies", "a=b; c=d"),
    (["-n"], "netrc", True),
    (["--netrc"], "netrc", True),
    (["--proxy", "socks5h://p:1"], "proxy", "socks5h://p:1"),
    (["--proxy", ""], "proxy", ""),
    (["-k"], "insecure", True),
    (["--insecure"], "insecure", True),
    (["--connect-timeout", "2.5"], "connect_timeout", 2.5),
    (["--stall-timeout", "7"], "stall_timeout", 7.0),
    (["--max-tries", "0"], "max_tries", 0),
    (["--deadline", "60"], "deadline", 60.0),
    (["-A", "me/1"], "user_agent", "me/1"),
    (["--user-agent", ""], "user_agent", ""),
    (["-e", "https://r.org/"], "referer", "https://r.org/"),
    (["--referer", "x"], "referer", "x"),
    (["-4"], "ip_version", 4),
    (["-6"], "ip_version", 6),
    (["--http-version", "2"], "http_version", "2"),
    (["--max-redirs", "0"], "max_redirects", 0),
    (["--max-size", "1G"], "max_size", 1024 * MIB),
    (["--if-exists", "rename"], "if_exists", IfExists.RENAME),
    (["--no-remote-time"], "remote_time", False),
    (["--resume-unsafe"], "resume_unsafe", True),
    (["--adopt"], "adopt", True),
    (["--allow-downgrade"], "allow_downgrade", True),
]
FILES = [
    ("--cacert", "ca_file"),
    ("--netrc-file", "netrc_file"),
    ("--load-cookies", "cookie_file"),
    ("-b", "cookie_file"),
]


@pytest.mark.parametrize(("args", "field", "value"), OPTIONS)
def test_an_option_sets_its_field_and_no_other(args: list[str], field: str, value: Any) -> None:
    assert request(*args).options == dataclasses.replace(Options(), **{field: value})


@pytest.mark.parametrize(("option", "field"), FILES)
def test_an_option_that_names_a_file_sets_its_field_and_no_other(option: str, field: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    expected: dict[str, Any] = {field: path}
    assert request(option, str(path)).options == dataclasses.replace(Options(), **expected)


def test_every_field_of_options_can_be_reached_from_the_command_line() -> None:
    reached = {field for _, field, _ in OPTIONS} | {field for _, field in FILES}
    # what `page` sets and `get` has no use for
    of_pages = {"public_only", "min_size", "accept_types", "reject_types", "accept_names"}
    assert reached | of_pages == {field.name for field in dataclasses.fields(Options)}


def test_without_options_the_request_has_the_defaults() -> None:
    assert request() == Request(sources=(Source(URL),))


@pytest.mark.parametrize("option", ["-o", "--output", "--dest_filename"])
def test_the_target_is_named_by_each_of_its_options(option: str) -> None:
    assert request(option, "name", "-d", "dir") == Request(
        sources=(Source(URL),), output=Path("name"), directory=Path("dir")
    )


def test_a_checksum_is_read() -> None:
    assert request("--checksum", f"sha-256:{HASH}").checksum == Digest("sha256", bytes.fromhex(HASH))


def test_a_rate_limit_is_read() -> None:
    assert params("--limit-rate", "2M", URL)["limit_rate"] == 2 * MIB


def test_secrets_may_come_from_the_environment_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_USER", "env:secret")
    monkeypatch.setenv("PENSTOCK_PROXY", "http://env:1")
    assert request().options == Options(credentials="env:secret", proxy="http://env:1")
    assert request("-u", "me:x", "--proxy", "").options == Options(credentials="me:x", proxy="")


def test_headers_are_read_from_a_file_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "headers"
    path.write_text("Authorization: Bearer x\n\nB: c\n")
    assert request("-H", f"@{path}", "-H", "D: e").options.headers == (
        ("Authorization", "Bearer x"),
        ("B", "c"),
        ("D", "e"),
    )


def test_a_header_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "headers"
    path.write_bytes(b"A: \xff\n")
    with pytest.raises(InvalidRequest, match="UTF-8"):
        request("-H", f"@{path}")


@pytest.mark.parametrize("args", [["-H", "A: b\r\nC: d"], ["-b", "a=b\nc"]])
def test_a_line_break_in_what_is_sent_is_refused(args: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        request(*args)


def test_two_cookie_files_are_refused_rather_than_one_ignored(tmp_path: Path) -> None:
    path = tmp_path / "jar"
    path.touch()
    with pytest.raises(InvalidRequest, match="only one cookie file"):
        request("-b", str(path), "--load-cookies", str(path))


def test_several_urls_become_rows_with_the_same_options() -> None:
    parsed = params("-x", "2", URL, "https://e.org/b[1-2]")
    job = build_many(parsed["urls"], parsed)
    assert [row.urls[0] for row in job.rows if isinstance(row, Row)] == [URL, "https://e.org/b1", "https://e.org/b2"]
    assert job.options == Options(max_connections=2, http_version="2")
    assert job.manifest is None


@pytest.mark.parametrize(
    ("args", "level"),
    [([], 1), (["-q"], 0), (["-v"], 2), (["-vv"], 3), (["-vvv"], 3), (["--json"], 0), (["--json", "-v"], 2)],
)
def test_the_level_of_detail_follows_the_letters(args: list[str], level: int) -> None:
    assert level_of_detail(params(*args, URL)) == level
