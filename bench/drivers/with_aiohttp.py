"""aiohttp: ranges of one file side by side, or many files by so many workers.

with_aiohttp.py one URL FILE CONNECTIONS | many LIST DIRECTORY AT_ONCE
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp

_BLOCK = 1 << 20
_ATTEMPTS = 5
_PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=30)


def _session(connections: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=connections)
    return aiohttp.ClientSession(
        connector=connector, timeout=_PATIENCE, read_bufsize=_BLOCK, auto_decompress=False, raise_for_status=True
    )


async def one(url: str, output: str, connections: int) -> None:
    """As many equal ranges as connections."""
    async with _session(connections) as session:
        async with session.head(url) as answer:
            size = int(answer.headers["Content-Length"])
        part = -(-size // connections)
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.ftruncate(file, size)
            ranges = [(start, min(start + part, size)) for start in range(0, size, part)]
            await asyncio.gather(*(_fetch_range(session, url, file, *each) for each in ranges))
        finally:
            os.close(file)


async def _fetch_range(session: aiohttp.ClientSession, url: str, file: int, start: int, stop: int) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            async with session.get(url, headers={"Range": f"bytes={start}-{stop - 1}"}) as answer:
                async for block in answer.content.iter_chunked(_BLOCK):
                    os.pwrite(file, block, start)
                    start += len(block)
        except (aiohttp.ClientError, TimeoutError):
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(2**attempt / 2)
        if start >= stop:
            return


async def many(urls: Iterator[str], directory: str, at_once: int) -> None:
    """A worker for each file at once, all from one list."""
    async with _session(at_once) as session:
        await asyncio.gather(*(_work(session, urls, directory) for _ in range(at_once)))


async def _work(session: aiohttp.ClientSession, urls: Iterator[str], directory: str) -> None:
    for url in urls:
        async with session.get(url) as answer:
            body = await answer.read()
        with open(os.path.join(directory, url.rpartition("/")[2]), "wb") as file:  # noqa: ASYNC230 - a thread costs more
            file.write(body)


if __name__ == "__main__":
    _what, _source, _target, _number = sys.argv[1:]
    if _what == "one":
        asyncio.run(one(_source, _target, int(_number)))
    else:
        asyncio.run(many(iter(Path(_source).read_text().split()), _target, int(_number)))
