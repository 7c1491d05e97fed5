"""Downloads told as events, for the tests of what is shown."""

from __future__ import annotations

from pathlib import Path

from penstock.events import AnyEvent, Finished, Probed, Progressed, Started
from penstock.model import Result, Validator

MIB = 1024 * 1024
URL = "https://e.org/dir/big.iso"


def started(at: float = 0.0, *, url: str = URL, download: int = 1) -> Started:
    return Started(download=download, at=at, url=url)


def probed(
    name: str = "big.iso", length: int | None = 100 * MIB, *, ranges: bool = True, download: int = 1, at: float = 0.1
) -> Probed:
    return Probed(
        download=download,
        at=at,
        final_url=URL,
        path=str(Path("somewhere") / name),
        length=length,
        accepts_ranges=ranges,
        validator=Validator("etag", '"1"') if ranges else None,
    )


def progressed(
    done: int, length: int | None = 100 * MIB, *, speed: float = 10 * MIB, at: float = 1.0, download: int = 1
) -> Progressed:
    return Progressed(download=download, at=at, done=done, length=length, speed=speed, connections=4)


def finished(size: int = 100 * MIB, *, download: int = 1) -> Finished:
    return Finished(download=download, at=10.0, result=result(size))


def result(size: int = 100 * MIB) -> Result:
    return Result(
        path=Path("somewhere/big.iso"), size=size, url=URL, final_url=URL, elapsed=10.0, fetched=size, connections=4
    )


def under_way(name: str = "big.iso", length: int | None = 100 * MIB) -> list[AnyEvent]:
    """A download that is half done (or 50 MiB far, when its length is unknown) after 2.5 seconds."""
    done = 50 * MIB if length is None else length // 2
    return [started(), probed(name, length), progressed(done // 2, length), progressed(done, length, at=2.5)]
