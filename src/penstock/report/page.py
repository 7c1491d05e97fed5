"""The report as one HTML file that needs nothing else: no network, no font, no file beside it.

Without its script everything is there, one part after another; the script adds tabs, the other theme and tooltips
that follow the keyboard. A content security policy lets nothing be loaded and no other script run, whatever a name in
the trace may hold.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Final

from penstock.report import sections, totals
from penstock.report.drawing import palette
from penstock.report.drawing.gantt import mark_shapes
from penstock.report.drawing.markup import Markup, element
from penstock.report.judged import Judged
from penstock.report.tables import definitions

_OPTION: Final = re.compile(r"(--[a-z-]+)")


def page(judged: Judged) -> str:
    """The whole file."""
    script = Markup(_asset("script.js"))
    style = Markup(
        f":root{{{palette.variables(0)}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{palette.variables(1)}}}}}"
        f":root[data-theme=light]{{{palette.variables(0)}}}:root[data-theme=dark]{{{palette.variables(1)}}}"
        f"{palette.classes()}\n{_asset('style.css')}"
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; base-uri 'none'"
    )
    title = totals.title(judged.story)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · Penstock report"),
        element("link", rel="icon", href="data:,"),
        element("style", style),
    )
    defs = element("svg", element("defs", palette.patterns(), mark_shapes()), width=0, height=0, class_="defs",
                   aria_hidden="true")  # fmt: skip
    body = element("body", defs, *_body(judged, title), element("script", script))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _body(judged: Judged, title: str) -> list[Markup]:
    story, finding = judged.story, judged.finding
    parts = _parts(judged)
    links = [element("a", name, href=f"#{identity}", id=f"tab-{identity}") for identity, name, _ in parts]
    return [
        element(
            "header",
            element("p", element("strong", title), element("span", totals.about(story)), class_="about"),
            element("button", "Dark", type="button", id="theme", hidden=True),
            element("h1", *_unbroken(finding.sentence)),
            element("p", finding.advice, class_="advice"),
            definitions(totals.totals(story, judged.best), "totals"),
        ),
        element("nav", *links, id="tabs", aria_label="Parts of the report"),
        element("main", *(_section(judged, identity, name, draw) for identity, name, draw in parts)),
        element("footer", element("p", "Made by penstock report. Keys: arrows move between the marks of a chart and "
                                       "between tabs, Escape hides a tooltip.")),
        element("div", id="tip", role="tooltip", hidden=True),
    ]  # fmt: skip


def _section(judged: Judged, identity: str, name: str, draw: Callable[[Judged], Markup]) -> Markup:
    return element("section", element("h2", name), draw(judged), id=identity, aria_labelledby=f"tab-{identity}")


def _parts(judged: Judged) -> list[tuple[str, str, Callable[[Judged], Markup]]]:
    """(id, name, what draws it) of each part that has something to show."""
    story = judged.story
    found: list[tuple[str, str, Callable[[Judged], Markup]]] = [("overview", "Overview", sections.overview)]
    if story.is_batch:
        found.append(("files", "Files", sections.files))
    found.append(("connections", "Connections", sections.connections))
    found.append(("bytes", "Bytes", sections.file_bytes))
    found.append(("hosts", "Hosts", sections.hosts))
    if story.decisions:
        found.append(("events", "Events", sections.events))
    return found


def _asset(name: str) -> str:
    return resources.files("penstock.report").joinpath(name).read_text(encoding="utf-8").strip()


def _unbroken(text: str) -> Iterator[str]:
    """`text` with its options kept from being broken at their hyphens."""
    for number, part in enumerate(_OPTION.split(text)):
        yield element("span", part, class_="option") if number % 2 else part
