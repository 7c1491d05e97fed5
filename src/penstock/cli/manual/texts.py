"""What no option says of itself: files, variables, examples. By the command's name; `GROUP` is the command's own."""

from __future__ import annotations

from typing import Final, NamedTuple

GROUP: Final = "penstock"


class Entry(NamedTuple):
    """A term and what it means."""

    term: str
    words: str


#: A heading stands before the option of this name.
HEADINGS: Final = {
    "output": "The target",
    "accept": "What is taken",
    "lists": "Many files",
    "max_connections": "Connections and patience",
    "header": "Who asks",
    "proxy": "The way to the server",
    "trace": "What is kept of how it went",
    "json": "What is printed, and defaults",
}
#: Commands whose options are worth headings.
LONG: Final = frozenset({"get", "page"})
#: The section that a paragraph of a command's text belongs to, by its first words.
SECTIONS: Final = {
    "LIST has": "LISTS",
    "With -i,": "LISTS",
    "--template fields": "TEMPLATES",
    "--json prints": "JSON LINES",
    "With --dry-run,": "JSON LINES",
    "--dry-run asks": "DRY RUN",
    "For the shell": "SETTING IT UP",
}

_PROXIES: Final = (
    Entry("http_proxy, https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY", "The proxy for URLs of a kind, and for all. "
          "HTTP_PROXY is not read: in a CGI program a client sets it."),
    Entry("no_proxy, NO_PROXY", "Hosts that are asked without a proxy, separated by commas; * for all."),
)  # fmt: skip
_SHOWN: Final = (
    Entry("NO_COLOR", "Set to anything: show progress without colour."),
    Entry("TERM", "dumb or unknown: show progress as plain lines."),
)
_CONFIG_HOME: Final = Entry("XDG_CONFIG_HOME", "Where the configuration directory is; ~/.config without (Linux).")

#: Variables besides those that options name.
ENVIRONMENT: Final[dict[str, tuple[Entry, ...]]] = {
    "get": (*_PROXIES, *_SHOWN, _CONFIG_HOME),
    "page": (*_PROXIES, *_SHOWN, _CONFIG_HOME),
    "doctor": (
        Entry("PENSTOCK_PROXY, http_proxy, https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY",
              "The proxies that are looked at."),
        _CONFIG_HOME,
    ),
    "completion": (Entry("_PENSTOCK_COMPLETE", "What a shell sets to ask how a word may go on; bash_source, "
                         "zsh_source and fish_source print the script too."),),
}  # fmt: skip

_CONFIG: Final = Entry(
    "~/.config/penstock/config.toml",
    "Defaults for options: a key is an option's long name without its dashes, as in max-connections = 16. What makes a "
    "run unsafe, and secrets, are refused. The path is that of Linux; penstock doctor prints that of this system.",
)
_MANIFEST: Final = Entry(
    "DIR.penstock",
    "The manifest of a list's run, beside the directory: how each file ended, in SQLite. The same command again "
    "fetches only what is missing.",
)
FILES: Final[dict[str, tuple[Entry, ...]]] = {
    GROUP: (_CONFIG, _MANIFEST),
    "get": (
        Entry("NAME.part", "The bytes so far. It becomes NAME when everything is there and checked."),
        Entry("NAME.part.journal", "Which of them are on the disk for certain, and of what. Both vanish at the end; "
              "until then the same command goes on from them."),
        Entry("NAME.corrupt", "Bytes that do not have the digest that was expected."),
        _MANIFEST,
        _CONFIG,
        Entry("~/.netrc", "Logins by host, with -n."),
    ),
    "page": (_CONFIG,),
    "status": (_MANIFEST,),
    "verify": (_MANIFEST,),
    "doctor": (_CONFIG,),
}  # fmt: skip

#: A command, and what it is for.
EXAMPLES: Final[dict[str, tuple[Entry, ...]]] = {
    GROUP: (
        Entry("penstock https://example.org/big.iso", "Fetch a file; again after any interruption."),
        Entry("penstock -d data -i list.txt", "Fetch what a list names."),
        Entry("penstock status data.penstock", "See how that ended."),
    ),
    "get": (
        Entry("penstock get -x 16 -o ubuntu.iso https://example.org/big.iso", "At most 16 connections, another name."),
        Entry("penstock get --dry-run https://example.org/big.iso", "What would be done?"),
        Entry("penstock get -d data 'https://example.org/img[001-100].jpg'", "A hundred files."),
        Entry("penstock get -d data -i list.csv --url-column link -j 64", "A table's files, 64 at a time."),
        Entry("penstock get --limit-rate 2M https://example.org/big.iso", "Slowly."),
        Entry("penstock get --json -q https://example.org/big.iso", "For a program: one event a line."),
    ),
    "page": (
        Entry("penstock page https://example.org/gallery.html -d pictures", "What a page shows and links to."),
        Entry("penstock page https://example.org/ --accept 'image/*' --dry-run",
              "Which pictures are there?"),
    ),
    "status": (
        Entry("penstock status data.penstock", "Counts, and the reasons of failures by host."),
        Entry("penstock status data.penstock --export csv --state failed", "Every row that failed."),
    ),
    "verify": (Entry("penstock verify data.penstock", "Is anything missing or changed?"),),
    "doctor": (
        Entry("penstock doctor", "What a bug report needs."),
        Entry("penstock doctor -d /mnt/data --json", "Can that disk do everything? For a program."),
    ),
    "completion": (
        Entry("penstock completion bash", "For bash; see SETTING IT UP."),
    ),
}  # fmt: skip
