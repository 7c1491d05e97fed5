"""Lists and pages as they come in the world, by the command: real processes, whole files compared."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_download import command, penstock
from tests.cli.test_many import assert_all, penstock_command, serve
from tests.conftest import sha256
from tests.engine.helpers import become
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

MIB = 1024 * 1024


def test_F50_a_list_with_everything_wrong_with_it(fault_server: FaultServer, tmp_path: Path) -> None:
    """BOM, CRLF, blanks, comments, spaces in and around a URL, bytes that are no text, and lines that are no URL."""
    files = serve(fault_server, 3)
    spaced = Content(3000, seed=9)
    fault_server.serve("/with%20space.bin", spaced)
    urls = list(files)
    lines = [
        b"\xef\xbb\xbf" + urls[0].encode(),
        b"",
        b"# a comment",
        b"   # another",
        b"  \t ",
        urls[1].encode() + b"  ",
        b"not a url",
        b"ftp://e.org/a",
        b"\xff\xfe" + urls[2].encode(),
        fault_server.url("/with space.bin").encode(),
        b"http://e.org:port/",
        urls[2].encode(),
    ]
    (tmp_path / "list").write_bytes(b"\r\n".join(lines))
    done = penstock("-i", "list", "-d", "d", directory=tmp_path)
    assert done.returncode == 1
    assert [int(number) for number in re.findall(r"line (\d+):", done.stderr)] == [7, 8, 9, 11]
    assert_all(tmp_path / "d", files)
    assert sha256(tmp_path / "d" / "with space.bin") == spaced.sha256
    assert len(list((tmp_path / "d").iterdir())) == 4


def test_F51_names_that_differ_in_case_only_are_told_apart(fault_server: FaultServer, tmp_path: Path) -> None:
    urls = [fault_server.serve(f"/{name}", Content(500, seed=len(name))) for name in ("a.bin", "A.bin", "A.BIN")]
    for _ in range(2):
        assert penstock("-q", "--if-exists", "skip", *urls, urls[0], "-d", "d", directory=tmp_path).returncode == 0
        names = sorted(path.name for path in (tmp_path / "d").iterdir())
        assert len({name.casefold() for name in names}) == len(names) == 3
    assert len(fault_server.log) == 3


def test_F57_a_list_slower_than_its_downloads_is_fetched_as_it_comes(fault_server: FaultServer, tmp_path: Path) -> None:
    files = serve(fault_server, 4)
    process = subprocess.Popen(
        command("-q", "-i", "-", "-d", "d"), cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    for number, url in enumerate(files):
        process.stdin.write(url + "\n")
        process.stdin.flush()
        # a row is complete when the next one begins: options may follow its line
        fault_server.wait_for(lambda number=number: fault_server.bytes_sent >= 3000 * number)  # type: ignore[misc]
    _, errors = process.communicate(timeout=30)  # closes the list: it ends when the list ends
    assert (process.returncode, errors) == (0, "")
    assert_all(tmp_path / "d", files)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_F57_an_endless_list_ends_when_it_is_told_to(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(100)

    def script(_request: Request, reply: Reply) -> None:
        reply.become(200, {"Content-Type": "application/octet-stream"}, content.read(0, 100))

    fault_server.script = script
    program = f"n=0; while :; do echo {fault_server.url('/')}$n.bin; n=$((n+1)); done"
    lines = subprocess.Popen(["sh", "-c", program], stdout=subprocess.PIPE)
    process = subprocess.Popen(
        command("-i", "-", "-d", "d"), cwd=tmp_path, stdin=lines.stdout, stderr=subprocess.PIPE, text=True
    )
    assert lines.stdout is not None
    lines.stdout.close()
    try:
        fault_server.wait_for(lambda: len(fault_server.log) > 50)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        lines.kill()
        lines.wait()
    assert process.returncode == 130
    assert "the same command goes on" in errors
    assert len(list((tmp_path / "d").glob("*.bin"))) > 10


def serve_page(server: FaultServer, pages: dict[str, Callable[[Reply], None]]) -> None:
    def script(request: Request, reply: Reply) -> None:
        if request.path in pages:
            pages[request.path](reply)

    server.script = script


BROKEN = """<html><base href=/files/><base href=/wrong/><title>без конца</title>
<p><b><table><div><img src="\u044f.jpg" alt='<img src=no.jpg>'>
<img srcset="a,b.jpg 1x, c.jpg 2x, data:image/png;base64,AA== 3x"><IMG SRC='data:image/gif;base64,R0lG'>
<a href="javascript:alert(1)">x<a href=' d.pdf
'><a href="mailto:a@b.c"><script>document.write("<img src=no2.jpg>")</script><!-- <img src=no3.jpg>
--><img src="http://[bad/no.jpg"><img src=//127.0.0.1:PORT/files/e.jpg?x=1&amp;y=2><![CDATA[<img src=f.jpg"""


def test_F58_a_broken_page_behind_a_redirect_in_another_charset(fault_server: FaultServer, tmp_path: Path) -> None:
    body = BROKEN.replace("PORT", str(fault_server.port)).encode("windows-1251")
    kind = {"Content-Type": "text/html; charset=utf-8"}
    named = {"Content-Type": "text/html; charset=windows-1251"}
    for headers, name in ((named, "%D1%8F.jpg"), (kind, "%EF%BF%BD.jpg")):
        serve_page(
            fault_server,
            {
                "/start": lambda reply: become(reply, 302, Location="/dir/page.html"),
                "/dir/page.html": lambda reply, headers=headers: reply.become(200, headers, body),  # type: ignore[misc]
            },
        )
        listed = penstock_command("page", fault_server.url("/start"), "--dry-run", directory=tmp_path)
        assert listed.returncode == 0, listed.stderr
        expected = [name, "c.jpg", "d.pdf", "e.jpg?x=1&y=2"]
        assert listed.stdout.split() == [fault_server.url(f"/files/{each}") for each in expected]
    assert list(tmp_path.iterdir()) == []


def test_F58_a_huge_page_is_read_so_far_and_no_further(fault_server: FaultServer, tmp_path: Path) -> None:
    content = Content(1000)
    fault_server.serve("/a.jpg", content)
    filler = b" " * (64 * MIB)

    def huge(reply: Reply) -> None:
        reply.become(200, {"Content-Type": "text/html"}, b"<img src=/a.jpg>" + filler)

    serve_page(fault_server, {"/huge.html": huge})
    done = penstock_command("page", fault_server.url("/huge.html"), "-d", "p", directory=tmp_path)
    assert done.returncode == 1
    assert "only its first 100,000 links and 16 MiB were looked at" in done.stderr
    assert sha256(tmp_path / "p" / "a.jpg") == content.sha256
    assert fault_server.bytes_sent < 40 * MIB
