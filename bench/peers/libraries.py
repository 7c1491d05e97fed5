"""Python libraries, each driven by a small script in `bench/drivers`, in whichever environment has them."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from bench.peers.install import pythons
from bench.peers.model import Answer, Cannot, Command, File, Files, Peer

_DRIVERS = Path(__file__).resolve().parent.parent / "drivers"
_ASK = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


@functools.cache
def _found(distribution: str) -> tuple[Path, str] | None:
    """The first interpreter that has the distribution, and the version that it has."""
    for python in pythons():
        asked = subprocess.run([python, "-c", _ASK, distribution], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            return python, asked.stdout.strip()
    return None


class Library(Peer):
    """A library with a driver: ``with_NAME.py one URL FILE CONNECTIONS`` or ``many LIST DIRECTORY AT_ONCE``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.package = f"{name} (PyPI)"

    def version(self) -> str | None:
        """That of the distribution."""
        found = _found(self.name)
        return None if found is None else found[1]

    def one(self, file: File) -> Answer:
        """Ranges over so many connections."""
        return self._drive("one", file.authority, file.url, str(file.output), str(file.connections))

    def many(self, files: Files) -> Answer:
        """So many requests at once, HTTP/1.1."""
        if files.authority:
            return Cannot("HTTP/2")
        return self._drive("many", None, str(files.urls), str(files.directory), str(files.at_once))

    def _drive(self, what: str, authority: Path | None, *words: str) -> Command:
        found = _found(self.name)
        python = "python" if found is None else str(found[0])
        # what OpenSSL and requests read the certificates to trust from
        trust = {} if authority is None else {"SSL_CERT_FILE": str(authority), "REQUESTS_CA_BUNDLE": str(authority)}
        return Command((python, str(_DRIVERS / f"with_{self.name}.py"), what, *words), trust)
