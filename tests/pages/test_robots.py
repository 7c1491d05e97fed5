"""robots.txt, for our own agent name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.pages.robots import MAX_DELAY, Robots, robots_url


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
    assert not Robots.for_answer(429, b"").allows("https://e.org/x")


def test_S19_robots_of_many_names_and_rules_take_no_quadratic_time() -> None:
    names = b"".join(b"User-agent: a%d\n" % number for number in range(12_000))
    rules = b"".join(b"Disallow: /%d\n" % number for number in range(12_000))
    assert Robots.for_answer(200, names + rules).allows("https://e.org/1")
    assert not Robots.for_answer(200, names + b"user agent : PENSTOCK\n" + rules).allows("https://e.org/1")


@given(st.binary(max_size=200))
def test_robots_never_raises(content: bytes) -> None:
    assert Robots.for_answer(200, content).allows("https://e.org/") in {True, False}
