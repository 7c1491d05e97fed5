"""From the parsed command line to requests: no network, no clock; reads only the files it is told to."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from penstock.cli.many import Many
from penstock.cli.rows import STDIN, List, chained, count_urls, rows_of_urls
from penstock.core.globs import parse_glob
from penstock.core.template import DEFAULT_TEMPLATE, Template
from penstock.core.urls import check, check_header
from penstock.errors import InvalidRequest
from penstock.model import IfExists, Options, Request, Source

#: A longer file of headers is a mistake.
MAX_HEADER_BYTES: Final = 1024 * 1024
#: Many files of one origin share a connection where it can; the segments of one file must not (see net/loop.py).
MANY_HTTP_VERSION: Final = "2"
#: A manifest beside the directory ``data`` is ``data.penstock``.
MANIFEST_SUFFIX: Final = ".penstock"


def check_no_file(url: str) -> None:
    """Raise InvalidRequest for the name of a file that is there: a list was meant."""
    if "://" not in url and Path(url).suffix and Path(url).is_file():
        name = shlex.quote(url)
        raise InvalidRequest(f"{url} is a file here; for the URLs in it write -i {name} (or https://{url})")


def build_request(url: str, params: Mapping[str, Any]) -> Request:
    """The request for one URL, with the options that `params` (the command's, by name) say.

    Raises InvalidRequest for what click cannot see: URLs, headers, cookies, and options that exclude each other.
    """
    check_no_file(url)
    return Request(
        sources=(Source(check(url)),),
        directory=params["directory"],
        output=_output(params),
        checksum=params["checksum"],
        options=build_options(params),
    )


def build_many(urls: Sequence[str], params: dict[str, Any]) -> Many:
    """The run over many files that `params` say: URLs, globs and lists. Raises InvalidRequest."""
    globs = not params["no_glob"]
    output = params["output"]
    if params["template"] is not None and output is not None:
        raise InvalidRequest("-o and --template exclude each other")
    is_one = count_urls(urls, globs=globs) == 1 and not params["lists"]  # raises for a bad range, before anything
    if params["checksum"] is not None:
        raise InvalidRequest(
            "--checksum does not go with --manifest or --template; give it in a list"
            if is_one
            else "--checksum is of one file, but there are several; give each its own in a list"
        )
    if output is not None and "#" not in str(output):
        raise InvalidRequest(
            "-o does not go with --manifest; name the file with --template"
            if is_one
            else "-o names one file, but there are several; use -d for a directory, or #1 for a glob's part"
        )
    if urls and not params["lists"]:
        _check_some(urls, globs=globs)
    manifest = manifest_path(params["manifest"])
    lists = [List(name, params["list_format"], params["url_column"]) for name in params["lists"]]
    rows = chained(
        rows_of_urls(urls, globs=globs, output=None if output is None else str(output)),
        *(each.rows() for each in lists),
    )
    template = params["template"] or DEFAULT_TEMPLATE
    Template(template)
    return Many(
        rows,
        params["directory"],
        build_options(params | {"http_version": params["http_version"] or MANY_HTTP_VERSION}),
        _manifest(manifest, params, lists),
        template,
        params["recheck"],
        build_limits(params),
        lists=lists,
        noun="line" if lists else "URL",
    )


def build_limits(params: Mapping[str, Any]) -> dict[str, Any]:
    """What bounds all downloads together, as the Downloader takes it."""
    return {
        "rate_limit": params["limit_rate"],
        "max_files": params["max_files"],
        "per_host": params["per_host"],
        "rate_per_host": params["rate_per_host"],
        "total_connections": params["total_connections"],
        "trace": params["trace"],
    }


def manifest_path(given: Path | None) -> Path | None:
    """The manifest that was asked for; raises InvalidRequest for what cannot be the name of a file."""
    if given is not None and not given.name:
        raise InvalidRequest("--manifest needs the name of a file")
    return given


def _check_some(urls: Sequence[str], *, globs: bool) -> None:
    """Raise InvalidRequest when none of these is a URL: then it is no list with a mistake in it, but a mistake."""
    refusals: list[InvalidRequest] = []
    for url in urls:
        check_no_file(url)
        try:
            check(next(iter(parse_glob(url))).url if globs else url)
        except InvalidRequest as error:
            refusals.append(error)
        else:
            return
    raise refusals[0]


def _manifest(given: Path | None, params: Mapping[str, Any], lists: Sequence[List]) -> Path | None:
    """Where outcomes are recorded: as asked, else for lists beside the target directory."""
    if params["no_manifest"]:
        if given is not None:
            raise InvalidRequest("--manifest and --no-manifest exclude each other")
        return None
    if given is not None or not lists:
        return given
    directory: Path = params["directory"]
    if directory.name not in {"", ".", ".."}:
        return directory.with_name(directory.name + MANIFEST_SUFFIX)
    name = "stdin" if lists[0].name == STDIN else Path(lists[0].name).name
    return directory / (name + MANIFEST_SUFFIX)


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
        "http_version": params["http_version"] or Options().http_version,
        "remote_time": not params["no_remote_time"],
    }
    names = {field.name for field in fields(Options)} - computed.keys()
    direct = {name: params[name] for name in names if name in params}
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


def _output(params: Mapping[str, Any]) -> Path | None:
    output: Path | None = params["output"]
    if output is None:
        return None
    if str(output) == "-":
        raise InvalidRequest("-o -: a download over several connections cannot go to stdout; name a file")
    if str(output) == ".":
        raise InvalidRequest("-o needs the name of a file")
    return output
