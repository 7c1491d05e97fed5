"""S06 to S10, S20 to S22: where we go and by which protocol, what we send there, and whom we believe."""

from __future__ import annotations

import functools
import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import penstock
from penstock.core.cookies import bad_lines
from tests.cli.command import penstock as run
from tests.engine.helpers import fetch
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request
from tests.servers.nginx import make_certificate

SMALL = Content(3000, seed=1)


@functools.cache
def authority(home: Path) -> Path:
    home.mkdir(exist_ok=True)
    make_certificate(home)
    return home


def tls(home: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "cert.pem", home / "key.pem")
    return context


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority(tmp_path_factory.getbasetemp() / "authority")


@pytest.fixture
def secure(home: Path) -> Iterator[FaultServer]:
    """A server that speaks TLS, whose certificate is in `home`."""
    with FaultServer(context=tls(home)) as server:
        yield server


@pytest.mark.parametrize("way", ["one", "list", "page"])
def test_S06_https_does_not_become_http_by_a_redirect(
    fault_server: FaultServer, secure: FaultServer, home: Path, tmp_path: Path, way: str
) -> None:
    target = fault_server.serve("/f", SMALL)
    secure.script = lambda request, reply: reply.redirect(target) if "robots" not in request.path else None
    (tmp_path / "l").write_text(secure.url("/a"))
    words = {"one": [secure.url("/a")], "list": ["-i", str(tmp_path / "l")], "page": ["page", secure.url("/a")]}[way]
    words = [*words, "-d", str(tmp_path / "d"), "--cacert", str(home / "cert.pem")]
    told = run(*words)
    assert told.returncode == 1
    assert "from https to http" in told.stderr or "redirect 302" in told.stderr
    assert fault_server.connections == 0
    if way == "one":
        assert run(*words, "--allow-downgrade").returncode == 0
        assert len(fault_server.log) == 1


SCHEMES = [
    *["file:///etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "dict://127.0.0.1/x"],
    *["smb://127.0.0.1/x", "scp://127.0.0.1/x", "ldap://127.0.0.1/", "data:,x", "javascript:1", "//[::1/x"],
]


def test_S07_no_other_scheme_is_spoken_from_a_list_a_page_or_a_redirect(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    (tmp_path / "l").write_text("\n".join(SCHEMES))
    told = run("-i", str(tmp_path / "l"), "-d", str(tmp_path / "d"))
    assert told.returncode == 1
    assert f"{len(SCHEMES)} lines could not be used" in told.stderr

    def script(request: Request, reply: Reply) -> None:
        number = request.path[1:]
        if number.isdigit():
            reply.redirect(SCHEMES[int(number)])
        elif request.path == "/":
            reply.become(200, {"Content-Type": "text/html"}, "".join(f"<img src='{u}'>" for u in SCHEMES).encode())
        else:
            reply.become(404)

    fault_server.script = script
    with penstock.Downloader() as downloader:
        urls = [fault_server.url(f"/{number}") for number in range(len(SCHEMES))]
        assert downloader.submit_many(urls, directory=tmp_path / "d").result().failed == len(SCHEMES)
    run("page", fault_server.url("/"), "-d", str(tmp_path / "p"))
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in {"l", "d.penstock"}] == []


BROKEN = ["\r\nInjected: 1", "\nInjected: 1", "\rInjected: 1", "\x00"]


@pytest.mark.parametrize("broken", BROKEN)
def test_S08_no_line_break_gets_into_a_request(fault_server: FaultServer, tmp_path: Path, broken: str) -> None:
    url = fault_server.serve("/a", SMALL)
    given = [
        {"headers": {"X": f"1{broken}"}}, {"headers": {f"X{broken}": "1"}}, {"cookies": f"a=b{broken}"},
        {"user_agent": f"a{broken}"}, {"referer": f"http://e{broken}"}, {"credentials": f"u{broken}:p"},
        {"proxy": f"http://h{broken}"},
    ]  # fmt: skip
    for options in given:
        with pytest.raises(penstock.InvalidRequest):
            penstock.download(url, directory=tmp_path, **options)  # type: ignore[arg-type]
    for bad in (f"{url}{broken}", f"http://u{broken}:p@127.0.0.1/", f"http://127.0.0.1{broken}/"):
        with pytest.raises(penstock.InvalidRequest):
            penstock.download(bad, directory=tmp_path)
    if broken != "\x00":
        (tmp_path / "l").write_bytes(f"{url}\n  header=X: 1{broken}\n".replace("\n", "\r", 0).encode())
        run("-i", str(tmp_path / "l"), "-d", str(tmp_path / "d"))
    assert all("injected" not in request.headers for request in fault_server.log)


def test_S08_nor_by_a_redirect(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.serve("/f", SMALL)
    escaped = "/f?x=%0d%0aInjected:%201"
    fault_server.script = lambda request, reply: reply.redirect(escaped) if request.path == "/a" else None
    fetch(fault_server.url("/a"), tmp_path).done()
    assert fault_server.log[-1].path == escaped
    fault_server.script = lambda request, reply: reply.redirect("/f\tx") if request.path == "/b" else None
    refused = fetch(fault_server.url("/b"), tmp_path).failed(penstock.ServerRefused)
    assert refused.reason is penstock.Reason.REDIRECT, "a tab is not dropped: that would be another URL"
    assert all("injected" not in request.headers for request in fault_server.log)


def test_S09_no_cookie_is_for_a_public_suffix(fault_server: FaultServer, tmp_path: Path) -> None:
    fault_server.serve("/a", SMALL)
    jar = tmp_path / "jar"
    jar.write_text("".join(f"{domain}\tTRUE\t/\tFALSE\t0\tf{number}\t1\n" for number, domain in
                           enumerate([".co.uk", ".com", ".shop.example.co.uk", ".example.co.uk"])))  # fmt: skip
    domains = ["co.uk", ".co.uk", "uk", "com", "example.co.uk", "evil.co.uk", "github.io"]
    fault_server.script = lambda _request, reply: reply.more_headers.extend(
        ("Set-Cookie", f"s{number}=1; Domain={domain}") for number, domain in enumerate(domains)
    )
    hosts = ["shop.example.co.uk", "other.example.co.uk", "victim.co.uk", "x.github.io", "y.github.io", "z.com"]
    with penstock.Downloader(proxy=fault_server.url(""), cookie_file=jar) as downloader:
        for host in hosts:
            downloader.submit(f"http://{host}/a", output=tmp_path / host).result()
    sent = {request.headers["host"]: request.headers.get("cookie", "") for request in fault_server.log}
    assert {host for host, cookies in sent.items() if cookies} == {"shop.example.co.uk", "other.example.co.uk"}
    assert "f2=1" in sent["shop.example.co.uk"]
    assert set(sent["other.example.co.uk"].split("; ")) == {"f3=1", "s4=1"}


def test_S09_lines_of_a_cookie_file_that_are_none_are_named(fault_server: FaultServer, tmp_path: Path) -> None:
    url = fault_server.serve("/a", SMALL)
    jar = tmp_path / "jar"
    good = "127.0.0.1\tFALSE\t/\tFALSE\t0\tgood\t1"
    bad = [
        "nonsense",
        "127.0.0.1 FALSE / FALSE 0 spaces 1",
        f"{good}\x1b",
        good.replace("\t0\t", "\tsoon\t"),
        f"{good}\t2",
    ]
    jar.write_text(
        "\n".join(["# Netscape", "", good, f"#HttpOnly_{good}", *(line.replace("good", "bad") for line in bad)])
    )
    for words in ([url], ["--manifest", str(tmp_path / "m"), url + "?"]):
        told = run(*words, "-d", str(tmp_path / "d"), "--load-cookies", str(jar))
        assert "no cookies in lines 5, 6, 7, 8, 9;" in told.stderr
    assert fault_server.log[0].headers["cookie"] == "good=1", "libcurl is of the same opinion"
    assert list(bad_lines([])) == []


def certificate(home: Path, *, days: int, name: str) -> ssl.SSLContext:
    """A certificate that signs itself; with negative `days` it has expired."""
    home.mkdir()
    (home / "extensions").write_text(f"subjectAltName={name}\n")
    key, asked = str(home / "key.pem"), str(home / "asked.pem")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for words in (
        ["req", "-new", *curve, "-subj", "/CN=x", "-keyout", key, "-out", asked],
        ["x509", "-req", "-in", asked, "-signkey", key, "-days", str(days), "-extfile", str(home / "extensions"),
         "-out", str(home / "cert.pem")],
    ):  # fmt: skip
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    return tls(home)


@pytest.mark.parametrize(
    ("days", "name", "is_trusted"),
    [(9, "IP:127.0.0.1", False), (9, "DNS:other.example", True), (-1, "IP:127.0.0.1", True)],
    ids=["unknown authority", "another host", "expired"],
)
def test_S10_no_certificate_but_a_valid_one_is_believed(tmp_path: Path, days: int, name: str, is_trusted: bool) -> None:
    context = certificate(tmp_path / "home", days=days, name=name)
    with FaultServer(context=context) as server:
        url = server.serve("/a", SMALL)
        trust = {"ca_file": tmp_path / "home" / "cert.pem"} if is_trusted else {}
        error = fetch(url, tmp_path, max_tries=1, **trust).failed(penstock.NetworkError)
        assert error.reason is penstock.Reason.TLS
        assert server.log == []
        told = run(url, "-d", str(tmp_path / "d"), "--insecure", "-q")
        assert told.returncode == 0
        assert "--insecure: certificates are not checked" in told.stderr


@pytest.mark.filterwarnings("ignore:.*TLSVersion.*deprecated:DeprecationWarning")
def test_S10_old_tls_is_not_spoken(home: Path, tmp_path: Path) -> None:
    context = tls(home)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with FaultServer(context=context) as server:
        error = fetch(server.serve("/a", SMALL), tmp_path, max_tries=1, ca_file=home / "cert.pem")
        assert error.failed(penstock.NetworkError).reason is penstock.Reason.TLS
        assert server.log == []


def test_S22_a_proxy_over_tls_is_verified_insecure_or_not(
    secure: FaultServer, fault_server: FaultServer, home: Path, tmp_path: Path
) -> None:
    secure.serve("/a", SMALL)
    url = fault_server.url("/a")
    for options in ({}, {"insecure": True}):
        fetch(url, tmp_path, max_tries=1, proxy=secure.url(""), **options).failed(penstock.NetworkError)
    assert secure.log == []
    fetch(url, tmp_path, proxy=secure.url(""), ca_file=home / "cert.pem").done()


def test_S20_a_weak_checksum_is_said_to_be_weak_and_an_empty_one_is_none(
    fault_server: FaultServer, tmp_path: Path
) -> None:
    url = fault_server.serve("/a", SMALL)
    content = SMALL.read(0, SMALL.size)
    for name in ("md5", "sha1"):
        told = run(url, "-d", str(tmp_path / name), "--checksum", f"{name}:{hashlib.new(name, content).hexdigest()}")
        assert told.returncode == 0
        assert "no longer proves much" in told.stderr
    told = run(url, "-d", str(tmp_path / "empty"), "--checksum", "sha-256:")
    assert told.returncode == 2
    assert "verified" not in told.stderr


def test_S21_a_checksum_of_the_server_s_own_is_not_called_verified(fault_server: FaultServer, tmp_path: Path) -> None:
    import base64

    url = fault_server.serve("/a", SMALL)
    digest = base64.b64encode(bytes.fromhex(SMALL.sha256)).decode()
    fault_server.script = lambda _request, reply: reply.headers.update({"Repr-Digest": f"sha-256=:{digest}:"})
    told = run(url, "-d", str(tmp_path / "1"))
    assert "intact by the server's own sha256" in told.stderr
    assert "verified" not in told.stderr
    assert fetch(url, tmp_path / "2").done().digest_source == "server"
    told = run(url, "-d", str(tmp_path / "3"), "--checksum", f"sha-256:{SMALL.sha256}")
    assert "sha256 verified" in told.stderr
