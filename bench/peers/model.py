"""What a program can be asked to do, and what it answers: a command line, or why it cannot."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True)
class File:
    """One file of `size` bytes. `authority` is the certificate to trust over TLS, `sha256` (hexadecimal) its digest."""

    url: str
    output: Path
    size: int
    connections: int = 1
    authority: Path | None = None
    sha256: str = ""


@dataclass(frozen=True)
class Files:
    """Many files of one origin, all below the URL `base`. `lists` is a folder for what programs read."""

    base: str
    names: Sequence[str]
    directory: Path
    lists: Path
    at_once: int
    authority: Path | None = None

    @property
    def urls(self) -> Path:
        """A file with a URL a line."""
        return self.lists / "urls"

    @property
    def name_list(self) -> Path:
        """A file with a name a line."""
        return self.lists / "names"

    @property
    def curl_config(self) -> Path:
        """A configuration of curl's with a URL and an output for each."""
        return self.lists / "curl.cfg"

    def write_lists(self) -> None:
        """Make these files."""
        self.lists.mkdir(parents=True, exist_ok=True)
        self.urls.write_text("".join(f"{self.base}{name}\n" for name in self.names))
        self.name_list.write_text("".join(f"{name}\n" for name in self.names))
        pairs = (f'url = "{self.base}{name}"\noutput = "{self.directory / name}"\n' for name in self.names)
        self.curl_config.write_text("".join(pairs))


@dataclass(frozen=True)
class Command:
    """A command line, and what is added to its environment."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cannot:
    """The program cannot do this; `why` in a few words."""

    why: str


Answer: TypeAlias = Command | Cannot


class Peer:
    """A program and its command lines, each with the flags that serve it best."""

    name = ""
    #: How to get it.
    package = ""

    def version(self) -> str | None:
        """Its version; None when it is not installed."""
        raise NotImplementedError

    def one(self, file: File) -> Answer:
        """Fetch one file over at most so many connections."""
        return Cannot("one file")

    def many(self, files: Files) -> Answer:
        """Fetch many files."""
        return Cannot("many files")

    def checked(self, file: File) -> Answer:
        """Fetch one file and check its SHA-256."""
        return Cannot("checksum")

    def resumed(self, file: File) -> Answer:
        """Go on with what an interrupted `one` left behind; also the command that was interrupted."""
        return Cannot("resume over many connections")


class Program(Peer):
    """A peer that is a binary of the system."""

    binary = ""
    #: How it is asked for its version.
    asking = "--version"

    def version(self) -> str | None:
        """The first number with dots that it prints."""
        found = shutil.which(self.binary)
        if found is None:
            return None
        said = subprocess.run([found, self.asking], capture_output=True, text=True, check=False).stdout
        number = re.search(r"\d+(\.\d+)+\S*", said)
        return number[0].rstrip(",") if number else "unknown"

    def command(self, *words: str | Path | int, **environment: str) -> Command:
        """The binary with these words."""
        found = shutil.which(self.binary) or self.binary
        return Command((found, *(str(word) for word in words)), environment)


def shown(command: Command, names: Mapping[str, str]) -> str:
    """A command line for people: programs by their names, places of this machine by the words in `names`."""
    words = [_renamed(word, names) for word in command.words]
    words[0] = "python" if command.words[0] == sys.executable else os.path.basename(words[0])
    words = ["python" if _is_python(word) else word for word in words]
    variables = [f"{name}={_renamed(value, names)}" for name, value in command.environment.items()]
    return " ".join(f'"{word}"' if " " in word else word for word in [*variables, *words])


def _is_python(word: str) -> bool:
    return word.startswith("/") and re.fullmatch(r"python[\d.]*", os.path.basename(word)) is not None


def _renamed(word: str, names: Mapping[str, str]) -> str:
    for place, name in sorted(names.items(), key=lambda pair: -len(pair[0])):
        if place:
            word = word.replace(place, name)
    return word
