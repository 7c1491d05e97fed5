"""The page, the picture and the text: whole, escaped, bounded."""

from __future__ import annotations

import re
import tracemalloc
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from penstock.errors import InvalidRequest
from penstock.report.drawing.axis import moment, ticks, value_steps
from penstock.report.judged import judge
from penstock.report.page import page
from penstock.report.picture import png, svg
from penstock.report.reading import records
from penstock.report.text import text
from tests.report.traces import MB, Trace, batch, eventful, one_file

_VOID = {"meta", "link", "br"}
#: What a server may call a file or itself, to get into a page or a terminal.
HOSTILE = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[31m\u202eevil\u0000]]>"


class Outline(HTMLParser):
    """Checks that elements close in order, and collects what may be dangerous."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0
        self.handlers: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name in ("href", "src"):
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def hostile() -> Trace:
    trace = Trace(version=HOSTILE)
    trace.begin(1, 0.0, f"http://e.org/{HOSTILE}")
    trace.note(1, 0.1, "probed", url=f"http://e.org/{HOSTILE}", length=MB, ranges=True)
    trace.transfer(0, 0.0, 1.0, MB, origin=HOSTILE, filled=(0, MB), ending="failed", why=HOSTILE, url=HOSTILE)
    trace.decide(0.5, "retry", why=HOSTILE, wait=1, attempt=1)
    trace.decide(0.5, "warning", message=HOSTILE)
    trace.decide(0.6, HOSTILE, message=HOSTILE)
    trace.finish(1, 1.0, "failed", reason=HOSTILE, message=HOSTILE, name=HOSTILE)
    for number in range(3):
        trace.transfer(
            1, 1 + number, 2 + number, 10, origin=f"{HOSTILE}{number}", download=0, ending="failed", why=HOSTILE
        )
    trace.wait(1.0, 4.0, "retry", origin=HOSTILE)
    trace.end(4.0)
    return trace


@pytest.mark.parametrize("trace", [eventful, lambda: batch(300, hosts=3, failing=7), lambda: batch(3000), hostile,
                                   lambda: one_file(10, [(0, 16, MB)])])  # fmt: skip
def test_the_page_is_sound_and_asks_for_nothing(trace: object) -> None:
    html = page(trace().judged())  # type: ignore[operator]
    found = outline(html)
    assert len(found.ids) == len(set(found.ids))
    assert all(link.startswith(("#", "data:,")) for link in found.links)
    for link in found.links:
        assert not link.startswith("#") or link[1:] in found.ids
    assert all(name in found.ids for name in re.findall(r"url\(#([\w-]+)\)", html))
    assert 'http-equiv="Content-Security-Policy" content="default-src &#x27;none' in html
    assert not re.search(r"url\((?!#)|@import", html)


def test_S11_hostile_names_stay_text_in_the_page() -> None:
    found = outline(html := page(hostile().judged()))
    assert found.scripts == 1  # ours
    assert found.handlers == []
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", html)


def test_S11_hostile_names_stay_text_in_the_picture() -> None:
    picture = svg(hostile().judged())
    root = ET.fromstring(picture)
    assert {each.tag.rpartition("}")[2] for each in root.iter()}.isdisjoint({"script", "img", "image", "a"})
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", picture)


def test_S11_hostile_names_stay_harmless_in_a_terminal() -> None:
    shown = text(hostile().judged())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)


def test_the_page_says_the_sentence_the_advice_and_the_figures_first() -> None:
    judged = eventful().judged()
    html = page(judged)
    assert f"<h1>{judged.finding.sentence}</h1>" in html.replace("&#x27;", "'")
    assert "ubuntu-24.04.iso" in html[: html.index("<h1>")]
    head = html[html.index("<h1>") : html.index("<nav")]
    for figure in ("Size", "Time", "Speed", "Connections made", "Wasted", "Retries"):
        assert f"<dt>{figure}</dt>" in head


def test_every_request_of_one_file_is_a_bar_with_its_story() -> None:
    html = page(eventful().judged())
    assert html.count("<title>Connection ") == 8
    assert "replaced: it brought nothing" in html
    assert "its tail was stolen" in html
    assert "kept from an earlier run" in html


def test_a_trace_without_an_end_says_so() -> None:
    trace = eventful()
    del trace.records[-1]
    judged = trace.judged()
    assert "the trace ends before the run did" in page(judged)
    assert "the trace ends before the run did" in text(judged, 132)


@pytest.mark.parametrize("width", [40, 60, 80, 132])
@pytest.mark.parametrize("plain", [True, False])
def test_the_text_keeps_to_its_width(width: int, plain: bool) -> None:
    for trace in (eventful(), batch(400, hosts=4, failing=9), hostile(), one_file(12, [(0, 4, MB), (3, 30, MB)])):
        shown = text(trace.judged(), width, plain=plain)
        assert max(map(len, shown.splitlines())) <= width, shown
        if plain:
            assert not re.search("[█░▏▎▍▌▋▊▉]", shown)


def test_wide_characters_count_twice() -> None:
    trace = eventful()
    trace.records[-2]["args"]["name"] = "数据" * 40
    first = text(trace.judged(), 80).splitlines()[0]
    assert first.startswith("数据数据")
    assert len(first.removesuffix("...")) * 2 + 3 <= 80


def test_a_png_is_one_or_its_library_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = eventful().judged()
    pytest.importorskip("resvg_py")
    assert png(judged).startswith(b"\x89PNG\r\n\x1a\n")
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(InvalidRequest, match=r"pip install 'penstock\[png\]'"):
        png(judged)


@pytest.mark.slow
def test_a_hundred_thousand_files_fit_in_little_memory_and_a_page_below_a_megabyte(tmp_path: Path) -> None:
    path = batch(100_000, at_once=64, hosts=300, failing=100, wait=0.03).write(tmp_path / "t.json")
    tracemalloc.start()
    judged = judge(records(path))
    html = page(judged)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert judged.story.counts.files == 100_000
    assert len(html) < 1_000_000
    assert peak < 40e6
    assert len(svg(judged)) < 300_000
    assert len(text(judged).splitlines()) < 80


@pytest.mark.parametrize("seconds", [0.004, 0.9, 4.2, 59, 600, 86_400])
def test_ticks_are_few_and_round(seconds: float) -> None:
    found = ticks(seconds)
    assert 4 <= len(found) <= 8
    labels = [moment(at, found[1]) for at in found]
    assert len(set(labels)) == len(labels)
    assert found[-1] <= seconds * 1.0001


@pytest.mark.parametrize("most", [0, 0.3, 1, 7, 19, 1000, 123_456])
def test_scales_reach_their_greatest_value(most: float) -> None:
    steps = value_steps(most)
    assert steps[0] == 0
    assert steps[-1] >= most
    assert 2 <= len(steps) <= 5
