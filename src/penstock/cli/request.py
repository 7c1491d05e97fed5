"""From the parsed command line to requests: no network, no clock; reads only the files it is told to."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from penstock.core.urls import check, check_header
from penstock.errors import InvalidRequest
from penstock.model import IfExists, Options, Request, Source

#: A longer file of headers is a mistake.
MAX_HEADER_BYTES: Final = 1024 * 1024


def build_requests(urls: Sequence[str], params: Mapping[str, Any]) -> list[Request]:
    """One request for each URL, with the options that `params` (the command's, by name) say.

    Raises InvalidRequest for what click cannot see: URLs, headers, cookies, and options that exclude each other.
    """
    output = _output(params, len(urls))
    options = build_options(params)
    return [
        Request(
            sources=(Source(check(url)),),
            directory=params["directory"],
            output=output,
            checksum=params["checksum"],
            options=options,
        )
        for url in urls
    ]


def build_options(params: Mapping[str, Any]) -> Options:
    """The options that `params` say; raises InvalidRequest."""
    cookies, cookie_file = _cookies(params["cookie"], params["cookie_file"])
    computed = {
        "headers": tuple(check_header(line) for line in header_lines(params["header"])),
        "credentials": params["user"],
        "cookies": cookies,
        "cookie_file": cookie_file,
        "ip_version": _ip_version(params),
        "if_exists": IfExists(params["if_exists"]),
        "remote_time": not params["no_remote_time"],
    }
    direct = {field.name: params[field.name] for field in fields(Options) if field.name not in computed}
    return Options(**direct, **computed)


def header_lines(values: Iterable[str]) -> list[str]:
    """The header lines, with ``@FILE`` replaced by that file's lines and ``@-`` by those of stdin, as curl does.

    Raises InvalidRequest when a file cannot be read.
    """
    lines: list[str] = []
    for value in values:
        if not value.startswith("@"):
            lines.append(value)
            continue
        lines.extend(line for line in _read(value[1:]).splitlines() if line.strip())
    return lines


def _read(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read(MAX_HEADER_BYTES)
        with Path(name).open(encoding="utf-8") as file:
            text = file.read(MAX_HEADER_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"--header @{name}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
    if len(text) > MAX_HEADER_BYTES:
        raise InvalidRequest(f"--header @{name}: larger than {MAX_HEADER_BYTES} characters")
    return text


def _cookies(values: Sequence[str], file: Path | None) -> tuple[str | None, Path | None]:
    """Cookie data and cookie file: a value without ``=`` names a file, as in curl."""
    pairs = [value for value in values if "=" in value]
    files = [Path(value) for value in values if "=" not in value]
    if file is not None:
        files.append(file)
    if len(files) > 1:
        raise InvalidRequest("only one cookie file can be read; give it with --load-cookies")
    if files and not files[0].is_file():
        raise InvalidRequest(f"{files[0]}: no such cookie file (cookie data is written NAME=VALUE)")
    for pair in pairs:
        check_header(f"Cookie: {pair}")
    return "; ".join(pairs) or None, files[0] if files else None


def _ip_version(params: Mapping[str, Any]) -> int | None:
    if params["ipv4"] and params["ipv6"]:
        raise InvalidRequest("-4 and -6 exclude each other")
    if params["ipv4"]:
        return 4
    return 6 if params["ipv6"] else None


def _output(params: Mapping[str, Any], count: int) -> Path | None:
    output: Path | None = params["output"]
    if output is None:
        return None
    if count > 1:
        raise InvalidRequest("-o names one file, but there are several URLs; use -d for a directory")
    if str(output) == "-":
        raise InvalidRequest("-o -: a download over several connections cannot go to stdout; name a file")
    if str(output) == ".":
        raise InvalidRequest("-o needs the name of a file")
    return output
