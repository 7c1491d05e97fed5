"""Where the peers come from: Python's in an environment of their own, the system's by its package manager."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

#: What goes into the environment of the peers; matplotlib draws the plots.
LIBRARIES = ("pypdl", "parfive", "aiohttp", "requests", "matplotlib")
#: Debian's packages by the binary that shows they are there.
PACKAGES = {
    "nginx": "nginx-light", "aria2c": "aria2", "curl": "curl", "wget2": "wget2", "axel": "axel", "rclone": "rclone",
}  # fmt: skip


def environment() -> Path:
    """The peers' environment, below the user's cache directory: never the project's own."""
    return platformdirs.user_cache_path("penstock-bench") / "peers"


def pythons() -> list[Path]:
    """Interpreters that may have the libraries: the peers' own first, then the one that runs this."""
    own = environment() / "bin" / "python"
    return [*([own] if own.exists() else []), Path(sys.executable)]


def install() -> None:
    """Make the environment and fill it; as root on a Debian, install the missing programs too."""
    _install_programs()
    folder = environment()
    python = folder / "bin" / "python"
    if not python.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # without pip of its own: Debian's Python may lack ensurepip
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--upgrade", *LIBRARIES], check=True)


def _install_programs() -> None:
    missing = [package for binary, package in PACKAGES.items() if not _has(binary)]
    if not missing:
        return
    if not shutil.which("apt-get") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        print(f"not root on a Debian; install these yourself: {' '.join(missing)}", file=sys.stderr)
        return
    for words in (["update", "-q"], ["install", "-y", "-q", *missing]):
        subprocess.run(["apt-get", *words], check=False, stdout=subprocess.DEVNULL)


def _has(binary: str) -> bool:
    return shutil.which(binary) is not None or shutil.which(binary, path="/usr/sbin:/usr/local/sbin") is not None
