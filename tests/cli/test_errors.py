"""Each error that a person meets is one line that says what is wrong, where, and what to do next: on real servers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import environment
from tests.engine.helpers import soundly
from tests.security.test_transport import certificate
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request
from tests.servers.nginx import free_port
from tests.servers.proxy import Proxy

CONTENT = Content(300_000)
Script = Callable[[Request, Reply], None]


def run(*words: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "penstock", *words],
        cwd=directory,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def complaint(*words: str, directory: Path, code: int = 1, **variables: str) -> str:
    """The one line of an error."""
    done = run(*words, directory=directory, **variables)
    assert done.returncode == code, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("penstock: ")
    return line


def answering(status: int, **headers: str) -> Script:
    return lambda _request, reply: reply.become(
        status, {name.replace("_", "-"): each for name, each in headers.items()}
    )


def behaving(**changes: object) -> Script:
    def script(_request: Request, reply: Reply) -> None:
        for name, value in changes.items():
            setattr(reply, name, value)

    return script


def changing() -> Script:
    def script(request: Request, reply: Reply) -> None:
        reply.headers["ETag"] = f'"{request.number}"'
        reply.close_after = 100_000

    return script


#: What the server does, options, what is said of it, and what to do.
SERVERS: list[tuple[Script, list[str], str, str]] = [
    (answering(401), [], "HTTP 401", "give -u user:password or --netrc"),
    (answering(401), ["-u", "a:b"], "HTTP 401", "check the user name and the password"),
    (answering(403), [], "HTTP 403", "a login (-u), a cookie (-b) or a referer (-e)"),
    (answering(404), [], "HTTP 404", "check the URL"),
    (answering(405), [], "HTTP 405", "check the URL"),
    (answering(410), [], "HTTP 410", "look for it elsewhere"),
    (answering(414), [], "HTTP 414", "look for a shorter one"),
    (answering(416), [], "HTTP 416", "try again later"),
    (answering(429), ["--max-tries", "1"], "HTTP 429", "ask for less at once (-x 1)"),
    (answering(500), ["--max-tries", "1"], "HTTP 500", "try again later"),
    (answering(503, Retry_After="7200"), [], "HTTP 503", "come back in 2 hours"),
    (answering(503, Retry_After="60"), ["--deadline", "5"], "deadline of 5 s", "give more with --deadline"),
    (behaving(silent=True), ["--stall-timeout", "0.3", "--max-tries", "1"], "no answer in time", "--stall-timeout"),
    (behaving(silent=True), ["--deadline", "0.5"], "not done within 0.5 s", "give more with --deadline"),
    (behaving(refuse=True), ["--max-tries", "1"], "the connection broke", "try again later"),
    (behaving(raw=b"SSH-2.0-x\r\n"), ["--max-tries", "1"], "does not speak HTTP", "check that the URL's port"),
    (lambda _, reply: reply.redirect("/a"), ["--max-redirs", "1"], "more than 1 redirects", "--max-redirs"),
    (changing(), [], "keeps changing on the server", "try again later"),
    (soundly, ["--max-size", "1K"], "larger than --max-size of 1024 bytes", "give more"),
    (soundly, ["--checksum", f"md5:{'0' * 32}"], "the bytes are kept in a.corrupt", "check the checksum at its source"),
    (soundly, ["-o", "there"], "there exists", "choose --if-exists"),
    (soundly, ["-o", "n" * 300], "the name is too long", "give another one with -o"),
]


@pytest.mark.parametrize(("script", "options", "what", "todo"), SERVERS, ids=[each[2][:24] for each in SERVERS])
def test_what_the_server_does(
    fault_server: FaultServer, tmp_path: Path, script: Script, options: list[str], what: str, todo: str
) -> None:
    (tmp_path / "there").touch()
    url = fault_server.serve("/a", CONTENT)
    fault_server.script = script
    code = 3 if "name is too long" in what else 1
    line = complaint("-q", url, *options, directory=tmp_path, code=code)
    assert what in line
    assert todo in line
    assert url in line or "there" in line or "nnn" in line, "where"


def test_who_cannot_be_reached_is_told(tmp_path: Path) -> None:
    once = ("-q", "--max-tries", "1", "--connect-timeout", "5")
    line = complaint(*once, f"http://127.0.0.1:{free_port()}/x", directory=tmp_path)
    assert "connection refused; check host and port" in line
    line = complaint(*once, "http://no-such-host.invalid/x", directory=tmp_path)
    assert "could not be resolved" in line
    assert "; check the name, and that this machine is online" in line


@pytest.mark.parametrize(
    ("days", "name", "is_trusted", "todo"),
    [
        (9, "IP:127.0.0.1", False, "--cacert FILE trusts another authority"),
        (9, "DNS:other.example", True, "check the host in the URL: the certificate is for another one"),
        (-1, "IP:127.0.0.1", True, "check the clock of this machine; if it is right, the server needs a new one"),
    ],
    ids=["unknown authority", "another host", "expired"],
)
def test_a_certificate_is_told_with_what_is_wrong_with_it(
    tmp_path: Path, days: int, name: str, is_trusted: bool, todo: str
) -> None:
    with FaultServer(context=certificate(tmp_path / "home", days=days, name=name)) as server:
        trust = ["--cacert", str(tmp_path / "home" / "cert.pem")] if is_trusted else []
        line = complaint("-q", server.serve("/a", CONTENT), *trust, directory=tmp_path)
    assert "the server's certificate is not to be trusted" in line
    assert todo.replace("a new one", "a new certificate") in line


def test_a_file_without_authorities_is_told(fault_server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    url = fault_server.url("/a").replace("http:", "https:")
    line = complaint("-q", "--cacert", "ca.pem", url, directory=tmp_path)
    assert "ca.pem" in line
    assert "; check the file of --cacert" in line


@pytest.mark.parametrize("kind", ["http", "socks5h"])
@pytest.mark.parametrize("way", ["option", "variable"])
def test_it_is_the_proxy_that_is_down(fault_server: FaultServer, tmp_path: Path, kind: str, way: str) -> None:
    url = fault_server.serve("/a", CONTENT)
    proxy = f"{kind}://us:pw-S3CRET@127.0.0.1:{free_port()}"
    words = ["--proxy", proxy] if way == "option" else []
    named = proxy if way == "variable" else ""
    line = complaint("-q", "--max-tries", "1", url, *words, directory=tmp_path, NO_PROXY="", http_proxy=named)
    assert f"could not connect to the proxy {proxy.replace('us:pw-S3CRET@', '')}: connection refused" in line
    assert "; check --proxy, or http_proxy and https_proxy in the environment" in line
    assert "S3CRET" not in line
    assert fault_server.connections == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_login_is_told_how_to_be_given_it(
    fault_server: FaultServer, tmp_path: Path, scheme: str
) -> None:
    url = fault_server.serve("/a", CONTENT).replace("http:", f"{scheme}:")
    with Proxy("http", user="a:b") as proxy:
        words = ("-q", url, "--proxy", f"http://127.0.0.1:{proxy.port}")
        line = complaint(*words, directory=tmp_path, NO_PROXY="")
        assert proxy.refused == 1, "asking again does not help"
    assert "HTTP 407" in line
    assert "--proxy http://user:password@host:port" in line


#: What is typed, and what is said of it; DIR is a directory.
TYPED = [
    (["-i", "nowhere"], "-i nowhere: there is no such file; name a list, or - for stdin"),
    (["-i", "folder"], "-i folder: that is a directory; name a list, or - for stdin"),
    (["get"], "give a URL, or a list with -i"),
    (["staus", "x"], "there is no command 'staus'; did you mean 'status'?"),
    (["Verify", "x"], "there is no command 'Verify'; did you mean 'verify'?"),
    (["--cheksum", "x", "https://e.org/"], "'--checksum'"),
    (["nonsense"], "nonsense: not a URL; write https://HOST/PATH"),
    (["http:///x"], "the URL has no host; write https://HOST/PATH"),
    (["http://127.0.0.1:99999/"], "a malformed host or port; write https://HOST:PORT/PATH"),
    (["http://e.org/{a"], "(--no-glob takes it as it is)"),
    (["--proxy", "ftp://h", "https://e.org/"], "a proxy is one of http, https, socks4"),
    (["status", "nowhere"], "no such manifest (that is DIR.penstock, beside the directory of a list)"),
    (["--config", "nowhere", "https://e.org/"], "name a configuration file, or give --no-config"),
    (["completion", "csh"], "'bash', 'zsh', 'fish'"),
]


@pytest.mark.parametrize(("words", "said"), TYPED, ids=[" ".join(words)[:24] for words, _ in TYPED])
def test_what_is_typed(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "folder").mkdir()
    line = complaint(*words, directory=tmp_path, code=2)
    assert said in line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "folder"], "folder is a directory; give the file another name with -o"),
        (["-d", "file"], "file: a part of the path is not a directory; choose another one with -d"),
        (["-d", "file/below"], "a part of the path is not a directory; choose another one with -d"),
    ],
)
def test_where_nothing_can_be_written(fault_server: FaultServer, tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    line = complaint("-q", fault_server.serve("/a", CONTENT), *words, directory=tmp_path, code=3)
    assert said in line


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nobody can make a directory in /proc")
def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    line = complaint("-q", "http://127.0.0.1:1/a", "-d", "/proc/nowhere", directory=tmp_path, code=3)
    assert line == "penstock: /proc/nowhere: it cannot be made; choose another directory with -d"


def test_no_word_that_could_be_a_host_is_taken_for_a_command(tmp_path: Path) -> None:
    for word in ("status.example.invalid", "localhost:1"):
        assert "command" not in complaint("-q", "--max-tries", "1", word, directory=tmp_path)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no directory in which nothing can be made")
@pytest.mark.parametrize("words", [["-o", "/proc/x"], ["-d", "/proc"], ["--dry-run", "-o", "/proc/x"]])
def test_a_directory_in_which_no_file_can_be_made(fault_server: FaultServer, tmp_path: Path, words: list[str]) -> None:
    """The system says there "no such file" of a file that is to be made: once it was tried without end."""
    url = fault_server.serve("/x", CONTENT)
    line = complaint(*words, url, directory=tmp_path, code=3)
    assert "/proc" in line
    assert line.endswith("no file can be made there; choose another directory with -d")


def test_a_list_whose_i_was_forgotten(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("https://example.org/a\n")
    for words in (["list.txt"], ["list.txt", "https://example.org/b"]):
        line = complaint("-d", "data", *words, directory=tmp_path, code=2)
        assert "list.txt is a file here; for the URLs in it write -i list.txt" in line
