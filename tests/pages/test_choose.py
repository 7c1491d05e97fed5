"""Which files of a page are wanted, and which places are private."""

from __future__ import annotations

import pytest

from penstock.core.addresses import is_public_url
from penstock.pages.choose import Choice, follows
from penstock.pages.extract import Found, Kind


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
        (Choice(accept=("image/*", "*.pdf")), found("/a.png"), True),
        (Choice(accept=("image/*.jpg",)), found("/image/a.png"), False),
        (Choice(accept=("image/*.jpg",)), found("/image/a.jpg"), True),
        (Choice(accept=("image/*",)), found("/a", Kind.LINK), False),
    ],
)
def test_what_is_wanted(choice: Choice, item: Found, wanted: bool) -> None:
    assert choice.wants(item) is wanted


def test_only_links_to_pages_of_the_host_are_followed() -> None:
    assert follows(found("/b.html", Kind.LINK), {"e.org"})
    assert not follows(found("/b.jpg", Kind.LINK), {"e.org"})
    assert not follows(Found("https://other.org/b.html", Kind.LINK), {"e.org"})


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:1/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://a.internal/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://router/",
        "http://127.1/",
    ],
)
def test_S18_private_places_by_their_names(url: str) -> None:
    assert not is_public_url(url)
    assert is_public_url("https://e.org/")
