"""What it was measured on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from tests.servers.nginx import find_nginx

from bench.peers import PEERS


def machine() -> dict[str, str]:
    """Processor, cores, memory, system, Python. Nothing that names the machine."""
    return {
        "processor": _first(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo")) or platform.processor() or "unknown",
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "libcurl of penstock": _libcurl(),
    }


def versions() -> dict[str, str]:
    """Of the server and of every program; "not installed" where it is so."""
    return {"nginx": _nginx(), **{peer.name: peer.version() or "not installed" for peer in PEERS}}


def _nginx() -> str:
    binary = find_nginx()
    if binary is None:
        return "not installed"
    said = subprocess.run([binary, "-v"], capture_output=True, text=True, check=False).stderr
    found = re.search(r"nginx/(\S+)", said)
    return found[1] if found else "unknown"


def _libcurl() -> str:
    import pycurl

    words: list[str] = pycurl.version.split()
    return " ".join(word for word in words if word.lower().startswith(("libcurl", "openssl", "gnutls", "nghttp2")))


def _memory() -> str:
    kibibytes = _first(r"MemTotal:\s+(\d+)", Path("/proc/meminfo"))
    return f"{int(kibibytes) / 2**20:.1f} GiB" if kibibytes else "unknown"


def _first(pattern: str, path: Path) -> str:
    try:
        found = re.search(pattern, path.read_text())
    except OSError:
        return ""
    return found[1].strip() if found else ""
