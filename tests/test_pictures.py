"""The pictures of the documents load nothing, name no machine, and show what the screen showed."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docs.pictures.svg import picture

ROOT = Path(__file__).parent.parent
PROGRESS = sorted((ROOT / "docs" / "pictures").glob("progress-*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("path", PROGRESS, ids=lambda path: path.name)
def test_a_picture_is_whole_loads_nothing_and_names_no_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert not [
        element for element in root.iter() if {"href", "src"} & {name.split("}")[-1] for name in element.attrib}
    ]
    assert not re.search(r"url\(|@import|@font-face|127\.0\.0\.1|localhost|/tmp|/root|/home", text)
    assert "penstock" in text


def test_every_picture_of_progress_is_shown() -> None:
    text = (ROOT / "docs" / "progress.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"pictures/(progress-\w+\.svg)", text)) == [path.name for path in PROGRESS]


def test_links_of_the_page_lead_somewhere() -> None:
    text = (ROOT / "docs" / "progress.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "docs" / target).exists(), target


def test_text_keeps_its_column_and_bars_are_rectangles() -> None:
    root = ElementTree.fromstring(picture("a <b>\n\x1b[36m━━╸\x1b[90m━\x1b[0m  中文 x", 20, "t & u"))
    assert root.findtext(f"{SVG}title") == "t & u"
    texts = list(root.iter(f"{SVG}text"))
    assert [text.text for text in texts] == ["a <b>", "中文 x"]
    assert float(texts[1].attrib["x"]) - float(texts[0].attrib["x"]) == pytest.approx(6 * 8.43, abs=0.1)
    done, to_come = list(root.iter(f"{SVG}rect"))[1:]
    assert float(done.attrib["width"]) == pytest.approx(2.5 * 8.43, abs=0.1)
    assert float(to_come.attrib["x"]) > float(done.attrib["x"]) + float(done.attrib["width"])


def test_no_column_rests_on_blanks_that_a_browser_draws_as_one() -> None:
    drawn = ElementTree.fromstring(picture("a     b  c", 20, "columns"))
    words = [(text.get("x"), text.text) for text in drawn.iter(f"{SVG}text")]
    assert [word for _, word in words] == ["a", "b", "c"]
    assert len({x for x, _ in words}) == 3
    for path in PROGRESS:
        assert all("  " not in (text.text or "") for text in ElementTree.parse(path).iter(f"{SVG}text")), path
