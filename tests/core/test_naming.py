"""From any hint to one safe component: never outside, hidden, a device, or one of our own files."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.core.naming import MAX_NAME_BYTES, choose_name, decoded_name, numbered, safe_name

ORDINARY = st.text(st.characters(), max_size=400)  # lone surrogates too
DEVICE = re.compile(r"con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]", re.IGNORECASE)
#: Hints made of the pieces that the rules are about.
NASTY = st.lists(
    st.sampled_from(
        [
            ".",
            " ",
            "\u00a0",
            "/",
            "\\",
            "con",
            "nul",
            "com\u00b9",
            ".part",
            ".journal",
            "~",
            ".corrupt",
            "\u202e",
            "\u2028",
            "a",
            "ä" * 60,
            ".tar",
            ".gz",
            "_",
            "e\u0301",
            "\ud800",
            "b" * 200,
        ]
    ),
    max_size=12,
).map("".join)


@given(ORDINARY | NASTY)
@example("a. \u00a0.")
@example("a\u2028b")
@example("\ud800")
@example("b" * (MAX_NAME_BYTES - 5) + ".part")
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
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in name)
    assert not name.startswith(".")
    assert not name.endswith((".", " "))
    assert not DEVICE.fullmatch(name.partition(".")[0].strip())
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
        ("NUL .txt", "_NUL .txt"),
        ("conin$", "_conin$"),
        ("com0", "_com0"),
        ("com10", "com10"),
        ("a.txt::$DATA", "a.txt__$DATA"),
        ("a.part.journal~", "a.part.journal~_"),
        ("a. \u00a0.", "a"),
        ("\\\\host\\share\\a", "a"),
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
def test_F45_examples(hint: str, name: str | None) -> None:
    assert safe_name(hint) == name


def test_F45_the_longest_name_leaves_room_for_our_files() -> None:
    name = safe_name("b" * 1000)
    assert name is not None
    assert len(name) == 240
    assert len(name + ".part.journal~") <= 255


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
        (None, "http://e.org/a%2f", None, "index.html"),
        (None, "http://e.org/%2e%2e%2f%2e%2e%2fetc%2fpasswd", None, "passwd"),
        (None, "http://e.org/\ud800a", None, "_a"),
        ('attachment; filename="%2e%2e%2fb.txt"', "http://e.org/a", None, "b.txt"),
        ('attachment; filename=".netrc"', "http://e.org/a", None, "_netrc"),
        ("inline", "http://e.org/a.txt", "text/html", "a.txt"),
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


@given(ORDINARY | NASTY, st.integers(1, 10**6))
def test_S02_S25_a_numbered_name_is_safe_as_it_is(hint: str, number: int) -> None:
    name = safe_name(hint)
    if name is not None:
        assert safe_name(numbered(name, number)) == numbered(name, number)


@given(ORDINARY | NASTY, st.sampled_from([".gz", ".br", ".zst", ".Z", ".tgz"]))
def test_S02_S25_F18_what_is_left_of_a_decoded_name_is_safe(hint: str, suffix: str) -> None:
    name = safe_name(hint + suffix)
    if name is not None:
        assert safe_name(decoded_name(name)) == decoded_name(name)


def test_S02_no_coding_hides_a_suffix_of_ours() -> None:
    assert decoded_name("a.part.gz") == "a.part_"
    assert decoded_name("a.corrupt.zst") == "a.corrupt_"
    assert decoded_name("a.tar.Z") == "a.tar"


@pytest.mark.parametrize("blank", ["\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0"])
def test_F45_letters_that_show_as_nothing_make_no_name(blank: str) -> None:
    assert safe_name(blank) is None
    assert safe_name(f"a{blank}.txt") == "a.txt"


def test_F45_what_follows_the_last_dot_of_a_sentence_is_no_extension() -> None:
    assert numbered("Dr. Smith here", 1) == "Dr. Smith here.1"
    assert numbered("a.b-c_d", 1) == "a.1.b-c_d"
    assert numbered("图.文档", 2) == "图.2.文档"
    name = safe_name("a" * 300 + ". and more")
    assert name == "a" * MAX_NAME_BYTES
