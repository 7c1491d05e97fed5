"""F58: what a page holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.pages.choose import Choice, follows, is_public_url
from penstock.pages.extract import Found, Kind, extract
from penstock.pages.robots import MAX_DELAY, Robots, robots_url
from penstock.pages.srcset import candidates, largest

BASE = "https://e.org/dir/page.html"
SAVED = Path(__file__).parent / "saved"


def urls(html: str | bytes, charset: str | None = None) -> list[str]:
    content = html if isinstance(html, bytes) else html.encode()
    return [found.url.removeprefix("https://e.org") for found in extract(content, url=BASE, charset=charset).found]


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<img src="a.jpg">', ["/dir/a.jpg"]),
        ("<IMG SRC='/A.JPG'>", ["/A.JPG"]),
        ('<img srcset="s.jpg 300w, l.jpg 900w, m.jpg 600w" src=s.jpg>', ["/dir/l.jpg"]),
        ('<img srcset="a.jpg, b.jpg 2x">', ["/dir/b.jpg"]),
        ('<img src="data:image/gif;base64,R0lG" data-src="real.jpg">', ["/dir/real.jpg"]),
        ('<img src="blank.gif" data-srcset="a.jpg 1x, b,c.jpg 3x">', ["/dir/b,c.jpg"]),
        ("<picture><source srcset='a.webp 2x'><img src=b.jpg></picture>", ["/dir/a.webp", "/dir/b.jpg"]),
        ("<video src=v.mp4 poster=p.jpg></video>", ["/dir/v.mp4", "/dir/p.jpg"]),
        ("<audio><source src=s.ogg></audio>", ["/dir/s.ogg"]),
        ('<link rel="Shortcut Icon" href="/f.ico"><link rel=stylesheet href=x.css>', ["/f.ico"]),
        ('<meta property="og:image" content="o.jpg">', ["/dir/o.jpg"]),
        ('<meta name="twitter:image" content="t.jpg">', ["/dir/t.jpg"]),
        ("<div style=\"background: url( 'b.png' ) , url(c.png)\">", ["/dir/b.png", "/dir/c.png"]),
        ("<a href=file.pdf><area href=map.zip>", ["/dir/file.pdf", "/dir/map.zip"]),
        ('<a href="javascript:x()"><a href="mailto:a@b.c"><a href="#top"><a href="tel:1"><img src="blob:x">', []),
        ('<base href="/other/"><img src=a.jpg>', ["/other/a.jpg"]),
        ('<img src=a.jpg><base href="/other/"><base href="/third/">', ["/other/a.jpg"]),
        ('<img src=" a\n.jpg "><img src="a.jpg#x">', ["/dir/a.jpg"]),
        ('<img src="a.jpg?x=1&amp;y=2">', ["/dir/a.jpg?x=1&y=2"]),
        ("<noscript><img src=n.jpg></noscript>", ["/dir/n.jpg"]),
        ("<p><b><img src=a.jpg><table><div><img src=b.jpg>", ["/dir/a.jpg", "/dir/b.jpg"]),
        ('<svg><image href="s.png"/></svg>', ["/dir/s.png"]),
        ('<img src="//cdn.org/a.jpg">', ["https://cdn.org/a.jpg"]),
        ('<img src="ftp://e.org/a.jpg"><img src="http://[bad/a.jpg">', []),
        ("<!-- <img src=no.jpg> --><script>'<img src=no.jpg>'</script>", []),
    ],
)  # fmt: skip
def test_what_is_found(html: str, found: list[str]) -> None:
    assert urls(html) == found


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("<img src='\u044f.jpg'>".encode("windows-1251"), "windows-1251"),
        (b"<meta charset='windows-1251'><img src='\xff.jpg'>", None),
        (b"<meta http-equiv=Content-Type content='text/html; charset=windows-1251'><img src='\xff.jpg'>", "nonsense"),
        ("\ufeff<img src='\u044f.jpg'>".encode("utf-16"), None),
    ],
)
def test_the_charset_is_found(content: bytes, charset: str | None) -> None:
    assert urls(content, charset) == ["/dir/%D1%8F.jpg"]


def test_a_saved_page_gives_exactly_the_expected_set() -> None:
    content = (SAVED / "gallery.html").read_bytes()
    expected = (SAVED / "gallery.txt").read_text().split()
    assert sorted(
        found.url for found in extract(content, url="https://news.example/2024/story", charset=None).found
    ) == sorted(expected)


@pytest.mark.parametrize(
    "unit", ["<div>", "<a href=x{}>", "<b id={}>", "<p>", "<table><tr><td>", "<ul><li>", "<svg><g>", "</div>"]
)
def test_S19_nesting_takes_no_quadratic_time(unit: str) -> None:
    # without the guard each of these takes minutes, which the timeout of the tests sees
    html = "".join(unit.format(number) for number in range(90_000))
    assert "/dir/last.jpg" in urls(html + "<img src=last.jpg>")


def test_bytes_past_the_limit_are_cut_off() -> None:
    page = extract(b"<img src=a.jpg>" + b" " * (17 * 1024 * 1024) + b"<img src=b.jpg>", url=BASE)
    assert page.is_cut
    assert [found.url for found in page.found] == ["https://e.org/dir/a.jpg"]


@given(st.binary(max_size=300) | st.text(alphabet="<>/='\" imgsrcahefdtbl,:\n", max_size=200).map(str.encode))
def test_nothing_is_raised_on_anything(content: bytes) -> None:
    assert all(isinstance(found, Found) for found in extract(content, url=BASE).found)


def test_srcset_by_the_standard() -> None:
    text = "data:image/png;base64,AA==, a.jpg 1.5x, b,c.jpg 100w (a, b), d.jpg"
    assert [candidate.url for candidate in candidates(text)] == [
        "data:image/png;base64,AA==",
        "a.jpg",
        "b,c.jpg",
        "d.jpg",
    ]
    assert largest("") is None
    assert largest("a 1w, b 1w") == "a"


@given(st.text(alphabet="a,.( )12wx\n", max_size=100))
def test_srcset_never_raises(text: str) -> None:
    assert all(candidate.url for candidate in candidates(text))


def found(url: str, kind: Kind = Kind.IMAGE) -> Found:
    return Found(f"https://e.org{url}", kind)


@pytest.mark.parametrize(
    ("choice", "item", "wanted"),
    [
        (Choice(), found("/a"), True),
        (Choice(), found("/a.pdf", Kind.LINK), True),
        (Choice(), found("/a.html", Kind.LINK), False),
        (Choice(), found("/", Kind.LINK), False),
        (Choice(accept=("*.JPG",)), found("/x/A.jpg"), True),
        (Choice(accept=("*.jpg",)), found("/x/a.png"), False),
        (Choice(accept=("photos/*",)), found("/my/photos/a"), True),
        (Choice(reject=("*.png",)), found("/a.png"), False),
        (Choice(accept=("image/*",)), found("/a.png"), True),
        (Choice(accept=("image/*",)), found("/a", Kind.LINK), False),
    ],
)
def test_what_is_wanted(choice: Choice, item: Found, wanted: bool) -> None:
    assert choice.wants(item) is wanted


def test_only_links_to_pages_of_the_host_are_followed() -> None:
    assert follows(found("/b.html", Kind.LINK), BASE)
    assert not follows(found("/b.jpg", Kind.LINK), BASE)
    assert not follows(Found("https://other.org/b.html", Kind.LINK), BASE)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://localhost:1/", "http://[::1]/", "http://10.0.0.1/", "http://a.internal/"]
)
def test_S18_private_places_by_their_names(url: str) -> None:
    assert not is_public_url(url)
    assert is_public_url("https://e.org/")


def test_robots_rules_and_what_a_status_means() -> None:
    robots = Robots.for_answer(
        200,
        b"User-agent: *\nDisallow: /private\nCrawl-delay: 2\nUser-agent: penstock\nDisallow: /*.gif$\nCrawl-delay: 999",
    )
    assert not robots.allows("https://e.org/a.gif")
    assert robots.allows("https://e.org/private")
    assert robots.delay == MAX_DELAY
    assert Robots.for_answer(404, b"").allows("https://e.org/x")
    assert not Robots.for_answer(503, b"").allows("https://e.org/x")
    assert robots_url("https://e.org:1/a?b") == "https://e.org:1/robots.txt"


@given(st.binary(max_size=200))
def test_robots_never_raises(content: bytes) -> None:
    assert Robots.for_answer(200, content).allows("https://e.org/") in {True, False}
