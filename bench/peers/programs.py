"""The command lines of Penstock and of the programs that Debian has."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from bench.peers.model import Answer, Cannot, Command, File, Files, Peer, Program

#: The least piece of a file that is worth a connection, for those that ask.
_LEAST_PIECE = "1M"


def penstock(url: str, output: Path, connections: int, *options: str) -> list[str]:
    """How this checkout or installation fetches one file, quietly unless it is to print events."""
    words = [sys.executable, "-m", "penstock", "get", url, "-o", str(output), "-x", str(connections), "--no-config"]
    return [*words, *([] if "--json" in options else ["-q"]), *options]


class Penstock(Peer):
    """Ours."""

    name = "penstock"
    package = "this checkout"

    def version(self) -> str | None:
        """The version of what is measured."""
        import penstock as ours

        return ours.__version__

    def one(self, file: File) -> Answer:
        """`-x` is a ceiling: connections are earned."""
        trust = ("--cacert", str(file.authority)) if file.authority else ()
        return Command(tuple(penstock(file.url, file.output, file.connections, *trust)))

    def many(self, files: Files) -> Answer:
        """With the manifest that it keeps by default."""
        trust = ("--cacert", str(files.authority)) if files.authority else ()
        words = (
            sys.executable, "-m", "penstock", "get", "--no-config", "-q", "-i", str(files.urls),
            "-d", str(files.directory), "-j", str(files.at_once), "--per-host", str(files.at_once), *trust,
        )  # fmt: skip
        return Command(words)

    def checked(self, file: File) -> Answer:
        """Events on stdout tell when the digest was right."""
        options = ("--checksum", f"sha-256:{file.sha256}", "--json")
        return Command(tuple(penstock(file.url, file.output, file.connections, *options)))

    def resumed(self, file: File) -> Answer:
        """The same command again."""
        return self.one(file)


class Aria2(Program):
    """aria2, which takes at most 16 connections to a server."""

    name, binary, package = "aria2", "aria2c", "aria2 (Debian)"

    def one(self, file: File) -> Answer:
        """Pieces from 1 MiB on, so that it may use all connections."""
        if file.connections > 16:
            return Cannot("over 16 connections")
        return self._one(file)

    def many(self, files: Files) -> Answer:
        """It speaks HTTP/1.1 only; 16 files at once are its best."""
        if files.authority:
            return Cannot("HTTP/2")
        return self.command("--no-conf", "-q", "-j16", "-x16", "-i", files.urls, "-d", files.directory)

    def checked(self, file: File) -> Answer:
        """It hashes when all is there."""
        return self._one(file, f"--checksum=sha-256={file.sha256}")

    def resumed(self, file: File) -> Answer:
        """The same command again: its control file says where it was."""
        return self._one(file)

    def _one(self, file: File, *options: str) -> Command:
        number = str(file.connections)
        trust = (f"--ca-certificate={file.authority}",) if file.authority else ()
        return self.command(
            "--no-conf", "-q", "-x", number, "-s", number, "-k", _LEAST_PIECE, "--allow-overwrite=true", *trust,
            "-d", file.output.parent, "-o", file.output.name, *options, file.url,
        )  # fmt: skip


class Curl(Program):
    """curl: one connection a file, whatever is allowed."""

    name, binary, package = "curl", "curl", "curl (Debian)"

    def one(self, file: File) -> Answer:
        """HTTP/1.1, which costs it less than HTTP/2 for one large file."""
        trust = ("--http1.1", "--cacert", str(file.authority)) if file.authority else ()
        return self.command("-sf", *trust, "-o", file.output, file.url)

    def many(self, files: Files) -> Answer:
        """All in one process, in parallel."""
        trust = ("--http2", "--cacert", str(files.authority)) if files.authority else ()
        return self.command("-sfZ", "--parallel-max", files.at_once, *trust, "--config", files.curl_config)

    def checked(self, file: File) -> Answer:
        """With sha256sum after it."""
        fetch = f"curl -sf -o {shlex.quote(str(file.output))} {file.url}"
        line = shlex.quote(f"{file.sha256}  {file.output}")
        return Command(("sh", "-c", f"{fetch} && echo {line} | sha256sum --check --quiet"))

    def resumed(self, file: File) -> Answer:
        """From where the file ends."""
        return self.command("-sf", "-C", "-", "-o", file.output, file.url)


class Axel(Program):
    """axel, which refuses a certificate for an address, so that it cannot be measured over TLS here."""

    name, binary, package = "axel", "axel", "axel (Debian)"

    def one(self, file: File) -> Answer:
        """Fixed parts, one a connection."""
        if file.authority:
            return Cannot("a certificate for an address")
        return self.command("-q", "-n", file.connections, "-o", file.output, file.url)

    def many(self, files: Files) -> Answer:
        """Several URLs are mirrors to it."""
        return Cannot("a list")

    def resumed(self, file: File) -> Answer:
        """The same command again: its state file says where it was."""
        return self.one(file)


class Wget2(Program):
    """wget2: threads over chunks of a file."""

    name, binary, package = "wget2", "wget2", "wget2 (Debian)"

    def one(self, file: File) -> Answer:
        """As many chunks as connections; HTTP/2 would put them all on one."""
        trust = (f"--ca-certificate={file.authority}", "--http2=off") if file.authority else ()
        chunk = -(-file.size // file.connections)
        parts = (f"--chunk-size={chunk}", f"--max-threads={file.connections}") if file.connections > 1 else ()
        return self.command("-q", "--no-config", *trust, *parts, "-O", file.output, file.url)

    def many(self, files: Files) -> Answer:
        """A thread for each file at once."""
        trust = (f"--ca-certificate={files.authority}",) if files.authority else ()
        threads = f"--max-threads={files.at_once}"
        return self.command("-q", "--no-config", threads, *trust, "-i", files.urls, "-P", files.directory)

    def resumed(self, file: File) -> Answer:
        """From where the file ends, over one connection: chunks leave a file with holes. With -O it begins anew."""
        return self.command("-q", "--no-config", "-c", "-P", file.output.parent, file.url)


class Rclone(Program):
    """rclone, which takes a server for a directory."""

    name, binary, package, asking = "rclone", "rclone", "rclone (Debian)", "version"

    def one(self, file: File) -> Answer:
        """Streams of its own from 1 MiB on, each on a connection: over HTTP/2 they would share one."""
        base, _, name = file.url.rpartition("/")
        streams = file.connections if file.connections > 1 else 0
        trust = ("--ca-cert", str(file.authority), "--disable-http2") if file.authority else ()
        return self.command(
            "copyto", f":http:{name}", file.output, "--http-url", f"{base}/", "--multi-thread-streams", streams,
            "--multi-thread-cutoff", _LEAST_PIECE, "--no-check-dest", *trust, *self._quiet,
        )  # fmt: skip

    def many(self, files: Files) -> Answer:
        """Names instead of listings; it asks for each file's size first."""
        trust = ("--ca-cert", str(files.authority)) if files.authority else ()
        return self.command(
            "copy", ":http:", files.directory, "--http-url", files.base, "--files-from-raw", files.name_list,
            "--transfers", files.at_once, "--checkers", files.at_once, "--no-traverse", "--no-check-dest", *trust,
            *self._quiet,
        )  # fmt: skip

    @property
    def _quiet(self) -> tuple[str, ...]:
        return ("--config=", "-q")
