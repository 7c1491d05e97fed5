"""F58: what a page holds."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.pages.choose import Choice
from penstock.pages.extract import Found, extract
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
        ('<img srcset="a.jpg 1x, b.jpg 2x, data:image/png;base64,AA== 3x">', ["/dir/b.jpg"]),
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
        ("<!--><img src=a.jpg>--><!---><img src=b.jpg><!x <img src=c.jpg><? <img src=d.jpg>",
         ["/dir/a.jpg", "/dir/b.jpg"]),
        ("<template><template></template><img src=no.jpg></template><img src=a.jpg>", ["/dir/a.jpg"]),
        ("<svg><title/><style/></svg><img src=a.jpg><textarea><img src=no.jpg></TEXTAREA ><img src=b.jpg>",
         ["/dir/a.jpg", "/dir/b.jpg"]),
        ("<image src=a.jpg><svg><image href=b.png></svg>", ["/dir/a.jpg", "/dir/b.png"]),
        ('<img alt="a > b" src=a.jpg><img alt=\'"\'src=b.jpg/><img/src=c.jpg><img ="src=no.jpg><img src=d.jpg">',
         ["/dir/a.jpg", "/dir/b.jpg/", "/dir/c.jpg", "/dir/d.jpg%22"]),
        ("<img src=a.jpg><img src=cut.jpg", ["/dir/a.jpg"]),
        ("<script src=x/><img src=a.jpg>", ["/dir/a.jpg"]),
        # what is shown is wanted, whatever links to it
        ('<a href="/media/1"><img src="/media/1"></a>', ["/media/1"]),
        # lazy loaders
        ("<img srcset='tiny.jpg 20w' data-srcset='small.jpg 300w, large.jpg 900w'>", ["/dir/large.jpg"]),
        ("<img srcset='a.jpg 1x, data:image/gif;base64,AA 2x' src=b.jpg>", ["/dir/a.jpg"]),
        ("<img data-lazy=true data-image=55 data-url=/item/1 data-src='{{x.jpg}}' src=a.jpg>", ["/dir/a.jpg"]),
        ("<img data-lazy=b.jpg?w=1 src=a.jpg>", ["/dir/b.jpg?w=1"]),
        ("<div data-bg=a.jpg><div data-bg='url(b.jpg)'><div data-background-image=c.jpg><i data-background=dark>",
         ["/dir/a.jpg", "/dir/b.jpg", "/dir/c.jpg"]),
        ("<video data-src=v.mp4 data-poster=p.jpg><track src=t.vtt></video>",
         ["/dir/v.mp4", "/dir/p.jpg", "/dir/t.vtt"]),
        ("<body background=a.gif><td background=b.gif>", ["/dir/a.gif", "/dir/b.gif"]),
        ("<embed src=a.pdf><object data=b.pdf></object><iframe src=c.pdf></iframe>",
         ["/dir/a.pdf", "/dir/b.pdf", "/dir/c.pdf"]),
        # base
        ('<base href=""><base href="/x/"><img src=a.jpg>', ["/dir/a.jpg"]),
        ('<base href="data:,x"><base href="/x/"><img src=a.jpg>', ["/dir/a.jpg"]),
        ('<base target=_blank><base href="../x/"><img src=a.jpg>', ["/x/a.jpg"]),
        # URLs as browsers read them
        ("<img src='im\\a.jpg'><img src='///cdn.org/b.jpg'><img src='https:\\\\cdn.org\\c.jpg'>",
         ["/dir/im/a.jpg", "https://cdn.org/b.jpg", "https://cdn.org/c.jpg"]),
        ("<img src='https://e.org/x/../a.jpg'><img src='/%2E%2e/a.jpg'><img src='https://e.org/./a.jpg?/../b'>",
         ["/a.jpg", "/a.jpg?/../b"]),
        ("<a href='java\nscript:x.zip'></a><a href=' \x01javascript:x.zip'></a><a href='vbscript:x.zip'>", []),
        ("<img src='http://пример.рф/a%20b c.jpg'>", ["http://xn--e1afmkfd.xn--p1ai/a%20b%20c.jpg"]),
        ("<img src='https://'><img src='//'><img src='https://?x'>", []),
        # styles
        ('<p style="background:url(&quot;a(1).jpg&quot;)">', ["/dir/a(1).jpg"]),
        ("<p style='background:url(a\\)b.png),url(\"c\\\"d.png\"),url(\\65 .png)'>",
         ["/dir/a)b.png", "/dir/c%22d.png", "/dir/e.png"]),
        ("<p style='/* url(no.png) */ content:\"url(no.png)\"; background:url(a.png'>", ["/dir/a.png"]),
        ("<p style='background:url(#no),url(no no.png),url(a.png)'>", ["/dir/a.png"]),
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
        ("<img src='\u044f.jpg'>".encode("utf-16-le"), "utf-16"),
        ("<meta charset=utf-16le><img src='\u044f.jpg'>".encode(), None),
        ("<!-- <meta charset=utf-8> --><meta charset=koi8-r><img src='\u044f.jpg'>".encode("koi8-r"), None),
        ("<?xml version='1.0' encoding='windows-1251'?><img src='\u044f.jpg'>".encode("windows-1251"), None),
        ("<img src='\u044f.jpg'>".encode(), "undefined"),
        ("<meta charset=raw-unicode-escape><img src='\u044f.jpg'>".encode(), None),
    ],
)
def test_the_charset_is_found(content: bytes, charset: str | None) -> None:
    assert urls(content, charset) == ["/dir/%D1%8F.jpg"]


def test_a_query_is_in_the_charset_of_the_page_and_a_path_in_utf_8() -> None:
    assert urls("<img src='\u044f?\u044f=\u20b4'>".encode("windows-1251", "xmlcharrefreplace"), "cp1251") == [
        "/dir/%D1%8F?%FF=%26%238372%3B"
    ]
    assert urls("<img src='?\u3042'>".encode("shift_jis"), "Shift_JIS") == ["/dir/page.html?%82%A0"]


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("gallery", "https://news.example/2024/story"),
        ("market", "https://static.news.example/2024/page/index.html"),
    ],
)
def test_F58_a_saved_page_gives_exactly_the_expected_set(name: str, url: str) -> None:
    found = extract((SAVED / f"{name}.html").read_bytes(), url=url).found
    lines = [item.url if Choice().wants(item) else f"page {item.url}" for item in found]
    assert lines == (SAVED / f"{name}.txt").read_text().splitlines()


@pytest.mark.parametrize(
    "unit",
    ["<div>", "<a href=x{}>", "<b id={}>", "<p>", "<table><tr><td>", "<ul><li>", "<svg><g>", "</div>", "<b id={}></x>",
     "<div><object></div></object>", '<b id={} title="</b>">', "<a ='", "<!-", "<p><b id={}></p>"],
)  # fmt: skip
def test_F58_S19_nesting_takes_no_quadratic_time(unit: str) -> None:
    # without the guard each of these takes minutes, which the timeout of the tests sees
    html = "".join(unit.format(number) for number in range(90_000))
    assert "/dir/last.jpg" in urls("<!-->" + html + "\"'><!----><img src=last.jpg>")


@pytest.mark.parametrize("value", ["url(", "url('", "url(a", "/*", "\\", "url( "])
def test_S19_styles_take_no_quadratic_time(value: str) -> None:
    html = f'<p style="{value * (60_000 // len(value))}">' * 40
    assert urls(html + "<img src=last.jpg>")[-1] == "/dir/last.jpg"


def test_S19_srcset_takes_no_quadratic_time() -> None:
    assert urls(("<img srcset='a " + "(" * 60_000 + "'>") * 20 + "<img src=last.jpg>") == ["/dir/a", "/dir/last.jpg"]


def test_S19_a_large_page_takes_little_memory() -> None:
    content = b"<div class=x><a href=/file.zip><img src=/a.jpg></a></div>\n" * 120_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(extract(content, url=BASE).found) == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


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
