"""Pages and robots.txt of strangers: only http URLs, each once and in normal form, whatever the markup is."""

from __future__ import annotations

import re

from penstock.core.addresses import is_public_url
from penstock.pages.choose import Choice, follows, is_page
from penstock.pages.extract import extract
from penstock.pages.robots import MAX_DELAY, Robots
from penstock.pages.srcset import MAX_CANDIDATES, candidates, largest
from tests.fuzz.parsers.urls import is_normal
from tests.fuzz.target import Target, as_header

_PAGE = "https://e.org/dir/page.html"
_CHARSETS = (None, "utf-8", "iso-8859-1", "utf-16", "gb2312", "x-nobody", "base64", "idna")


def page(data: bytes) -> None:
    """The first byte chooses what HTTP says of the charset."""
    said = _CHARSETS[data[0] % len(_CHARSETS)] if data else None
    found = extract(data[1:], url=_PAGE, charset=said).found
    assert len({item.url for item in found}) == len(found)
    choice = Choice(("*.jpg", "image/*"), ("*.gif",))
    for item in found:
        assert is_normal(item.url), item.url
        choice.wants(item)
        follows(item, _PAGE)
        is_page(item.url)
        is_public_url(item.url)


def srcset(data: bytes) -> None:
    text = as_header(data)
    found = candidates(text)
    assert len(found) <= MAX_CANDIDATES
    assert all(each.url and not re.search(r"[ \t\n\f\r]", each.url) for each in found)
    chosen = largest(text)
    assert chosen is None or chosen in {each.url for each in found}
    plain = [each for each in found if not each.url.startswith(",")]
    written = ", ".join(f"{each.url} {each.width}w" if each.width is not None else f"{each.url} 1x" for each in plain)
    assert [(each.url, each.width) for each in candidates(written)] == [(each.url, each.width) for each in plain]


def robots(data: bytes) -> None:
    rules = Robots.for_answer(200, data)
    assert rules.delay is None or 0 < rules.delay <= MAX_DELAY
    for url in ("https://e.org/", "https://e.org/a/b.html?c=d", "https://e.org/" + "a" * 50):
        assert rules.allows(url) in {True, False}


TARGETS = (
    Target(
        "page",
        page,
        (
            "<img ", "src=", "srcset=", "data-src=", '"', "'", ">", "<", "/>", "<a href=",
            "<base href=", "</a>", "<!--",
            "-->", "<script>", "</script>", "<style>", "style=", "url(", ")", "javascript:", "data:", "&amp;", "&#0;",
            "https://e.org/a.jpg", "//[::1", "<meta charset=", "utf-16", "\ufeff", "\0", "<svg>",
            "<template>", "<source ",
            "<link rel=icon href=", "<meta property=og:image content=", "<plaintext>", "b.gif 2x, c.gif 3x", " ", "\n",
            "<![CDATA[", "\\", "#", "<video poster=", "\udcff\udcfe", "http://", "\t",
        ),
        is_slow=True,
    ),
    Target("srcset", srcset, (",", " ", "a.jpg", "2x", "100w", "1.5x", "(", ")", "data:,", "\t", "\n",
        "\f", "-1w", "0", "\xa0")),
    Target(
        "robots",
        robots,
        (
            "User-agent: ", "penstock", "*", "\n", "\r", "Disallow: ", "Allow: ", "/", "$", "a", "Crawl-delay: ", "1e9",
            "nan", "-1", "inf", "Sitemap: ", "#", ":", "\ufeff", "%2f", "%", "Request-rate: 1/5", "Visit-time: ", "?",
            "Request-rate: 1/0", "Host: ", "\udc80", "Visit-time: 0600-0845", " ", "\0", "10/1m 0800-1300",
        ),
    ),
)  # fmt: skip
