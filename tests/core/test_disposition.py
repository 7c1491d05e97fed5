"""File names in Content-Disposition: by the book, and as browsers read what is not."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
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
        ("attachment; filename*0=foo; filename*1=bar.txt", "foobar.txt"),
        ("attachment; filename*0*=UTF-8''foo-%e2%82%ac; filename*1=.txt", "foo-€.txt"),
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


@given(st.text(max_size=300))
def test_nothing_raises(text: str) -> None:
    filename(text)
    filename("attachment; filename=" + text)
    filename("attachment; filename*=" + text)


def test_a_huge_field_is_ignored() -> None:
    assert filename('attachment; filename="' + "a" * 100_000 + '"') is None
    assert filename("attachment" + "; x=1" * 3000 + "; filename=a") == "a"
