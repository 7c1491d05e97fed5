"""A real nginx on loopback, over HTTP and TLS, serving one directory; runs as root and as anybody."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_CONFIGURATION = """
daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
    default_type application/octet-stream; sendfile on; keepalive_requests 100000;
    log_format short '$connection $status $body_bytes_sent $http_range';
    access_log {home}/access.log short;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    {http}
    server {{ listen 127.0.0.1:{port}; root {root}; {extra} }}
    server {{ listen 127.0.0.1:{tls_port} ssl http2; root {root}; {extra}
        ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/key.pem; }}
}}
"""
#: What ``openssl ca`` signs by; ``openssl req -x509`` would do, but makes none that ran out already.
_AUTHORITY = """
[ca]
default_ca = own
[own]
database = {home}/index
new_certs_dir = {home}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = {names}
basicConstraints = critical, CA:TRUE
"""
#: Between finding a free port and listening on it, another process may take it.
_TRIES = 3
_START_SECONDS = 20


def find_nginx() -> str | None:
    """The nginx binary, if there is one."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


@dataclass
class Nginx:
    """A running server. `root` is what it serves; `ca_file` the certificate to trust for its TLS side."""

    root: Path
    home: Path
    port: int
    tls_port: int
    process: subprocess.Popen[bytes]

    def access_lines(self) -> list[str]:
        """A line for each request so far: connection, status, bytes of body, range asked.

        nginx writes a line after it has sent the answer. It has one process: when it has answered a request that is
        made now, and closed its connection, the lines of all earlier ones are there.
        """
        with socket.create_connection(("127.0.0.1", self.port), _START_SECONDS) as probe:
            probe.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            while probe.recv(4096):
                pass
        return (self.home / "access.log").read_text().splitlines()

    @property
    def ca_file(self) -> Path:
        """Its own certificate, which signs itself."""
        return self.home / "cert.pem"

    def url(self, name: str, *, tls: bool = False) -> str:
        """The URL of a file in `root`."""
        return f"https://127.0.0.1:{self.tls_port}/{name}" if tls else f"http://127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)


def start_nginx(home: Path, root: Path, *, extra: str = "", http: str = "") -> Nginx:
    """Start one that keeps its own files in `home`; `extra` goes into each server block, `http` before them.

    Raises FileNotFoundError when there is no nginx, RuntimeError when it does not start.
    """
    binary = find_nginx()
    if binary is None:
        raise FileNotFoundError("nginx is not installed")
    home.mkdir(parents=True, exist_ok=True)
    root.mkdir(parents=True, exist_ok=True)
    make_certificate(home)
    for _ in range(_TRIES):
        server = _try_to_start(binary, home, root, extra, http)
        if server is not None:
            return server
    error_log = home / "error.log"
    raise RuntimeError(f"nginx did not start: {error_log.read_text() if error_log.exists() else 'no log'}")


def _try_to_start(binary: str, home: Path, root: Path, extra: str, http: str) -> Nginx | None:
    """Start it on free ports; None when it ended at once, as it does when somebody else took one of them."""
    port, tls_port = free_port(), free_port()
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    configuration = home / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(home=home, root=root, port=port, tls_port=tls_port, user=user, extra=extra, http=http)
    )
    process = subprocess.Popen(
        [binary, "-c", str(configuration), "-p", str(home)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    answers = all(_await_port(at, process) for at in (port, tls_port))
    return Nginx(root, home, port, tls_port, process) if answers else None


def make_certificate(home: Path, *, days: int = 30, names: str = "DNS:localhost,IP:127.0.0.1") -> None:
    """A self-signed certificate for `names`: ``cert.pem`` and ``key.pem`` in `home`. It ran out long ago if `days`
    is 0."""
    request, key, certificate = home / "request.pem", home / "key.pem", home / "cert.pem"
    (home / "ca.conf").write_text(_AUTHORITY.format(home=home, names=names))
    (home / "index").write_text("")
    dates = ["-days", str(days)] if days else ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"]
    commands: tuple[list[str | Path], ...] = (
        ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", request],
        ["ca", "-batch", "-notext", "-config", home / "ca.conf", "-selfsign", "-keyfile", key, "-in", request,
         "-out", certificate, *dates],
    )  # fmt: skip
    for words in commands:
        subprocess.run(["openssl", *words], check=True, capture_output=True)


def free_port() -> int:
    """A loopback port on which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_port(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until somebody listens there; False when the process ended instead."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            return False
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)  # another process: there is no event to wait for
    process.kill()
    process.wait()
    raise TimeoutError("nginx does not answer")
