"""Where a walk ends."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from penstock.core.rows import BadRow, Row
from penstock.model import Document
from penstock.pages import crawl
from penstock.pages.choose import Choice
from penstock.pages.crawl import Crawl, Walk
from penstock.pages.reader import Reader

SITE = "http://e.org"


def walked(pages: dict[str, bytes], depth: int) -> list[Row | BadRow]:
    """What a walk over these pages brings."""

    def read(url: str, _most: int) -> Future[Document]:
        future: Future[Document] = Future()
        future.set_result(Document(url=url, content=pages[url], media_type="text/html"))
        return future

    reader = Reader(read, Future.result, lambda _origin, _pace: None, lambda _text: None)
    walk = Crawl(Walk(f"{SITE}/", Choice(), depth, obeys_robots=False))
    walk.begin(reader)
    return list(walk.files(reader, lambda _url: True))


def test_pages_beyond_the_most_are_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "MAX_PAGES", 3)
    pages = {f"{SITE}/": b"<a href=/1>", f"{SITE}/1": b"<a href=/2><a href=/3><a href=/4>", f"{SITE}/2": b"<a href=/5>"}
    [bad] = walked(pages, 4)
    assert isinstance(bad, BadRow)
    assert bad.text == f"{SITE}/3"
    assert bad.why == "3 pages are the most that are read: this one and more are left out"


def test_files_beyond_the_most_are_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "MAX_URLS", 2)
    pages = {f"{SITE}/": b"<img src=/a><img src=/b><img src=/c><a href=/1>", f"{SITE}/1": b"<img src=/d>"}
    *rows, bad = walked(pages, 2)
    assert [row.urls[0] for row in rows if isinstance(row, Row)] == [f"{SITE}/a", f"{SITE}/b"]
    assert isinstance(bad, BadRow)
    assert bad.text == f"{SITE}/c"
