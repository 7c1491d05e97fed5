"""The ``get`` command: its options, by name, letter, kind and unit. Carrying them out is `run`'s."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from penstock.cli.config import choose_config, refuse_config
from penstock.cli.types import byte_count, byte_rate, checksum, completes, pace, seconds
from penstock.errors import InvalidRequest
from penstock.model import IfExists, Options

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DEFAULTS = Options()

_EPILOG = """
SIZE and RATE are bytes and bytes per second; K, M and G are powers of 1024. Options may also stand in config.toml
(max-connections = 16); PENSTOCK_USER and PENSTOCK_PROXY keep secrets out of the process list.

LIST has a URL a line, taken as it is: [1-9] and {a,b} are of the command line alone. Alternatives on a line are
separated by tabs. Indented lines below are aria2's out=, dir=, checksum= and header= (from a pipe, within 0.2 s; its
other options are left out, with a word). A table has a column url, and perhaps name or out, dir, sha256 or checksum,
and size. out, name and dir are places below --dir, whatever they begin with: /abs/x is DIR/abs/x, ../x is DIR/x.

With -i, what became of each file is recorded in DIR.penstock beside the directory; without -d, or with -d . or -d ..,
in LIST.penstock (stdin.penstock for -) inside it. Another directory or list has another record.

\b
--template fields, of each URL alone:
  {host}   the host's name       {name}  the last segment of the path
  {path}   the path's folders    {stem}  the name without its extension
  {line}   its line in the list  {ext}   the extension with its dot, or nothing
           ({line:06}: padded)   {hash}  16 hex digits that tell URLs apart
  as in '{host}/{path}/{name}' or '{line:06}-{stem}{ext}'; {{ is a brace.

\b
--json prints one object a line, with "event", "time" (Unix seconds), "download" (number) and
  started      url
  probed       final_url path length accepts_ranges validator
  progressed   done length speed connections
  resumed      kept              restarted     why dropped
  retried      why wait attempt  warned        message
  stolen       victim thief start stop
  raced        segment start stop
  checkpointed durable           verified      digest source
  finished     path size url final_url digest validator media_type elapsed
               fetched resumed connections skipped sha256 mtime_ns
               digest_source
  failed       reason message url resumable exit_code
  cancelled    resumable
and, of a list ("download" is 0):
  rowrejected  line text why
  batchprogressed total listed done skipped failed active size speed pace
                  ended
  summary      total done skipped failed pending rejected size elapsed
               failures exit_code

--dry-run asks the server of one URL, and breaks the answer off after its head. For several, and for lists, no server
is asked: it reads the list and the manifest, looks at the targets, and prints a line for each row.

\b
With --dry-run, --json prints instead
  planned      action (fetch, resume, restart, finish, skip) url final_url path
               length accepts_ranges validator media_type kept why exists
               replaces checksum digest
and, of a list,
  planned      action (fetch, again, skip, repeat, fail) line url path why
  rowrejected  line text why
  plan         total fetch again skip repeat fail rejected exit_code

\b
Exit codes: 0 done; 1 a download failed; 2 usage; 3 could not write;
129, 130, 143 stopped by SIGHUP, Ctrl-C, SIGTERM (the same command goes on).
"""


#: Options of the target.
_TARGET: Final = [
    click.Option(
        ["-o", "--output", "--dest_filename", "output"],
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Save as FILE, relative to --dir.",
    ),
    click.Option(
        ["-d", "--dir", "directory"],
        metavar="DIR",
        type=click.Path(path_type=Path),
        default=Path(),
        shell_complete=completes("dir"),
        help="Save in DIR, which is made if need be.",
    ),
    click.Option(
        ["--if-exists"],
        type=click.Choice([policy.value for policy in IfExists]),
        default=_DEFAULTS.if_exists.value,
        show_default=True,
        help="When the target is already there.",
    ),
    click.Option(["--checksum"], type=checksum, metavar="ALG:HEX", help="Check the file, as in sha-256:HEX."),
    click.Option(["--max-size"], type=byte_count, metavar="SIZE", help="Refuse a larger file (bytes)."),
    click.Option(["--no-remote-time"], is_flag=True, help="Do not set the file's time from Last-Modified."),
    click.Option(["--resume-unsafe"], is_flag=True, help="Go on with old bytes that nothing proves right."),
    click.Option(["--adopt"], is_flag=True, help="Go on with bytes from another URL with the same strong ETag."),
    click.Option(["--dry-run"], is_flag=True, help="Say what would be done, and write nothing; see below."),
]


#: Options of lists, and of many files.
_MANY: Final = [
    click.Option(
        ["-i", "--input-file", "lists"],
        multiple=True,
        metavar="LIST",
        shell_complete=completes("file"),
        help="Download what LIST names (- for stdin): a URL a line, aria2's input file, CSV, TSV or JSON Lines.",
    ),
    click.Option(
        ["--list-format"],
        type=click.Choice(["uris", "csv", "tsv", "jsonl"]),
        help="LIST's format, where its name does not tell.",
    ),
    click.Option(
        ["--url-column"], metavar="NAME", default="url", show_default=True, help="The column of a table's URLs."
    ),
    click.Option(["-g", "--no-glob", "--globoff", "no_glob"], is_flag=True, help="Take [1-9] and {a,b} as they are."),
    click.Option(
        ["-j", "--max-files"],
        type=click.IntRange(min=1),
        metavar="N",
        default=32,
        show_default=True,
        help="Files that move at once.",
    ),
    click.Option(
        ["--per-host"],
        type=click.IntRange(min=1),
        metavar="N",
        help="Files and connections of one origin; 8, or -x if that is more.",
    ),
    click.Option(["--rate-per-host"], type=pace, metavar="N/s", help="Requests to one origin, as in 5/s or 30/min."),
    click.Option(
        ["--total-connections"],
        type=click.IntRange(min=1),
        metavar="N",
        default=256,
        show_default=True,
        help="Connections over all files.",
    ),
    click.Option(
        ["--template"],
        metavar="PATH",
        help="Name files by their URLs, as in '{host}/{path}/{name}'; the fields are below.",
    ),
    click.Option(
        ["--manifest"],
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Record how each file ended; -i does so by itself unless --no-manifest.",
    ),
    click.Option(["--no-manifest"], is_flag=True, help="Record nothing."),
    click.Option(["--recheck"], is_flag=True, help="Hash the files that are done already, not only look at them."),
]


#: Options of connections, rates and times.
PACE: Final = [
    click.Option(
        ["-x", "--max-connections"],
        type=click.IntRange(min=1),
        metavar="N",
        default=_DEFAULTS.max_connections,
        show_default=True,
        help="Connections at most.",
    ),
    click.Option(
        ["--min-segment", "--multipart_chunksize", "min_segment"],
        type=byte_count,
        metavar="SIZE",
        default="256K",
        show_default=True,
        help="Least size of a segment (bytes).",
    ),
    click.Option(["--limit-rate"], type=byte_rate, metavar="RATE", help="Bytes per second at most, as in 2M."),
    click.Option(
        ["--connect-timeout"],
        type=seconds,
        metavar="S",
        default=_DEFAULTS.connect_timeout,
        show_default=True,
        help="Seconds to connect in.",
    ),
    click.Option(
        ["--stall-timeout"],
        type=seconds,
        metavar="S",
        default=_DEFAULTS.stall_timeout,
        show_default=True,
        help="Seconds of silence before a connection is replaced.",
    ),
    click.Option(
        ["--max-tries"],
        type=click.IntRange(min=0),
        metavar="N",
        default=_DEFAULTS.max_tries,
        show_default=True,
        help="Attempts in a row without a new byte, 0 for no limit; three where a server has never answered.",
    ),
    click.Option(["--deadline"], type=seconds, metavar="S", help="Seconds that a download may take."),
    click.Option(
        ["--max-redirs", "max_redirects"],
        type=click.IntRange(min=0),
        metavar="N",
        default=_DEFAULTS.max_redirects,
        show_default=True,
        help="Redirects to follow at most.",
    ),
]


#: Options of what is sent, and who we are.
ASKING: Final = [
    click.Option(
        ["-H", "--header"],
        multiple=True,
        metavar="LINE|@FILE",
        help="Send a header, or the lines of FILE; repeatable.",
    ),
    click.Option(
        ["-u", "--user"],
        envvar="PENSTOCK_USER",
        metavar="USER[:PASSWORD]",
        help="Log in; asks for a missing password. Also PENSTOCK_USER.",
    ),
    click.Option(
        ["-b", "--cookie"],
        multiple=True,
        metavar="DATA|FILE",
        shell_complete=completes("file"),
        help="Send cookies NAME=VALUE, or those of FILE.",
    ),
    click.Option(["--load-cookies", "cookie_file"], type=_FILE, metavar="FILE", help="Send FILE's cookies."),
    click.Option(["-n", "--netrc"], is_flag=True, help="Log in with ~/.netrc."),
    click.Option(["--netrc-file"], type=_FILE, metavar="FILE", help="Log in with FILE, written like .netrc."),
    click.Option(["-A", "--user-agent"], metavar="TEXT", help="Send this User-Agent."),
    click.Option(["-e", "--referer"], metavar="URL", help="Send this Referer."),
]


#: Options of the way to the server.
NETWORK: Final = [
    click.Option(
        ["--proxy"],
        envvar="PENSTOCK_PROXY",
        metavar="URL",
        help='http, https, socks4, socks4a, socks5 or socks5h proxy; "" for none. Also PENSTOCK_PROXY.',
    ),
    click.Option(["--cacert", "ca_file"], type=_FILE, metavar="FILE", help="Trust the certificates in FILE."),
    click.Option(["-k", "--insecure"], is_flag=True, help="Do not check certificates."),
    click.Option(["--allow-downgrade"], is_flag=True, help="Follow a redirect from https to http."),
    click.Option(["-4", "--ipv4"], is_flag=True, help="Use IPv4 only."),
    click.Option(["-6", "--ipv6"], is_flag=True, help="Use IPv6 only."),
    click.Option(
        ["--http-version"],
        type=click.Choice(["1.0", "1.1", "2", "3"]),
        help="HTTP version; 1.1 for one file, 2 (over TLS) for many.",
    ),
]


#: Options of what is kept of how it went.
MEASURING: Final = [
    click.Option(
        ["--trace"],
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Record every request and decision in FILE, for 'penstock report FILE' and for Perfetto.",
    ),
    click.Option(
        ["--profile"],
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Profile all threads into FILE, for pstats and snakeviz.",
    ),
    click.Option(["--stats"], is_flag=True, help="Say at the end what it took: time, processor, bytes, memory."),
]


#: Options of what is shown, and of the configuration.
TALKING: Final = [
    click.Option(["--json"], is_flag=True, help="Print events as JSON lines on stdout."),
    click.Option(["-q", "--quiet"], is_flag=True, help="Print errors only."),
    click.Option(["-v", "--verbose"], count=True, help="Print how it is done; -vv checkpoints too."),
    click.Option(
        ["--no-config"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=refuse_config,
        help="Read no configuration file.",
    ),
    click.Option(
        ["--config"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=choose_config,
        help="Read FILE instead of the configuration directory's config.toml.",
    ),
]


@click.command(
    epilog=_EPILOG,
    short_help="Download each URL; meant when no command is named.",
    params=[
        click.Argument(["urls"], metavar="[URL]...", nargs=-1),
        *_TARGET,
        *_MANY,
        *PACE,
        *ASKING,
        *NETWORK,
        *MEASURING,
        *TALKING,
    ],
)
@click.pass_context
def get(ctx: click.Context, /, urls: tuple[str, ...], **params: Any) -> int:
    """Download each URL, over many connections, and go on where an earlier run stopped.

    [1-9], [001-100], [a-z:2] and {a,b} in a URL stand for many, as in curl.
    """
    from penstock.cli.many import run_many
    from penstock.cli.measuring import measured
    from penstock.cli.request import build_limits, build_many, build_request
    from penstock.cli.run import run

    if not urls and not params["lists"]:
        raise click.UsageError("give a URL, or a list with -i", ctx)
    level = level_of_detail(params)
    params["user"] = with_password(params["user"])
    shown = {"level": level, "json": params["json"], "insecure": params["insecure"], "stats": params["stats"]}
    if params["dry_run"]:
        from penstock.cli.dry_run import dry_run

        return dry_run(ctx, urls, params, level=level)
    try:
        if is_one(urls, params):
            request = build_request(one_url(urls[0], params), params)
            return measured(params, lambda: run(request, limits=build_limits(params), **shown))
        job = build_many(urls, params)
        return measured(params, lambda: run_many(job, **shown))
    except InvalidRequest as error:
        raise click.UsageError(error.message, ctx) from error


def is_one(urls: Sequence[str], params: dict[str, Any]) -> bool:
    """True when exactly one file is asked for, by its URL alone; raises InvalidRequest for a bad range."""
    if len(urls) != 1 or params["lists"] or params["manifest"] is not None or params["template"] is not None:
        return False
    return params["no_glob"] or not any(mark in urls[0] for mark in "[]{}\\") or _matches(urls[0]) == 1


def one_url(url: str, params: dict[str, Any]) -> str:
    """The URL that `url` stands for."""
    if params["no_glob"] or not any(mark in url for mark in "[]{}\\"):
        return url
    from penstock.core.globs import parse_glob

    return next(iter(parse_glob(url))).url


def _matches(url: str) -> int:
    from penstock.core.globs import parse_glob

    return parse_glob(url).count


def level_of_detail(params: dict[str, Any]) -> int:
    """How much is printed for people, as `messages` counts it; with ``--json`` little, unless ``-v`` asks."""
    quiet, verbose = params["quiet"], params["verbose"]
    if quiet and verbose:
        raise click.UsageError("-q and -v exclude each other")
    if quiet or (params["json"] and not verbose):
        return 0
    return 1 + min(int(verbose), 2)


def with_password(user: str | None) -> str | None:
    """``USER:PASSWORD``, asking on the terminal for a missing password; raises click.UsageError without one."""
    if user is None or ":" in user:
        return user
    if not sys.stdin or not sys.stdin.isatty():
        raise click.UsageError("-u has no password, and there is no terminal to ask on; give USER: for none")
    from getpass import getpass

    from penstock.core.urls import escape

    try:
        return f"{user}:{getpass(f'Password for {escape(user)}: ')}"
    except EOFError as error:
        raise click.UsageError("no password was given") from error
