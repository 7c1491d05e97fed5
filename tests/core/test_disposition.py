"""File names in Content-Disposition: by the book, and as browsers read what is not."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.core.disposition import filename

EURO = "€ rates.txt"
AS_BYTES = EURO.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="a.txt"', "a.txt"),
        ("attachment; filename=a.txt", "a.txt"),
        ("attachment;filename=a.txt;", "a.txt"),
        ("ATTACHMENT; FILENAME=a.txt", "a.txt"),
        ("inline; filename=a.txt", "a.txt"),
        ("filename=a.txt", "a.txt"),
        ("attachment; filename=a b c.txt", "a b c.txt"),
        ('attachment; filename="a;b.txt"', "a;b.txt"),
        (r'attachment; filename="a\"b.txt"', 'a"b.txt'),
        (r'attachment; filename="C:\dir\a.txt"', r"C:\dir\a.txt"),
        ("attachment; filename='a.txt'", "'a.txt'"),
        ('attachment; filename="a.txt', "a.txt"),
        ('attachment; filename="a.txt"; filename="b.txt"', "a.txt"),
        ('attachment; filename="a%20b.txt"', "a b.txt"),
        ('attachment; filename="100%.txt"', "100%.txt"),
        ("attachment; filename*=UTF-8''%e2%82%ac%20rates.txt", EURO),
        ("attachment; filename*=utf-8'en'%e2%82%ac%20rates.txt; filename=fallback.txt", EURO),
        ("attachment; filename=fallback.txt; filename*=UTF-8''%e2%82%ac%20rates.txt", EURO),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates", "£ rates"),
        ("attachment; filename*=UTF-8''%ff%fe; filename=fallback.txt", "fallback.txt"),
        ("attachment; filename*=nonsense; filename=fallback.txt", "fallback.txt"),
        (f'attachment; filename="{AS_BYTES}"', EURO),
        ('attachment; filename="na\xefve.txt"', "naïve.txt"),
        (f'attachment; filename="=?utf-8?B?{base64.b64encode(EURO.encode()).decode()}?="', EURO),
        ('attachment; filename="=?utf-8?Q?a=5Fb_c.txt?="', "a_b c.txt"),
        ('attachment; filename="=?utf-8?Q?a?= =?utf-8?B?Yi50eHQ=?="', "ab.txt"),
        ('attachment; filename="=?gb2312?B?xOO6wy50eHQ=?="', "你好.txt"),
        ('attachment; filename="=?rot13?Q?a.txt?="', "=?rot13?Q?a.txt?="),
        ('attachment; filename="=?utf-8?B?not base64?="', "=?utf-8?B?not base64?="),
        ("attachment; filename*=UTF-8''\u00c3\u00a4.txt", "ä.txt"),
        ("attachment; filename*=\"UTF-8''a%20b.txt\"", "a b.txt"),
        ("attachment; filename*=unicode_escape''%5cx41; filename=b.txt", "b.txt"),
        ("attachment; filename*=UTF-8''; filename=b.txt", "b.txt"),
        ('attachment; filename="%ff%fe.txt"', "%ff%fe.txt"),
        ('attachment; filename="a.txt\\', "a.txt"),
        ('attachment; filename="a\\"', 'a"'),
        ('attachment; note="; filename=evil.txt"; filename=a.txt', "a.txt"),
        ('attachment; filename="a.txt" junk; x=y', "a.txt"),
        ("attachment; ; ;filename=a.txt;;", "a.txt"),
        ("attachment; filename = a.txt ", "a.txt"),
        ("filename=a.txt; attachment", "a.txt"),
        ("attachment; filename*0=foo; filename*1=bar.txt", "foobar.txt"),
        ("attachment; filename*0*=UTF-8''foo-%e2%82%ac; filename*1=.txt", "foo-€.txt"),
        ("attachment; filename*1=bar; filename*0=foo; filename*3=lost", "foobar"),
        ("attachment; filename*0*=UTF-8''a%e2%82; filename*1*=%acb; filename*2=%20c", "a€b%20c"),
        ("attachment; filename*0=a; filename*1*=%20b", "a b"),
        ("attachment", None),
        ("", None),
        (None, None),
        ("attachment; filename=", None),
        ('attachment; filename=""', None),
        ("attachment; xfilename=a.txt", None),
        ("attachment; filename*1=lost.txt", None),
    ],
)
def test_forms(value: str | None, name: str | None) -> None:
    assert filename(value) == name


@given(st.text(st.characters(), max_size=300))
@example("\ud800")
@example("UTF-8''\ud800%41")
def test_nothing_raises(text: str) -> None:
    filename(text)
    filename("attachment; filename=" + text)
    filename("attachment; filename*=" + text)


def test_a_huge_field_is_ignored() -> None:
    assert filename('attachment; filename="' + "a" * 100_000 + '"') is None
    assert filename("attachment" + "; x=1" * 3000 + "; filename=a") == "a"


@given(st.text(min_size=1, max_size=80).filter(lambda name: "%" not in name and "=?" not in name))
def test_what_a_careful_server_quotes_is_read_back(name: str) -> None:
    sent = name.encode().decode("latin-1").replace("\\", "\\\\").replace('"', '\\"')
    assert filename(f'attachment; filename="{sent}"') == name


@given(st.text(min_size=1, max_size=80))
def test_what_a_careful_server_encodes_is_read_back(name: str) -> None:
    assert filename(f"attachment; filename*=UTF-8''{quote(name, safe='')}") == name


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "unit", ["a", ";", " ", '"', "\\", "=", "a ", "a;", "; ", "=?", "=?a?b?", "?= ", "'", "%", "filename*1=a;"]
)
def test_no_field_takes_more_than_linear_time(unit: str) -> None:
    hostile = unit * (16_000 // len(unit))
    for prefix in ("", "attachment; filename=", 'attachment; filename="', "attachment; filename*=", "x " * 99):
        for _ in range(5):  # quadratic reading takes seconds each
            filename(prefix + hostile[: 16_000 - len(prefix)])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (r'attachment; filename="f\oo.html"', "foo.html"),
        (r'attachment; filename="\"quoting\" tested.html"', '"quoting" tested.html'),
        (r'attachment; filename="\\foo.html"', r"\foo.html"),
        (r'attachment; filename*0="foo"; filename*1="\b\a\r.html"', "foobar.html"),
        ('attachment; filename*0="foo"; filename*01="bar"', "foo"),
        ('attachment; filename="\xe4-%41.html"', "ä-%41.html"),
        ('attachment; filename="foo-%41.html"', "foo-A.html"),
        ('attachment; filename="50%.html"', "50%.html"),
        ("attachment; filename=foo,bar.html", "foo,bar.html"),
        ("attachment; filename=foo[1](2).html", "foo[1](2).html"),
        ('attachment; foo="\\"\\\\";filename="foo.html"', "foo.html"),
        ('attachment; example="filename=example.txt"', None),
        ('attachment; name="foo.html"', None),
        ("attachment; filename=bar foo=foo ", "bar foo=foo"),
        ("attachment; filename*=''foo-%c3%a4.html", None),
        ("attachment; filename*=UTF-8'foo-%c3%a4.html", None),
        ("attachment; filename*=utf-8''foo-%E4.html", None),
        ("attachment; filename *=UTF-8''foo-%c3%a4.html", None),
        ("attachment; filename* = UTF-8''foo-%c3%a4.html", "foo-ä.html"),
        ("attachment; filename*=UTF-8''A-%2541.html", "A-%41.html"),
        ("attachment; filename*0*=ISO-8859-15''euro%3d%a4; filename*=ISO-8859-1''currency%3d%a4", "currency=¤"),
        ("attachment; filename==?ISO-8859-1?Q?foo-=E4.html?=", "foo-ä.html"),
        ("inline; attachment; filename=foo.html", "foo.html"),
        (r'attachment; filename="c:\temp\new.txt"', r"c:\temp\new.txt"),
    ],
)
def test_the_cases_of_tc2231_as_browsers_read_them(value: str, name: str | None) -> None:
    assert filename(value) == name


@pytest.mark.parametrize("name", ["voilà", "Å", "a Å", "Å b à"])
def test_a_letter_whose_last_byte_is_a_space_of_another_charset_stays_whole(name: str) -> None:
    raw = name.encode().decode("latin-1")
    assert filename(f"attachment; filename={raw}") == name
    assert filename(f"attachment; filename={raw} ; x=y") == name
