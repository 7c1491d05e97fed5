"""S05, S12, S22: what a user gives for one origin goes to no other, and is written and shown nowhere."""

from __future__ import annotations

import base64
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.model import Options, Request, Source
from penstock.net.configure import Exchange
from tests.cli.command import environment
from tests.cli.command import penstock as run
from tests.engine.helpers import at_rate, fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer
from tests.servers.proxy import Proxy

SMALL = Content(3000, seed=1)
LARGE = Content(3_000_000, seed=2)
GIVEN: dict[str, Any] = {
    "credentials": "us:pw-S3CRET",
    "cookies": "c=ck-S3CRET",
    "headers": {"X-Key": "hd-S3CRET", "Accept": "text/x"},
}
FIELDS = {"authorization", "cookie", "x-key"}


@pytest.fixture
def other() -> Iterator[FaultServer]:
    """Another origin: the same host and scheme on another port."""
    with FaultServer() as server:
        yield server


def secrets_seen(server: FaultServer) -> set[str]:
    return {name for request in server.log for name in request.headers if name in FIELDS}


def test_S05_a_mirror_of_another_origin_gets_nothing(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path
) -> None:
    fault_server.script = lambda _request, reply: reply.become(404)
    urls = (fault_server.url("/a"), other.serve("/a", SMALL))
    with penstock.Downloader(**GIVEN) as downloader:
        row = penstock.Row(urls, headers=(("X-Key", "row-S3CRET"),))
        assert downloader.submit_many([row], directory=tmp_path / "many").result().done == 1
        sources = tuple(map(Source, urls))
        options = Options(credentials="us:pw", cookies="c=1", headers=(("X-Key", "1"),))
        downloader.submit(Request(sources=sources, directory=tmp_path, options=options)).result()
    assert secrets_seen(fault_server) == FIELDS
    assert len(other.log) == 2
    assert secrets_seen(other) == set()


def test_S05_a_list_sends_them_where_it_begins_and_says_so(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path
) -> None:
    ours = [fault_server.serve(f"/{number}", SMALL) for number in range(20)]
    theirs = [other.serve(f"/{number}x", SMALL) for number in range(20)]
    both = [url for pair in zip(ours, theirs, strict=True) for url in pair]
    (tmp_path / "l").write_text("\n".join(both))
    (tmp_path / "h").write_text("X-Key: hd-S3CRET\nAccept: text/x\n")
    told = run(
        "-i", str(tmp_path / "l"), "-d", str(tmp_path / "d"), "-u", "us:pw-S3CRET", "-b", "c=1", "-H", f"@{tmp_path}/h"
    )
    assert told.returncode == 0, told.stderr
    assert told.stderr.count("where the list begins") == 1
    assert all(request.headers.keys() >= FIELDS for request in fault_server.log)
    assert secrets_seen(other) == set()
    assert {request.headers["accept"] for request in (*fault_server.log, *other.log)} == {"text/x"}


def test_S05_no_retry_steal_or_later_segment_carries_them_across(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path
) -> None:
    target = other.serve("/f", LARGE)
    other.script = lambda request, reply: setattr(reply, "reset_after", 200_000 if request.number % 3 == 1 else None)
    other.rates = [4e6, 4e6, 2e5]
    fault_server.script = lambda _request, reply: reply.redirect(target)
    fetch(fault_server.url("/a"), tmp_path, min_segment=50_000, **GIVEN).done()
    assert len(other.log) > 3
    assert secrets_seen(fault_server) == FIELDS
    assert secrets_seen(other) == set()


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "machine localhost", "default"])
def test_S05_no_netrc_entry_answers_to_a_redirect_to_another_port_or_host(
    fault_server: FaultServer, other: FaultServer, tmp_path: Path, entry: str
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"{entry} login me password S3CRET\n")
    target = other.serve("/f", SMALL).replace("127.0.0.1", "localhost" if "localhost" in entry else "127.0.0.1")
    fault_server.script = lambda _request, reply: reply.redirect(target)
    fetch(fault_server.url("/a"), tmp_path / "d", netrc=True, netrc_file=netrc).done()
    assert ("authorization" in fault_server.log[0].headers) is ("localhost" not in entry)
    assert secrets_seen(other) == set()


def test_S05_a_login_for_the_login_server_that_netrc_names_is_used(tmp_path: Path) -> None:
    from penstock.net import configure

    netrc = tmp_path / "netrc"
    netrc.write_text("machine login.example\n\tlogin me\n\tpassword S3CRET\n")
    options = Options(netrc=True, netrc_file=netrc)

    def is_named(url: str) -> bool:
        return configure._is_named_in_netrc(Exchange(url, "https://data.example/a", options))

    assert is_named("https://login.example/x")
    for url in ("http://login.example/x", "https://login.example:8443/x", "https://evil.example/x", "https://me/x"):
        assert not is_named(url), url


EVERYTHING = [b"pw-S3CRET", base64.b64encode(b"us:pw-S3CRET"), b"ck-S3CRET", b"hd-S3CRET", b"px-S3CRET"]


def assert_nowhere(*texts: bytes | str) -> None:
    for text in texts:
        raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        for secret in EVERYTHING:
            assert secret not in raw, raw[max(0, raw.find(secret) - 200) :][:400]


@pytest.mark.parametrize("ending", ["done", "refused", "cut", "interrupted"])
@pytest.mark.parametrize(("words", "kind"), [(["-vv"], "list"), (["-vv", "--json"], "one")], ids=["list", "one"])
def test_S12_no_secret_is_printed_written_or_in_the_process_list(
    fault_server: FaultServer, tmp_path: Path, ending: str, words: list[str], kind: str
) -> None:
    url = fault_server.serve("/a", LARGE).replace("://", "://us:pw-S3CRET@") + "#frag"
    (tmp_path / "h").write_text("X-Key: hd-S3CRET\nCookie: ck-S3CRET\nAuthorization: Bearer hd-S3CRET\n")
    (tmp_path / "l").write_text(f"{url}\n  header=X-Row: hd-S3CRET\nhttp://us:pw-S3CRET@[bad/\n")
    (tmp_path / "d").mkdir()
    if ending == "refused":
        fault_server.script = lambda _request, reply: reply.become(403)
    elif ending == "cut":
        fault_server.script = lambda _request, reply: setattr(reply, "close_after", 0)
    else:
        fault_server.script = at_rate(2e7 if ending == "done" else 5e5)
    with Proxy("http", user="us:px-S3CRET") as proxy:
        target = ["-i", "l"] if kind == "list" else [fault_server.url("/a")]
        changes = {"PENSTOCK_PROXY": proxy.url, "PENSTOCK_USER": "us:pw-S3CRET", "NO_PROXY": ""}
        with subprocess.Popen(
            [sys.executable, "-m", "penstock", *words, *target, "-d", "d", "-H", "@h", "--max-tries", "2"],
            env=environment(**changes), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            fault_server.wait_for(lambda: len(fault_server.log) > 0)
            if Path("/proc/self").exists():
                assert_nowhere(Path(f"/proc/{process.pid}/cmdline").read_bytes())
            if ending == "interrupted":
                fault_server.wait_for(lambda: fault_server.bytes_sent > 500_000)
                process.terminate()
            out, err = process.communicate(timeout=40)
    assert any("hd-S3CRET" in request.headers.get("x-key", "") for request in fault_server.log)
    assert_nowhere(out, err)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in {"h", "l"}]
    assert files or ending in {"refused", "cut"}
    assert_nowhere(*[path.read_bytes() for path in files])
    manifest = tmp_path / "d.penstock"
    if manifest.exists():
        for more in (["status"], ["status", "--export", "json"]):
            told = run(*more, str(manifest))
            assert_nowhere(told.stdout, told.stderr)


def test_S12_no_repr_or_traceback_shows_a_secret(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.url("/missing").replace("://", "://us:pw-S3CRET@")
    options = Options(credentials="us:pw-S3CRET", cookies="ck-S3CRET", headers=(("X-Key", "hd-S3CRET"),),
                      proxy="http://us:px-S3CRET@h:1")  # fmt: skip
    request = Request(sources=(Source(url),), options=options)
    row = penstock.Row((url,), headers=(("X-Key", "hd-S3CRET"),))
    assert_nowhere(repr(request), repr(row), repr(Exchange(url, url, options)))
    story = fetch(url, tmp_path, **GIVEN)
    error = story.failed(penstock.ServerRefused)
    assert_nowhere(repr(error), str(error), error.url, repr(story.events), "".join(traceback.format_exception(error)))


@pytest.mark.parametrize(
    "proxy",
    ["http://us:px-S3CRET@h:badport", "http://us:px-S3CRET@ho st:1", "ftp://us:px-S3CRET@h", "us:px-S3CRET@h:99999",
     "http://us:px-S3CRET@127.0.0.1:1", "socks5h://us:px-S3CRET@127.0.0.1:1"],
)  # fmt: skip
@pytest.mark.parametrize("way", ["PENSTOCK_PROXY", "http_proxy", "ALL_PROXY"])
def test_S22_a_proxy_that_cannot_be_used_does_not_show_its_password(tmp_path: Path, proxy: str, way: str) -> None:
    changes = {"NO_PROXY": "", "no_proxy": "", way: proxy}
    told = run("-v", "http://127.0.0.2:1/a", "-d", str(tmp_path), "--max-tries", "1", **changes)
    assert told.returncode in {1, 2}
    assert_nowhere(told.stdout, told.stderr)


def test_S22_the_proxy_s_login_goes_to_the_proxy_only(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", LARGE)
    with Proxy("http", user="us:px-S3CRET") as proxy:
        fetch(url, tmp_path, proxy=proxy.url).done()
        assert proxy.seen
    assert all("proxy-authorization" not in request.headers for request in fault_server.log)


def test_S23_a_proxy_that_a_cgi_request_could_name_is_not_used(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", SMALL)
    with Proxy("http") as proxy:
        for name, seen in (("HTTP_PROXY", 0), ("http_proxy", 1)):
            changes = {name: proxy.url, "NO_PROXY": "", "no_proxy": ""}
            assert run(url, "-d", str(tmp_path / name), **changes).returncode == 0
            assert (len(proxy.seen) > 0) is bool(seen)


def test_S12_no_descriptor_is_handed_on_to_a_child(fault_server: FaultServer, tmp_path: Path) -> None:
    if not Path("/proc/self/fdinfo").exists():
        pytest.skip("no list of descriptors")
    script = (
        "import sys, penstock, threading; e = threading.Event()\n"
        "with penstock.Downloader(on_event=lambda x: e.set() if type(x).__name__ == 'Progressed' else None) as d:\n"
        "    f = d.submit(sys.argv[1], directory=sys.argv[2])\n"
        "    d2 = sys.argv[2] + '/m'\n"
        "    m = d.submit_many([sys.argv[1] + '?'], directory=d2, manifest=d2 + '.penstock')\n"
        "    e.wait(); import subprocess\n"
        "    words = ['ls', '-l', '/proc/self/fd']\n"
        "    print(subprocess.run(words, close_fds=False, capture_output=True, text=True).stdout)\n"
        "    f.cancel(); m.cancel()\n"
    )
    fault_server.script = at_rate(5e5)
    told = subprocess.run(
        [sys.executable, "-c", script, fault_server.serve("/a", LARGE), str(tmp_path / "d")],
        env=environment(), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    assert "socket:" not in told.stdout
    assert str(tmp_path) not in told.stdout
    assert " -> " in told.stdout
