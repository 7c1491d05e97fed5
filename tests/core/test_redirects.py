"""Redirects are followed within bounds, and never to where a download must not go."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.core.redirects import REDIRECT_STATUSES, Follow, Refused, follow
from penstock.model import Head


def step(
    location: str | None,
    *,
    url: str = "https://e.org/dir/a",
    status: int = 302,
    hops: int = 0,
    allow_downgrade: bool = False,
) -> Follow | Refused | None:
    fields = () if location is None else (("location", location),)
    return follow(url, Head(status, fields), hops, max_redirects=20, allow_downgrade=allow_downgrade)


@pytest.mark.parametrize(
    ("location", "target", "crosses"),
    [
        ("https://e.org/b", "https://e.org/b", False),
        ("/b", "https://e.org/b", False),
        ("b", "https://e.org/dir/b", False),
        ("../b", "https://e.org/b", False),
        ("?q", "https://e.org/dir/a?q", False),
        ("//cdn.org/b", "https://cdn.org/b", True),
        ("https://e.org:8443/b", "https://e.org:8443/b", True),
        ("https://e.org/b#fragment", "https://e.org/b", False),
        ("https://user:pw@e.org/b", "https://e.org/b", False),
        ("/\u00c3\u00a4", "https://e.org/%C3%A4", False),
        ("/a b", "https://e.org/a%20b", False),
    ],
)
def test_F26_where_it_leads(location: str, target: str, crosses: bool) -> None:
    assert step(location) == Follow(target, crosses)


@pytest.mark.parametrize("status", sorted(REDIRECT_STATUSES))
def test_F26_every_kind_is_followed(status: int) -> None:
    assert isinstance(step("/b", status=status), Follow)


@pytest.mark.parametrize("status", [200, 206, 300, 304, 404, 416])
def test_other_statuses_are_no_redirects(status: int) -> None:
    assert step("/b", status=status) is None


def test_F26_they_are_bounded() -> None:
    assert isinstance(step("/b", hops=19), Follow)
    assert isinstance(step("/b", hops=20), Refused)


def test_F26_without_a_location_it_is_refused() -> None:
    assert isinstance(step(None), Refused)
    assert isinstance(step(""), Refused)


def test_S06_down_from_https_only_when_allowed() -> None:
    assert isinstance(step("http://e.org/b"), Refused)
    assert step("http://e.org/b", allow_downgrade=True) == Follow("http://e.org/b", True)
    assert isinstance(step("https://e.org/b", url="http://e.org/a"), Follow)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://e.org/", "gopher://e.org", "smb://x/y", "data:,x"])
def test_S07_other_schemes_are_refused(location: str) -> None:
    assert isinstance(step(location), Refused)


@given(st.text(st.characters(), max_size=200))
@example("//u:p@e.org\uff0f\u202e")
def test_nothing_raises(location: str) -> None:
    outcome = step(location)
    assert isinstance(outcome, Follow | Refused)
    if isinstance(outcome, Refused):
        assert outcome.why.isprintable()
    if isinstance(outcome, Follow):
        assert outcome.url.startswith("https://")


@pytest.mark.parametrize("location", ["/a\tb", "/a\r\nb", "/\0", "\x1fhttps://e.org/", "ht\ttps://e.org/"])
def test_S08_control_characters_are_refused_not_dropped(location: str) -> None:
    assert step(location) == Refused("a redirect to a URL with a control character")


@pytest.mark.parametrize(
    ("source", "location"),
    [
        ("https://e.org/a", "https://other.org/a"),
        ("https://e.org/a", "https://sub.e.org/a"),
        ("https://e.org/a", "https://e.org:444/a"),
        ("http://e.org/a", "https://e.org/a"),
        ("http://e.org/a", "http://e.org./a"),
    ],
)
def test_S05_host_port_and_scheme_make_the_origin(source: str, location: str) -> None:
    outcome = step(location, url=source)
    assert isinstance(outcome, Follow)
    assert outcome.crosses_origin


@pytest.mark.parametrize("location", ["https://E.ORG:443/b", "//e.org/b", "/b", "https://u:p@e.org/b"])
def test_S05_the_same_origin_written_otherwise_is_no_other(location: str) -> None:
    assert step(location) == Follow("https://e.org/b", False)


def test_S05_user_information_is_neither_taken_nor_kept() -> None:
    assert step("/b", url="https://user:pw@e.org/a") == Follow("https://e.org/b", False)
    assert step("https://other:pw@f.org/b") == Follow("https://f.org/b", True)


@pytest.mark.parametrize(
    "location", ["https://u:s3cret@e.org\uff0f/", "https://u:s3cret@e.org:x/", "ftp://u:s3cret@e.org/", "//u:s3cret@[/"]
)
def test_S12_no_refusal_shows_a_password(location: str) -> None:
    outcome = step(location)
    assert isinstance(outcome, Refused)
    assert "s3cret" not in outcome.why


def test_F26_of_two_locations_the_first_counts() -> None:
    head = Head(302, (("location", "/first"), ("location", "/second")))
    outcome = follow("https://e.org/", head, 0, max_redirects=20, allow_downgrade=False)
    assert outcome == Follow("https://e.org/first", False)


@pytest.mark.parametrize(
    ("location", "target"),
    [("/caf\xe9", "https://e.org/caf%E9"), ("/caf\xc3\xa9", "https://e.org/caf%C3%A9"), ("/\x82\xa0?\xff", "https://e.org/%82%A0?%FF")],
)  # fmt: skip
def test_F26_bytes_that_are_not_UTF_8_stay_what_they_are(location: str, target: str) -> None:
    assert step(location) == Follow(target, False)


@pytest.mark.parametrize("location", [" ", "\t", " \t "])
def test_F26_a_location_of_spaces_is_none(location: str) -> None:
    assert step(location) == Refused("HTTP 302 without a Location")


def test_S05_a_redirect_brings_no_credentials_of_its_own_however_they_are_hidden() -> None:
    head = Head(302, (("location", "http://a:b@//user:pw@other.example/"),))
    answer = follow("http://example.org/", head, 0, max_redirects=20, allow_downgrade=False)
    assert isinstance(answer, Refused)
    assert "pw" not in answer.why
