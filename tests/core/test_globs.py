"""URL globbing as curl has it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.globs import fill, parse_glob
from penstock.errors import InvalidRequest
from tests.fuzz.steps import counted

H = "http://e.org/"


@pytest.mark.parametrize(
    ("url", "expanded"),
    [
        ("a", ["a"]),
        ("a[1-3]", ["a1", "a2", "a3"]),
        ("a[008-010].jpg", ["a008.jpg", "a009.jpg", "a010.jpg"]),
        ("[1-10:4]", ["1", "5", "9"]),
        ("[a-c]", ["a", "b", "c"]),
        ("[a-z:12]", ["a", "m", "y"]),
        ("{one,two}", ["one", "two"]),
        ("{a,}b", ["ab", "b"]),
        ("{a,b}[1-2]", ["a1", "a2", "b1", "b2"]),
        (r"\[1-2\]\{a\,b\}", ["[1-2]{a,b}"]),
        (r"{a\,b,c}", ["a,b", "c"]),
        ("x[]y", ["x[]y"]),
    ],
)
def test_ranges_and_sets_stand_for_what_curl_makes_of_them(url: str, expanded: list[str]) -> None:
    glob = parse_glob(H + url)
    assert [match.url for match in glob] == [H + part for part in expanded]
    assert glob.count == len(expanded)


@pytest.mark.parametrize("url", ["http://[::1]:8080/a", "http://[fe80::1%25eth0]/a", "http://[::1]/x[1-2]"])
def test_an_ipv6_address_in_the_host_is_no_range(url: str) -> None:
    assert next(iter(parse_glob(url))).url.startswith(url.partition("x[")[0])


@pytest.mark.parametrize(
    ("url", "at"),
    [("a[1-", 15), ("a[b]", 15), ("[3-1]", 14), ("[a-Z]", 14), ("[1-2:0]", 14), ("{a", 14), ("{}", 14), ("a]", 15),
     ("a}", 15), ("{a{b}}", 16), ("[1-99999999999999999999]", 14)],
)  # fmt: skip
def test_what_makes_no_sense_is_told_with_its_place(url: str, at: int) -> None:
    with pytest.raises(InvalidRequest, match=f"at character {at} "):
        parse_glob(H + url)


def test_a_product_too_large_to_hold_is_walked_lazily() -> None:
    glob = parse_glob(H + "[1-1000000000][1-1000000000]")
    assert glob.count == 10**18
    assert [match.url for match in itertools.islice(glob, 2)] == [H + "11", H + "12"]


def test_the_parts_name_the_output() -> None:
    [match] = parse_glob(H + "{a/b}/[7-7]")
    assert fill("x_#1_#2_#3.bin", match.parts) == "x_a_b_7_#3.bin"


@given(st.text(alphabet="[]{}a1-,:\\/", max_size=40))
def test_nothing_but_our_own_error_is_raised(text: str) -> None:
    try:
        glob = parse_glob(text)
    except InvalidRequest:
        return
    assert glob.count >= 1
    assert len(list(itertools.islice(glob, 100))) == min(100, glob.count)


def test_S19_an_address_without_its_end_is_not_looked_for_again_and_again() -> None:
    with counted(100_000), pytest.raises(InvalidRequest):
        parse_glob("https://[" + ":" * 2000)
