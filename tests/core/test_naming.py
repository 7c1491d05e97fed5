"""From any hint to one safe component: never outside, hidden, a device, or one of our own files."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.core.naming import MAX_NAME_BYTES, choose_name, decoded_name, numbered, safe_name

ORDINARY = st.text(max_size=400)


@given(ORDINARY)
@example("a" * 1000 + ".tar.gz")
@example("\u202egnp.exe")
@example("ÄÖ" * 300)
@example("con .txt")
@example("._.")
def test_S01_S02_S25_every_name_is_safe(hint: str) -> None:
    name = safe_name(hint)
    if name is None:
        return
    assert name
    assert len(name.encode("utf-8")) <= MAX_NAME_BYTES
    assert not set(name) & set('/\\<>:"|?*\0')
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in name)
    assert not name.startswith(".")
    assert not name.endswith((".", " "))
    assert name.strip() == name
    assert not name.lower().endswith((".part", ".part.journal", ".part.journal~", ".corrupt"))
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        ("a.iso", "a.iso"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\win.ini", "win.ini"),
        ("C:\\a.txt", "a.txt"),
        ("a:b.txt", "a_b.txt"),
        (".bashrc", "_bashrc"),
        ("...hidden", "_hidden"),
        ("a\0b.txt", "ab.txt"),
        ("a\u202etxt.exe", "atxt.exe"),
        ("a\u200bb", "ab"),
        (" a.txt . ", "a.txt"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("lpt\u00b9", "_lpt\u00b9"),
        ("console.txt", "console.txt"),
        ("a.part", "a.part_"),
        ("a.PART.journal", "a.PART.journal_"),
        ("a.corrupt", "a.corrupt_"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("", None),
        ("..", None),
        ("/", None),
        ("   ", None),
        ("\u202e", None),
    ],
)
def test_examples(hint: str, name: str | None) -> None:
    assert safe_name(hint) == name


def test_F45_a_long_name_keeps_its_extension() -> None:
    name = safe_name("ä" * 300 + ".tar.gz")
    assert name is not None
    assert name.endswith(".tar.gz")
    assert MAX_NAME_BYTES - 3 <= len(name.encode()) <= MAX_NAME_BYTES


@pytest.mark.parametrize(
    ("disposition", "url", "media_type", "name"),
    [
        ('attachment; filename="b.txt"', "http://e.org/a.txt", None, "b.txt"),
        ('attachment; filename="../.."', "http://e.org/a.txt", None, "a.txt"),
        (None, "http://e.org/dir/a%20b.txt?x=1/2#f/g", None, "a b.txt"),
        (None, "http://e.org/%e2%82%ac.txt", None, "€.txt"),
        (None, "http://e.org/%ff.txt", None, "ÿ.txt"),
        (None, "http://e.org/a%2f..%2fb", None, "b"),
        (None, "http://e.org/a%252fb", None, "a%2fb"),
        (None, "http://e.org/..%5c..%5cboot.ini", None, "boot.ini"),
        (None, "http://e.org/", "text/html", "index.html"),
        (None, "http://e.org", "application/pdf", "index.pdf"),
        (None, "http://e.org/dir/", "application/x-nobody-knows", "index.html"),
        (None, "http://e.org/%00", "image/png", "index.png"),
    ],
)
def test_S01_S03_where_the_name_comes_from(disposition: str, url: str, media_type: str, name: str) -> None:
    assert choose_name(disposition=disposition, url=url, media_type=media_type) == name


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=30))
def test_there_is_always_a_name(disposition: str, path: str, media_type: str) -> None:
    url = "http://e.org/" + path.replace("[", "").replace("]", "")
    name = choose_name(disposition=disposition, url=url, media_type=media_type)
    assert safe_name(name) == name


def test_numbers_go_before_the_extension() -> None:
    assert numbered("a.iso", 1) == "a.1.iso"
    assert numbered("a.tar.gz", 12) == "a.12.tar.gz"
    assert numbered("a", 1) == "a.1"
    assert len(numbered("ä" * 120 + ".iso", 10_000).encode()) <= MAX_NAME_BYTES


def test_F18_a_decoded_file_loses_the_suffix_of_its_coding() -> None:
    assert decoded_name("a.txt.gz") == "a.txt"
    assert decoded_name("a.tgz") == "a.tar"
    assert decoded_name("a.html.br") == "a.html"
    assert decoded_name("a.html") == "a.html"
    assert decoded_name(".gz") == ".gz"
