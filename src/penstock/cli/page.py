"""The ``page`` command: everything that a web page shows or links to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from penstock.cli.codes import DONE, FAILED, exit_code
from penstock.cli.get import ASKING, MEASURING, NETWORK, PACE, TALKING, level_of_detail, with_password
from penstock.cli.signals import Interrupted, Signals
from penstock.cli.streams import SturdyStream, standard_error, standard_output
from penstock.cli.types import byte_count, completes, pace
from penstock.core.rows import BadRow, Row
from penstock.core.urls import escape, identity, redact
from penstock.errors import DownloadError, InvalidRequest, Reason, ServerRefused
from penstock.model import Document, IfExists, Options

if TYPE_CHECKING:
    from penstock.api import Downloader
    from penstock.cli.many import Wait

_WHAT: Final = [
    click.Option(
        ["-d", "--dir", "directory"],
        metavar="DIR",
        type=click.Path(path_type=Path),
        default=Path(),
        shell_complete=completes("dir"),
        help="Save here.",
    ),
    click.Option(
        ["--accept"],
        multiple=True,
        metavar="PATTERN",
        help="Take only these: '*.jpg', 'photos/*', or a media type such as 'image/*'; repeatable.",
    ),
    click.Option(["--reject"], multiple=True, metavar="PATTERN", help="Leave these out; written as for --accept."),
    click.Option(["--min-size"], type=byte_count, metavar="SIZE", help="Leave out smaller files (bytes)."),
    click.Option(["--max-size"], type=byte_count, metavar="SIZE", help="Refuse larger files (bytes)."),
    click.Option(
        ["--depth"],
        type=click.IntRange(min=1, max=100),
        metavar="N",
        default=1,
        show_default=True,
        help="Pages to follow one after another, within the host.",
    ),
    click.Option(["--dry-run"], is_flag=True, help="Print the URLs, fetch none of them."),
    click.Option(["--no-robots"], is_flag=True, help="Do not ask robots.txt."),
    click.Option(["--allow-private"], is_flag=True, help="Let a public page lead to private addresses."),
    click.Option(
        ["--if-exists"],
        type=click.Choice([policy.value for policy in IfExists]),
        default=IfExists.SKIP.value,
        show_default=True,
        help="When a target is already there.",
    ),
    click.Option(["--template"], metavar="PATH", default="{name}", show_default=True, help="As for get."),
    click.Option(["--manifest"], type=click.Path(path_type=Path), metavar="FILE", help="Record how each file ended."),
    click.Option(["--recheck"], is_flag=True, help="Hash the files that are done already."),
    click.Option(["-j", "--max-files"], type=click.IntRange(min=1), metavar="N", default=32, show_default=True,
                 help="Files that move at once."),
    click.Option(["--per-host"], type=click.IntRange(min=1), metavar="N", help="Files and connections of one origin."),
    click.Option(["--rate-per-host"], type=pace, metavar="N/s", help="Requests to one origin, as in 5/s."),
    click.Option(["--total-connections"], type=click.IntRange(min=1), metavar="N", default=256, show_default=True,
                 help="Connections over all files."),
]  # fmt: skip


_EPILOG: Final = """
SIZE and RATE are bytes and bytes per second; K, M and G are powers of 1024. The fields of --template and the objects
of --json are those of get: penstock get --help lists them.

\b
Exit codes: 0 done; 1 a file or page failed; 2 usage; 3 could not write;
129, 130, 143 stopped by SIGHUP, Ctrl-C, SIGTERM (the same command goes on).
"""


@click.command(
    epilog=_EPILOG,
    short_help="Download what a web page shows and links to.",
    params=[click.Argument(["url"]), *_WHAT, *PACE, *ASKING, *NETWORK, *MEASURING, *TALKING],
)
@click.pass_context
def page(ctx: click.Context, /, url: str, **params: Any) -> int:
    """Download what the page at URL shows (pictures, also lazy ones, media, icons) and the files it links to.

    robots.txt is obeyed, with the agent name "penstock". Only http and https are followed, and from a public page
    never a private address.
    """
    from penstock.cli.many import Many, run_many
    from penstock.cli.measuring import measured
    from penstock.cli.request import MANY_HTTP_VERSION, build_limits, build_options, manifest_path
    from penstock.core.template import Template
    from penstock.core.urls import check

    level = level_of_detail(params)
    params["user"] = with_password(params["user"])
    params |= {"no_remote_time": False, "resume_unsafe": False, "adopt": False}
    params["http_version"] = params["http_version"] or MANY_HTTP_VERSION
    try:
        start = check(url)
        Template(params["template"])
        walk = _Walk(start, params)
        if params["dry_run"]:
            return walk.show(build_options(params), build_limits(params), level=level)
        job = Many(
            (),
            params["directory"],
            build_options(params | walk.wanted),
            manifest_path(params["manifest"]),
            params["template"],
            params["recheck"],
            build_limits(params),
            walk.begin,
        )
        shown = {"level": level, "json": params["json"], "insecure": params["insecure"], "stats": params["stats"]}
        return measured(params, lambda: run_many(job, **shown))
    except InvalidRequest as error:
        raise click.UsageError(error.message, ctx) from error


class _Walk:
    """The walk that the options ask for."""

    def __init__(self, start: str, params: dict[str, Any]) -> None:
        from penstock.pages.choose import Choice
        from penstock.pages.crawl import Walk

        choice = Choice(tuple(params["accept"]), tuple(params["reject"]))
        self._walk = Walk(start, choice, params["depth"], not params["no_robots"])
        self._allow_private = params["allow_private"]
        #: What the answers must be.
        self.wanted = {
            "accept_types": choice.accepted_types,
            "reject_types": choice.rejected_types,
            "accept_names": choice.accepted_names,
        }

    def begin(
        self, downloader: Downloader, wait: Wait, options: Options, note: Callable[[str], None]
    ) -> tuple[Iterator[Row | BadRow], Options]:
        """Read the first page; then the files, as pages are read, and the options to fetch them with."""
        rows, options = self.open(downloader, wait, Future.result, options, note)
        return rows, options

    def open(
        self,
        downloader: Downloader,
        wait: Wait,
        wait_later: Callable[[Future[Document]], Document],
        options: Options,
        note: Callable[[str], None],
    ) -> tuple[Iterator[Row | BadRow], Options]:
        """`wait` waits for the first page, `wait_later` for everything after."""
        from penstock.cli.confine import Confined
        from penstock.core.addresses import is_public_url
        from penstock.pages.crawl import Crawl

        start = self._walk.start
        is_guarded = not self._allow_private and is_public_url(start)
        crawl = Crawl(self._walk)
        confined = Confined(start, replace(options, public_only=is_guarded))
        try:
            first = crawl.begin(confined.reader(downloader, wait, note))
        except DownloadError as error:
            if error.reason is not Reason.PRIVATE:
                raise
            # it is the address that was asked for: whoever typed it may go there, and on from there
            is_guarded, crawl = False, Crawl(self._walk)
            confined = Confined(start, replace(options, public_only=False))
            first = crawl.begin(confined.reader(downloader, wait, note))
        if is_guarded and not is_public_url(first.url):
            message = f"{redact(start)}: a redirect to a private address; --allow-private follows it"
            raise ServerRefused(message, url=redact(start), reason=Reason.REDIRECT)
        may_touch = is_public_url if is_guarded else lambda _url: True
        rows = crawl.files(confined.reader(downloader, wait_later, note), may_touch)
        return map(confined.row, rows), confined.elsewhere

    def show(self, options: Options, limits: dict[str, Any], *, level: int) -> int:
        """Print the URLs and nothing else."""
        from penstock.api import Downloader
        from penstock.cli import messages

        out, err = SturdyStream(standard_output()), SturdyStream(standard_error())
        signals = Signals()
        failed = False
        try:
            with signals.caught(), Downloader(**limits) as downloader:
                note = err.line if level >= messages.NORMAL else lambda _line: None
                rows, _ = self.open(downloader, signals.wait, signals.wait, options, note)
                for row in rows:
                    if isinstance(row, BadRow):
                        failed = True
                        err.line(escape(row.why if row.text in row.why else f"{row.text}: {row.why}"))
                    else:
                        out.line(escape(identity(row.urls[0])))
        except Interrupted as interruption:
            return interruption.code
        except DownloadError as error:
            err.line(f"penstock: {messages.failed(error, kept=0)}")
            return exit_code(error)
        if options.min_size or options.max_size or self.wanted["accept_types"] or self.wanted["reject_types"]:
            note("media types and sizes are known only when a file is asked for: fewer of these may be saved")
        return FAILED if failed else DONE
