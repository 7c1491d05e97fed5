"""A page that would load something from the network is found out, and one that only links to it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.extensions.offline import loaded_by_page, loaded_by_styles, loads


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/mermaid.js"></script>',
        '<SCRIPT SRC="//cdn.example/x.js"></SCRIPT>',
        '<link rel="stylesheet" href="http://fonts.example/css">',
        '<link rel="preload" as="font" href="https://fonts.example/a.woff2">',
        '<img src="https://img.example/badge.svg">',
        '<img srcset="a.png 1x, https://img.example/b.png 2x">',
        '<iframe src="https://frame.example/"></iframe>',
        '<style>@import "https://fonts.example/css";</style>',
        '<p style="background: url(https://img.example/x.png)">',
        '<svg><image xlink:href="https://img.example/x.png"/></svg>',
    ],
)
def test_what_a_page_would_load_is_found(html: str) -> None:
    assert len(loaded_by_page(html)) == 1


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://example.org/">elsewhere</a>',
        '<link rel="canonical" href="https://example.org/page.html">',
        '<script src="static/furo.js"></script><img src="_images/flow.svg">',
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
        "<code>url(https://example.org/)</code>",
    ],
)
def test_what_it_only_speaks_of_is_not(html: str) -> None:
    assert loaded_by_page(html) == []


def test_style_sheets_and_pictures_are_looked_through_too(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url('https://fonts.example/a.woff2') } a { color: red }")
    (tmp_path / "b.svg").write_text('<svg><image href="https://img.example/x.png"/></svg>')
    (tmp_path / "c.html").write_text('<a href="https://example.org/">only a link</a>')
    assert list(loads(tmp_path)) == ["a.css: https://fonts.example/a.woff2", "b.svg: https://img.example/x.png"]
    assert loaded_by_styles("a { background: url(data:image/png;base64,AA) }") == []
