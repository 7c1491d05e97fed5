"""S01, S02, S03, S11, S25: names that strangers choose stay in their place, and no terminal obeys what they say."""

from __future__ import annotations

import csv
import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import penstock
from tests.cli.command import environment
from tests.cli.command import penstock as run
from tests.engine.helpers import fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

SMALL = Content(300, seed=1)
NAMES = [
    *[
        "../x",
        "../../x",
        "/etc/x",
        "..\\x",
        "C:\\x",
        "\\\\host\\share\\x",
        "%2e%2e%2fx",
        "..%2fx",
        "x%00.txt",
        "..",
        ".",
    ],
    *[".", ".bashrc", "..bashrc", ".ssh/authorized_keys", "x.part", "x.part.journal", "x.PART.journal~"],
    *["x.penstock", "x.penstock-wal", "x.penstock-journal", "x.penstock.lock", "x.corrupt", "~", "-rf", "x" * 500],
    *["CON", "nul.txt", "aux", "COM1.log", "a:b", "a.", "a ", "a. ."],
    *["\u202egpj.exe", "a\u200bb", "\ufeffx", "\x1b]0;evil\x07x", "\x9b31mx", "\u2025/x", "\uff0e\uff0e\uff0fx"],
]
#: What a terminal obeys, or what turns text around.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


#: Names that Windows keeps for devices, and what our own working files end in.
UNSAFE = re.compile(
    r"(?i)\..*|(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*[ .]|.*[<>:\"|?*\\/].*"
    r"|.*\.(part|journal|journal~|corrupt|penstock|penstock-(wal|shm|journal)|penstock\.lock)"
)


def assert_contained(home: Path, directory: Path) -> None:
    """Everything is in `directory`, and has a name that is safe everywhere."""
    outside = [path for path in home.rglob("*") if path != directory and directory not in path.parents]
    assert [path for path in outside if path.suffix not in {".txt", ".penstock"}] == []
    for path in directory.rglob("*"):
        assert not UNSAFE.fullmatch(path.name), path.name
        assert not OBEYED.search(path.name)
        assert len(path.name.encode()) <= 240


@pytest.mark.parametrize("name", NAMES)
def test_S01_S02_S25_a_disposition_names_nothing_outside_or_of_ours(
    fault_server: FaultServer, tmp_path: Path, name: str
) -> None:
    url = fault_server.serve("/a", SMALL)
    encoded = "".join(f"%{byte:02x}" for byte in name.encode("utf-8"))

    def script(request: Request, reply: Reply) -> None:
        plain = name.encode("utf-8").decode("latin-1").replace("\\", "\\\\").replace("\x00", "")
        fields = [f"attachment; filename*=UTF-8''{encoded}", f'attachment; filename="{plain}"']
        reply.headers["Content-Disposition"] = fields[request.path == "/b"]

    fault_server.script = script
    fault_server.serve("/b", SMALL)
    directory = tmp_path / "deep" / "d"
    for each in (url, fault_server.url("/b")):
        fetch(each, directory, if_exists="rename").done()
    assert_contained(tmp_path / "deep", directory)
    assert len(list(directory.iterdir())) == 2


def test_S01_S02_S25_no_url_or_list_names_anything_outside_or_of_ours(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    fault_server.script = lambda _request, reply: reply.become(200, {}, b"x")
    lines = []
    for number, name in enumerate(NAMES):
        escaped = "".join(f"%{byte:02x}" for byte in name.encode("utf-8"))
        lines += [fault_server.url(f"/{number}/{escaped}"), fault_server.url(f"/{number}/x"), f"  out={name}",
                  fault_server.url(f"/{number}/y"), f"  dir={name}"]  # fmt: skip
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "l.txt").write_text("\n".join(lines))
    where = ["-i", str(tmp_path / "deep" / "l.txt"), "-d", str(tmp_path / "deep" / "d")]
    told = run(*where, "--template", "{path}/{name}")
    assert told.returncode in {0, 1}
    assert not OBEYED.search(told.stderr)
    assert_contained(tmp_path / "deep", tmp_path / "deep" / "d")
    assert len([path for path in (tmp_path / "deep" / "d").rglob("*") if path.is_file()]) > len(NAMES)


def test_S03_a_redirect_gives_no_name(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.serve("/.bashrc", SMALL)
    fault_server.script = lambda request, reply: reply.redirect("/.bashrc") if request.path == "/a" else None
    assert fetch(fault_server.url("/a"), tmp_path).done().path.name == "a"


EVIL = "\x1b[31m\x1b]0;owned\x07\x9b2J\u202etxt.exe"
SENT = EVIL.encode("utf-8").decode("latin-1")


def misbehave(server: FaultServer, how: str) -> str:
    """Let everything that the server says be poison; the URL to ask for."""
    content = Content(3_000_000, seed=3)
    url = server.serve("/a", content)

    def script(request: Request, reply: Reply) -> None:
        if how == "status":
            reply.become(404, {"X": SENT}, EVIL.encode())
        elif how == "redirect":
            reply.redirect(f"ftp://{SENT}/{SENT}")
        elif how == "name":
            reply.headers["Content-Disposition"] = f'attachment; filename="{SENT}"'
        elif how == "reason":
            reply.raw = f"HTTP/1.1 403 {SENT}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
        elif how == "garbage":
            reply.raw = SENT.encode("latin-1") * 3
        else:
            reply.rate = 5e6
            reply.headers["ETag"] = f'"{request.number}\x9b31m{SENT}"' if how == "etag" else ""
            reply.headers["Last-Modified"] = f"{request.number}{SENT}"

    server.script = script
    return url


@pytest.mark.parametrize("how", ["status", "redirect", "name", "reason", "garbage", "etag", "date"])
def test_S11_nothing_that_a_server_says_reaches_the_terminal_raw(
    fault_server: FaultServer, tmp_path: Path, how: str
) -> None:
    url = misbehave(fault_server, how)
    (tmp_path / "l").write_text(f"{url}\n")
    for number, words in enumerate([["-vv", "--json", url], ["-vv", "-i", str(tmp_path / "l")]]):
        told = run(*words, "-d", str(tmp_path / f"d{number}"), "--max-tries", "1")
        assert not OBEYED.search(told.stdout + told.stderr), repr(told.stdout + told.stderr)
    for manifest in tmp_path.glob("*.penstock"):
        for words in (["status"], ["status", "--export", "csv"]):
            told = run(*words, str(manifest))
            assert not OBEYED.search(told.stdout + told.stderr)
    story = fetch(url, tmp_path / "api", max_tries=1)
    assert not OBEYED.search(str(story.error))


def test_S11_what_a_crafted_manifest_says_is_escaped(fault_server: FaultServer, tmp_path: Path) -> None:
    import sqlite3

    with penstock.Downloader() as downloader:
        url = fault_server.serve("/a", SMALL)
        downloader.submit_many([url], directory=tmp_path / "d", manifest=tmp_path / "m.penstock").result()
    db = sqlite3.connect(tmp_path / "m.penstock")
    db.execute("UPDATE file SET url = ?1, target = ?1, message = ?1, reason = ?1, validator = ?1", (EVIL,))
    db.execute("UPDATE origin SET name = ?", (EVIL,))
    db.commit()
    for state, words in ((1, ["verify"]), (2, ["status"]), (2, ["status", "--export", "json"])):
        db.execute("UPDATE file SET state = ?", (state,))
        db.commit()
        told = run(*words, str(tmp_path / "m.penstock"))
        assert not OBEYED.search(told.stdout + told.stderr)
    db.close()
    exported = list(csv.DictReader(io.StringIO(run("status", "--export", "csv", str(tmp_path / "m.penstock")).stdout)))
    assert exported[0]["url"].startswith("\\x1b[31m")


def test_S11_the_live_line_on_a_terminal_shows_no_name_raw(fault_server: FaultServer, tmp_path: Path) -> None:
    url = misbehave(fault_server, "name")
    script = fault_server.script

    def slowly(request: Request, reply: Reply) -> None:
        script(request, reply)
        reply.rate = 4e6

    fault_server.script = slowly
    ours, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "penstock", url, "-d", str(tmp_path)],
        env=environment(TERM="xterm", COLUMNS="100"), stdin=terminal, stdout=terminal, stderr=terminal,
    ) as process:  # fmt: skip
        os.close(terminal)
        shown = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:
                break
            if not block:
                break
            shown += block
        assert process.wait(30) == 0
    os.close(ours)
    assert b"owned\x07" not in shown
    assert "\u202e".encode() not in shown
    assert b"\x1b]0;" not in shown
