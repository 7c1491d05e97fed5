"""F58, S18: ``penstock page`` from end to end, over real sockets: which requests it makes, and which it does not."""

from __future__ import annotations

import base64
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.cli import main
from tests.conftest import sha256
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

SAVED = Path(__file__).parents[1] / "pages" / "saved"
HTML = {"Content-Type": "text/html"}
Run = Callable[..., tuple[int, str]]


class Site:
    """Two origins. What is not a page of `pages` is a file of its own."""

    def __init__(self, here: FaultServer, there: FaultServer) -> None:
        self.here = here
        self.there = there
        self.pages: dict[str, bytes] = {}
        self.robots = b""
        #: Called after, to misbehave.
        self.script: Callable[[Request, Reply], None] = lambda _request, _reply: None
        here.script = there.script = self._answer

    def _answer(self, request: Request, reply: Reply) -> None:
        if request.path == "/robots.txt":
            reply.become(200 if self.robots else 404, {"Content-Type": "text/plain"}, self.robots)
        elif request.path in self.pages:
            reply.become(200, dict(HTML), self.pages[request.path])
        else:
            reply.become(200, {"Content-Type": "image/png", "ETag": '"1"'}, request.path.encode())
        self.script(request, reply)

    def url(self, path: str = "/index.html") -> str:
        return self.here.url(path)

    @property
    def requests(self) -> list[str]:
        """The URLs that were asked for, sorted."""
        return sorted(server.url(request.path) for server in (self.here, self.there) for request in server.log)


@pytest.fixture
def site() -> Iterator[Site]:
    with FaultServer() as here, FaultServer() as there:
        yield Site(here, there)
    assert not [*here.errors, *there.errors]


def page(*arguments: str, directory: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "penstock", "page", *arguments]
    environment = {**os.environ, "NO_PROXY": "*", "XDG_CONFIG_HOME": os.devnull, **changes}
    return subprocess.run(
        command, cwd=directory, env=environment, check=False, capture_output=True, text=True, timeout=60
    )


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize(("name", "path"), [("gallery", "/2024/story"), ("market", "/2024/page/index.html")])
def test_a_saved_page_makes_exactly_the_expected_requests(site: Site, tmp_path: Path, name: str, path: str) -> None:
    def local(text: bytes) -> bytes:
        hosts = {b"https://static.news.example": site.here.url(""), b"https://img.news.example": site.there.url("")}
        for host, place in hosts.items():
            text = text.replace(host, place.encode())
        return text

    site.pages[path] = local((SAVED / f"{name}.html").read_bytes())
    lines = local((SAVED / f"{name}.txt").read_bytes()).decode().splitlines()
    files = [line for line in lines if not line.startswith("page ")]
    done = page(site.url(path), "-d", "d", "--manifest", "m", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    own = [site.url(path), site.here.url("/robots.txt"), site.there.url("/robots.txt")]
    assert site.requests == sorted([*files, *own])
    assert len(names(tmp_path / "d")) == len(files)
    # once more, and only what cannot be known is asked for
    asked = len(site.requests)
    again = page(site.url(path), "-d", "d", "--manifest", "m", directory=tmp_path)
    assert again.returncode == 0, again.stderr
    assert len(site.requests) - asked == len(own)


def test_what_belongs_to_one_origin_is_sent_to_no_other(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = f"<img src=a.png><img src={site.there.url('/b.png')}><a href=/next>".encode()
    site.pages["/next"] = b"<img src=c.png>"
    given = ["-u", "me:pass w:ord", "-H", "X-Secret: s", "-b", "k=v"]
    done = page(site.url(), "-d", "d", "--depth", "2", *given, directory=tmp_path)
    assert done.returncode == 0, done.stderr
    basic = "Basic " + base64.b64encode(b"me:pass w:ord").decode()
    for request in site.here.log:
        secrets = (request.headers.get("authorization"), request.headers.get("x-secret"), request.headers.get("cookie"))
        assert secrets == (basic, "s", "k=v"), request.path
    assert len(site.there.log) == 2
    for request in site.there.log:
        assert not {"authorization", "x-secret", "cookie"} & request.headers.keys()
    assert "pass" not in page(site.url(), "--dry-run", *given, directory=tmp_path).stdout


def test_a_password_in_the_url_is_for_its_origin(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = b"<img src=a.png>"
    done = page(site.url().replace("//", "//me:pw@"), "-d", "d", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all("authorization" in request.headers for request in site.here.log)


@pytest.mark.parametrize(
    ("status", "robots", "allowed"),
    [
        (200, b"User-agent: *\nDisallow: /no", True),
        (200, b"User-agent: other\nDisallow: /\nUser-agent: *\nAllow: /", True),
        (200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /a.png", False),
        (200, b"User-agent: *\nAllow: /\n\nUser-agent: Penstock/2.0\nDisallow: /a", False),
        (200, b"User-agent: other\nUser-agent: penstock\nDisallow: /a", False),
        (200, b"User-agent: pen\nDisallow: /", True),
        (200, b"User-agent: *\nDisallow: /" + b"x" * 600_000, True),
        (401, b"", True),
        (403, b"", True),
        (404, b"", True),
        (429, b"", False),
        (503, b"", False),
    ],
)
def test_robots_of_another_origin(site: Site, tmp_path: Path, status: int, robots: bytes, allowed: bool) -> None:
    site.pages["/index.html"] = f"<img src={site.there.url('/a.png')}>".encode()

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/robots.txt" and reply.status == 404 and site.there.log and request in site.there.log:
            reply.become(status, {"Content-Type": "text/plain"}, robots)

    site.script = script
    done = page(site.url(), "-d", "d", directory=tmp_path)
    assert (site.there.url("/a.png") in site.requests) is allowed
    assert done.returncode == (0 if allowed or status == 200 else 1)


def test_robots_that_break_off_forbid_and_the_file_counts_as_failed(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = f"<img src={site.there.url('/a.png')}><img src=b.png>".encode()

    def script(request: Request, reply: Reply) -> None:
        reply.refuse = request in site.there.log

    site.script = script
    done = page(site.url(), "-d", "d", directory=tmp_path)
    assert done.returncode == 1
    assert "robots.txt: gave up" in done.stderr
    assert site.there.url("/a.png") not in site.requests
    assert names(tmp_path / "d") == ["b.png"]


def test_robots_that_redirect_forever_are_none(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = b"<img src=a.png>"

    def script(request: Request, reply: Reply) -> None:
        if request.path.startswith("/robots.txt"):
            reply.redirect("/robots.txt")

    site.script = script
    assert page(site.url(), "-d", "d", directory=tmp_path).returncode == 0
    assert names(tmp_path / "d") == ["a.png"]


def test_silent_origins_are_waited_for_side_by_side(site: Site, tmp_path: Path) -> None:
    with FaultServer() as one, FaultServer() as two, FaultServer() as three:
        silent = (one, two, three)
        for server in silent:
            server.script = lambda _request, reply: setattr(reply, "silent", True)
        pictures = "".join(f"<img src={server.url('/x.png')}>" for server in silent)
        site.pages["/index.html"] = f"{pictures}<img src=a.png>".encode()
        done = page(site.url(), "-d", "d", "--stall-timeout", "2", "--max-tries", "1", directory=tmp_path)
        assert done.returncode == 1
        first = [server.log[0].at for server in silent]
        assert max(first) - min(first) < 1.5
    assert names(tmp_path / "d") == ["a.png"]


def test_crawl_delay_spaces_the_requests(site: Site, tmp_path: Path) -> None:
    site.robots = b"User-agent: *\nCrawl-delay: 0.4\n"
    site.pages["/index.html"] = b"<img src=a.png><img src=b.png><img src=c.png>"
    assert page(site.url(), "-d", "d", directory=tmp_path).returncode == 0
    times = [request.at for request in site.here.log[1:]]
    assert len(times) == 4
    assert all(later - earlier > 0.3 for earlier, later in itertools.pairwise(times))


def test_depth_goes_round_in_circles_once_and_stays_on_the_host(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = f"""<a href=/index.html#x><a href=/two><a href=/away><a href=/file.pdf>
        <a href={site.there.url("/other.html").replace("127.0.0.1", "localhost")}>""".encode()
    site.pages["/two"] = b"<a href=/index.html><a href=/two?><a href=/three><img src=2.png>"
    site.pages["/three"] = b"<a href=/four.html><img src=3.png>"
    site.pages["/four.html"] = b"<img src=4.png>"
    site.pages["/elsewhere"] = b"<img src=never.png><a href=/never.html>"

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/away":
            reply.redirect(site.there.url("/elsewhere").replace("127.0.0.1", "localhost"))

    site.script = script
    done = page(site.url(), "-d", "d", "--depth", "3", directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "d") == ["2.png", "3.png", "file.pdf"]
    paths = [request.path for request in site.here.log]
    assert sorted(paths) == sorted(
        ["/robots.txt", "/index.html", "/two", "/three", "/away", "/file.pdf", "/2.png", "/3.png"]
    )


def test_the_base_is_where_redirects_led(site: Site, tmp_path: Path) -> None:
    site.pages["/deep/er/"] = b"<img src=a.png><a href=/deep/er/next><a href=/start>"
    site.pages["/deep/er/next"] = b"<img src=b.png>"

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/start":
            reply.redirect("/deep/er/")

    site.script = script
    assert page(site.url("/start"), "-d", "d", "--depth", "2", directory=tmp_path).returncode == 0
    assert [request.path for request in site.here.log if request.path != "/robots.txt"][:2] == ["/start", "/deep/er/"]
    assert {request.path for request in site.here.log[3:]} == {"/deep/er/a.png", "/deep/er/next", "/deep/er/b.png"}


def test_names_or_media_types_that_are_accepted(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = b"<img src=a.png><a href=b.pdf><a href=c.zip><img src=d.gif>"

    def script(request: Request, reply: Reply) -> None:
        if request.path.endswith((".pdf", ".zip")):
            reply.headers["Content-Type"] = "application/octet-stream"

    site.script = script
    both = ["--accept", "*.pdf", "--accept", "image/*", "--reject", "*.gif"]
    assert page(site.url(), "-d", "d", *both, directory=tmp_path).returncode == 0
    assert names(tmp_path / "d") == ["a.png", "b.pdf"]
    few = page(site.url(), "-d", "e", "--min-size", "7", directory=tmp_path)
    assert few.returncode == 0
    assert not (tmp_path / "e").exists() or names(tmp_path / "e") == []


def test_a_dry_run_lists_and_fails_as_the_run_would(site: Site, tmp_path: Path) -> None:
    site.robots = b"User-agent: *\nDisallow: /no\n"
    site.pages["/index.html"] = b"<img src=b.png><img src=no.png><img src=b.png#x><a href=/gone><img src=a.png>"

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/gone":
            reply.become(410)

    site.script = script
    listed = page(site.url(), "--dry-run", directory=tmp_path)
    assert (listed.returncode, listed.stdout.split()) == (0, [site.url("/b.png"), site.url("/a.png")])
    assert "left out" in listed.stderr
    assert page(site.url(), "--dry-run", "-q", directory=tmp_path).stderr == ""
    failed = page(site.url(), "--dry-run", "-q", "--depth", "2", directory=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr.count("/gone") == 1
    assert names(tmp_path) == []


def test_links_beyond_the_most_that_are_looked_at_are_a_failure(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = b"<img src=a.png>" + b"".join(b"<a href=/%d>" % number for number in range(100_000))
    done = page(site.url(), "-d", "d", "--accept", "*.png", directory=tmp_path)
    assert done.returncode == 1
    assert "only its first 100,000 links" in done.stderr
    assert names(tmp_path / "d") == ["a.png"]


@pytest.mark.parametrize("option", [["--accept", "image/*"], ["--reject", "image/*"], ["--min-size", "9"]])
def test_a_dry_run_says_what_only_an_answer_could_tell(site: Site, tmp_path: Path, option: list[str]) -> None:
    site.pages["/index.html"] = b"<img src=a.png><a href=b.pdf>"
    listed = page(site.url(), "--dry-run", *option, directory=tmp_path)
    assert "media types and sizes are known only when a file is asked for" in listed.stderr
    named = page(site.url(), "--dry-run", "--accept", "*.pdf", directory=tmp_path)
    assert (named.stdout.split(), named.stderr) == ([site.url("/b.pdf")], "")


def test_the_help_of_page_explains_what_it_refers_to(tmp_path: Path) -> None:
    text = " ".join(page("--help", directory=tmp_path).stdout.split())
    for words in ("SIZE and RATE are", "Exit codes: 0 done", "penstock get --help lists them"):
        assert words in text
    assert "see below" not in text


def test_what_is_no_page_is_not_read(site: Site, tmp_path: Path) -> None:
    url = site.here.serve("/big.iso", Content(50_000_000), content_type="application/x-iso9660-image")
    site.here.script = lambda _request, _reply: None
    done = page(url, directory=tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith("it is application/x-iso9660-image, not a page; penstock get fetches it\n")
    assert site.here.bytes_sent < 10_000_000
    gone = page(site.url("/gone"), directory=tmp_path)
    assert gone.returncode == 1
    assert "HTTP 404 Not Found" in gone.stderr
    assert gone.stderr.count("\n") == 1


def test_two_files_of_one_name_and_a_second_run(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = b"<img src=a/x.png><img src=b/x.png>"
    for _ in range(2):
        assert page(site.url(), "-d", "d", directory=tmp_path).returncode == 0
    kept = names(tmp_path / "d")
    assert len(kept) == 2
    assert "x.png" in kept
    assert [request.path for request in site.here.log].count("/a/x.png") == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_a_dry_run_that_waits(site: Site, tmp_path: Path) -> None:
    site.pages["/index.html"] = b"<a href=/slow>"

    def script(request: Request, reply: Reply) -> None:
        reply.silent = request.path == "/slow"

    site.script = script
    command = [sys.executable, "-m", "penstock", "page", site.url(), "--dry-run", "--depth", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    site.here.wait_for(lambda: any(request.path == "/slow" for request in site.here.log))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130


# S18: here 127.0.0.1 is the public internet, and 127.0.0.2 is somebody's router


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    for room in ("net.configure", "core.addresses"):
        monkeypatch.setattr(f"penstock.{room}.is_public", lambda address: address == "127.0.0.1")
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with FaultServer() as here, FaultServer(host="127.0.0.2") as there:
        yield Site(here, there)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in this process, for the sake of the world's addresses."""

    def run(*arguments: str) -> tuple[int, str]:
        code = main.run(["page", *arguments, "-d", "d"])
        return code, capfd.readouterr().err

    return run


def test_S18_a_public_page_leads_to_no_private_address(world: Site, run: Run, tmp_path: Path) -> None:
    world.pages["/index.html"] = f"<img src=a.png><img src=hop.png><img src={world.there.url('/b.png')}>".encode()

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/hop.png":
            reply.redirect(world.there.url("/secret.png"))

    world.script = script
    code, said = run(world.url())
    assert code == 1
    assert "its address is private" in said or "a redirect to a private address" in said
    assert world.there.connections == 0
    assert names(tmp_path / "d") == ["a.png"]
    assert run(world.url(), "--allow-private")[0] == 0
    assert names(tmp_path / "d") == ["a.png", "b.png", "hop.png"]


@pytest.mark.parametrize("robots", [[], ["--no-robots"]])
def test_S18_a_public_page_that_redirects_to_a_private_one_is_not_followed(
    world: Site, run: Run, robots: list[str]
) -> None:
    world.pages["/inside"] = b"<img src=/secret.png>"

    def script(request: Request, reply: Reply) -> None:
        if request.path == "/index.html":
            reply.redirect(world.there.url("/inside"))

    world.script = script
    code, said = run(world.url(), *robots)
    assert code == 1
    assert "a redirect to a private address" in said
    assert world.there.connections == 0
    assert run(world.url(), *robots, "--allow-private")[0] == 0


def test_S18_a_private_page_that_was_asked_for_may_lead_on(world: Site, run: Run, tmp_path: Path) -> None:
    world.pages["/index.html"] = b"<img src=a.png>"
    assert run(world.there.url("/index.html"))[0] == 0
    assert names(tmp_path / "d") == ["a.png"]
    assert sha256(tmp_path / "d" / "a.png")
