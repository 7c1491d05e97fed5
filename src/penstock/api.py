"""The library: a `Downloader` whose submissions are futures, and `download` for a single file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from penstock.core.digests import parse_checksum
from penstock.core.rows import BadRow, Row
from penstock.core.template import DEFAULT_TEMPLATE
from penstock.core.urls import check, check_header, redact
from penstock.engine.batch import Plan
from penstock.engine.engine import Engine, Limits
from penstock.engine.queue import DEFAULT_MAX_FILES, DEFAULT_TOTAL_CONNECTIONS
from penstock.errors import InvalidRequest
from penstock.events import AnyEvent
from penstock.model import (
    Digest,
    Document,
    IfExists,
    Options,
    Origin,
    Preview,
    Request,
    Result,
    Source,
    Summary,
)
from penstock.net.proxies import SCHEMES, is_supported

StrPath = str | os.PathLike[str]

_OPTION_NAMES: Final = frozenset(field.name for field in dataclasses.fields(Options))
_LIMIT_NAMES: Final = {"rate": "rate_limit", "pace": "rate_per_host"}
_HTTP_VERSIONS: Final = ("1.0", "1.1", "2", "3")
#: Bytes of a line that libcurl takes from a cookie file (MAX_COOKIE_LINE in its lib/cookie.h).
MAX_COOKIE_LINE = 4999


class Downloader:
    """Carries out downloads on one network thread; use it as a context manager.

    `on_event` is called with every event, on a thread that is neither the caller's nor the network's. `rate_limit`
    (bytes per second) bounds all its downloads together; `max_files` move at once, over `total_connections` at most;
    of one origin `per_host` (default: 8, or `max_connections` of a download if that is more), asked at most
    `rate_per_host` times a second. Origins take turns, and one that stalls or refuses holds up no other. Without
    `details` small files of a batch that end well send no events of their own, only `BatchProgressed`. `trace` is a
    file that records every request and decision, for ``penstock report`` and for Perfetto (docs/reference/trace.md);
    it is replaced if it is there; raises StorageError when it cannot be written. Keyword
    arguments named like the fields of `Options` are defaults for every submission. Leaving the ``with`` block waits
    for all downloads; leaving it by an exception (Ctrl-C) stops them, and each leaves a part that the same submission
    goes on from.
    """

    def __init__(
        self,
        *,
        on_event: Callable[[AnyEvent], None] | None = None,
        rate_limit: int | None = None,
        max_files: int = DEFAULT_MAX_FILES,
        per_host: int | None = None,
        rate_per_host: float | None = None,
        total_connections: int = DEFAULT_TOTAL_CONNECTIONS,
        details: bool = True,
        trace: StrPath | None = None,
        **defaults: Any,
    ) -> None:
        limits = Limits(rate_limit, max_files, per_host, rate_per_host, total_connections)
        for name, value in limits._asdict().items():
            if value is not None and not value > 0:
                raise InvalidRequest(f"{_LIMIT_NAMES.get(name, name)} must be positive, not {value}")
        self._defaults = _options(Options(), defaults)
        self._engine = Engine(on_event, limits, details=details and on_event is not None, trace=trace)

    def submit(
        self,
        request: str | Request,
        *,
        output: StrPath | None = None,
        directory: StrPath | None = None,
        checksum: str | Digest | None = None,
        **options: Any,
    ) -> Future[Result]:
        """Begin a download and return its future.

        `request` is a URL, or a whole `Request` (then nothing else may be given). `output` names the target,
        relative to `directory`; without it the server or the URL names it. `checksum` is ``"sha-256:HEX"`` or bare
        hex. `options` are fields of `Options`. The future's `cancel` works at any time and leaves a resumable part.

        Raises InvalidRequest at once for bad arguments; everything else comes through the future.
        """
        return self._engine.submit(self._request(request, output, directory, checksum, options))

    def preview(
        self,
        request: str | Request,
        *,
        output: StrPath | None = None,
        directory: StrPath | None = None,
        checksum: str | Digest | None = None,
        **options: Any,
    ) -> Future[Preview]:
        """Find out what `submit` would do with the same arguments: the server is asked for the file and its answer is
        broken off, and nothing is written. The future raises what that of `submit` would, as far as it shows before
        the first byte.
        """
        return self._engine.preview(self._request(request, output, directory, checksum, options))

    def _request(
        self,
        request: str | Request,
        output: StrPath | None,
        directory: StrPath | None,
        checksum: str | Digest | None,
        options: dict[str, Any],
    ) -> Request:
        if isinstance(request, Request):
            if output is not None or directory is not None or checksum is not None or options:
                raise InvalidRequest("a Request says everything itself: give no other arguments with it")
            return checked(request)
        built = Request(
            sources=(Source(request),),
            directory=Path(directory) if directory is not None else Path(),
            output=Path(output) if output is not None else None,
            checksum=parse_checksum(checksum) if isinstance(checksum, str) else checksum,
            options=_options(self._defaults, options),
        )
        return checked(built)

    def submit_many(
        self,
        rows: Iterable[str | Row | BadRow],
        *,
        directory: StrPath | None = None,
        manifest: StrPath | None = None,
        template: str = DEFAULT_TEMPLATE,
        recheck: bool = False,
        **options: Any,
    ) -> Future[Summary]:
        """Download many files and return the future of a summary; what fails does not stop the others.

        `rows` are URLs, or rows of a list (`penstock.Row`), read on a thread of its own and never far ahead of the
        downloads: it may be endless. `template` names the targets below `directory`, as ``--template`` does: names
        come from URLs alone, so that they are the same on every run. `manifest` is a file that records how each row
        ended: with it, the same call made again fetches only what is missing (`recheck`: hashes what is there). The
        future's `cancel` stops the batch where it stands.

        Raises InvalidRequest at once for bad arguments; the future raises StorageError or TargetLocked, or
        InvalidRequest for a row that is none of these.
        """
        if isinstance(rows, str | bytes):
            raise InvalidRequest("submit_many takes many URLs; for one there is submit()")
        if manifest is not None and not Path(manifest).name:
            raise InvalidRequest(f"manifest needs the name of a file, not {os.fspath(manifest)!r}")
        plan = Plan(
            directory=Path(directory) if directory is not None else Path(),
            options=checked_options(_options(self._defaults, options)),
            manifest=Path(manifest) if manifest is not None else None,
            template=template,
            rechecks=recheck,
        )
        return self._engine.submit_many(_checked_rows(rows), plan)

    def read(self, url: str, at_most: int, **options: Any) -> Future[Document]:
        """Read the document at `url` into memory, cut after `at_most` bytes: a page, not a file to keep."""
        request = Request(sources=(Source(url),), options=_options(self._defaults, options))
        return self._engine.read(checked(request), at_most)

    def slow_down(self, origin: Origin, pace: float) -> None:
        """Ask `origin` at most `pace` times a second from now on."""
        self._engine.slow_down(origin, pace)

    def limit_rate(self, rate: int | None) -> None:
        """Change the limit over all downloads, bytes per second; None lifts it."""
        if rate is not None and rate <= 0:
            raise InvalidRequest(f"a rate must be positive, not {rate}")
        self._engine.limit_rate(rate)

    def close(self, *, cancel: bool = False) -> None:
        """Wait for all downloads, or with `cancel` stop them, each leaving a resumable part. Safe to call again."""
        self._engine.close(cancel=cancel)

    def __enter__(self) -> Downloader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.close(cancel=True)
            return
        try:
            self.close()
        except BaseException:  # Ctrl-C while waiting
            self.close(cancel=True)
            raise


def download(
    url: str | Request,
    *,
    output: StrPath | None = None,
    directory: StrPath | None = None,
    checksum: str | Digest | None = None,
    on_event: Callable[[AnyEvent], None] | None = None,
    rate_limit: int | None = None,
    **options: Any,
) -> Result:
    """Download one file and return when it is there, complete and checked; arguments as for `Downloader.submit`.

    Raises a DownloadError. Interrupted by Ctrl-C it leaves a part; the same call goes on from it.
    """
    with Downloader(on_event=on_event, rate_limit=rate_limit) as downloader:
        future = downloader.submit(url, output=output, directory=directory, checksum=checksum, **options)
        return future.result()


def _checked_rows(rows: Iterable[str | Row | BadRow]) -> Iterator[str | Row | BadRow]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, str | Row | BadRow):
            raise InvalidRequest(f"row {number} is a {type(row).__name__!r}, neither a URL nor a Row")
        yield row


def _options(base: Options, changes: dict[str, Any]) -> Options:
    unknown = sorted(changes.keys() - _OPTION_NAMES)
    if unknown:
        raise InvalidRequest(f"unknown option {unknown[0]!r}; there are {', '.join(sorted(_OPTION_NAMES))}")
    if isinstance(changes.get("headers"), dict):
        changes["headers"] = tuple(changes["headers"].items())
    if isinstance(changes.get("if_exists"), str):
        changes["if_exists"] = _policy(changes["if_exists"])
    for name in ("cookie_file", "netrc_file", "ca_file"):
        if isinstance(changes.get(name), str):
            changes[name] = Path(changes[name])
    return dataclasses.replace(base, **changes)


def _policy(text: str) -> IfExists:
    try:
        return IfExists(text)
    except ValueError:
        choices = ", ".join(policy.value for policy in IfExists)
        raise InvalidRequest(f"if_exists is {text!r}; choose one of {choices}") from None


def checked(request: Request) -> Request:
    """The request with its URLs in normal form; raises InvalidRequest for anything that cannot work."""
    if not request.sources:
        raise InvalidRequest("a request needs a source")
    sources = tuple(Source(check(source.url)) for source in request.sources)
    return dataclasses.replace(request, sources=sources, options=checked_options(request.options))


def checked_options(options: Options) -> Options:
    """The options with their headers in normal form; raises InvalidRequest for anything that cannot work."""
    headers = tuple(check_header(f"{name}: {value}") for name, value in options.headers)
    _check_numbers(options)
    _check_files(options)
    if options.http_version not in _HTTP_VERSIONS:
        raise InvalidRequest(f"http_version is {options.http_version!r}; choose one of {', '.join(_HTTP_VERSIONS)}")
    if options.ip_version not in {None, 4, 6}:
        raise InvalidRequest(f"ip_version is {options.ip_version!r}; choose 4 or 6")
    if options.proxy and not is_supported(options.proxy):
        raise InvalidRequest(f"{redact(options.proxy)}: a proxy is one of {', '.join(SCHEMES)}")
    for text in (options.credentials, options.cookies, options.user_agent, options.referer, options.proxy):
        if text is not None and any(character in text for character in "\r\n\0"):
            raise InvalidRequest("a line break or NUL in an option would end up in the request; remove it")
    return dataclasses.replace(options, headers=headers)


def _check_numbers(options: Options) -> None:
    at_least = {
        "max_connections": 1,
        "min_segment": 1,
        "max_tries": 0,
        "max_redirects": 0,
    }
    for name, least in at_least.items():
        if getattr(options, name) < least:
            raise InvalidRequest(f"{name} is {getattr(options, name)}; it must be at least {least}")
    for name in ("connect_timeout", "stall_timeout", "deadline", "max_size"):
        value = getattr(options, name)
        if value is not None and not value > 0:
            raise InvalidRequest(f"{name} is {value}; it must be more than 0")


def _check_files(options: Options) -> None:
    for name in ("cookie_file", "netrc_file", "ca_file"):
        path = getattr(options, name)
        if path is not None and not path.is_file():
            raise InvalidRequest(f"{path}: no such file (given as {name})")
    if options.cookie_file is not None:
        _check_cookie_file(options.cookie_file)


def _check_cookie_file(path: Path) -> None:
    """Refuse what would make libcurl fail every transfer that reads it."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_COOKIE_LINE + 1), b""), 1):
                if len(line) > MAX_COOKIE_LINE:
                    raise InvalidRequest(f"{path}: line {number} is too long for a cookie; is it a cookie file?")
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror or error}") from error
