"""What runs: Penstock, Python, the packages it stands on, libcurl."""

from __future__ import annotations

import platform
import sqlite3
from importlib import metadata
from typing import Any, Final

from penstock._version import __version__
from penstock.cli.doctor.facts import Software, Transport

#: Those that must be there; tests compare them with pyproject.toml.
REQUIRED: Final = ("certifi", "click", "idna", "platformdirs", "protego", "pycurl", "rich", "selectolax")
_OPTIONAL: Final = ("tqdm",)
#: libcurl's features by their bits (CURL_VERSION_*, curl.h). pycurl has names for some of them only.
_FEATURES: Final = {
    0: "IPv6", 2: "TLS", 3: "libz", 7: "asynchronous DNS", 9: "large files", 10: "IDN", 12: "NTLM", 16: "HTTP/2",
    17: "GSS-API", 19: "Unix sockets", 20: "PSL", 21: "HTTPS proxy", 22: "multiple TLS", 23: "brotli", 24: "alt-svc",
    25: "HTTP/3", 26: "zstd", 28: "HSTS", 30: "thread-safe",
}  # fmt: skip


def software() -> Software:
    """What is installed."""
    return Software(
        penstock=__version__,
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        system=" ".join(filter(None, (platform.system(), platform.release(), platform.machine(), _libc()))),
        sqlite=sqlite3.sqlite_version,
        packages={name: _version(name) for name in (*REQUIRED, *_OPTIONAL) if name in REQUIRED or _version(name)},
    )


def _libc() -> str:
    return "-".join(filter(None, platform.libc_ver()))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def transport() -> Transport:
    """What libcurl can do."""
    try:
        import pycurl
    except (ImportError, OSError) as error:  # a missing or unfitting libcurl
        return Transport(error=str(error))
    words = pycurl.version.split()
    info: tuple[Any, ...] = pycurl.version_info()
    bits = int(info[4])
    return Transport(
        pycurl=words[0].partition("/")[2].strip('"'),
        libcurl=str(info[1]),
        tls=str(info[5]),
        parts=tuple(word for word in words[2:] if word != info[5]),
        protocols=tuple(info[8]),
        features=tuple(name for bit, name in _FEATURES.items() if bits >> bit & 1),
    )
