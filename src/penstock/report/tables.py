"""Tables of the page. On a narrow screen each row becomes a card, so cells carry their column's name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penstock.report.drawing.markup import Markup, element, join


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; numbers stand at the right, and prose says by itself what it is."""

    heading: str
    is_number: bool = False
    is_prose: bool = False


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Markup:
    """A table; cells are text, or markup. The first cell of a row is its heading. The roles stay what they are when
    a style sheet shows the table as something else."""
    head = element(
        "tr",
        *(element("th", column.heading, scope="col", role="columnheader", class_=_side(column)) for column in columns),
        role="row",
    )
    body = [element("tr", *map(_cell, columns, row, range(len(columns))), role="row") for row in rows]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", head, role="rowgroup"),
            element("tbody", *body, role="rowgroup"),
            role="table",
        ),
        class_="table",
    )


def details(summary: str, content: Markup) -> Markup:
    """What is folded away until it is asked for."""
    return element("details", element("summary", summary), content)


def definitions(pairs: Iterable[tuple[str, str]], class_: str) -> Markup:
    """Terms and what they are."""
    return element(
        "dl", *(element("div", element("dt", term), element("dd", value)) for term, value in pairs), class_=class_
    )


def paragraphs(*texts: str) -> Markup:
    """A paragraph for each text that is not empty."""
    return join(element("p", text) for text in texts if text)


def _cell(column: Column, content: str, place: int) -> Markup:
    if place == 0:
        return element("th", content, scope="row", role="rowheader", class_=_side(column))
    return element(
        "td", content, role="cell", class_=_side(column), data_label=None if column.is_prose else f"{column.heading}: "
    )


def _side(column: Column) -> str | None:
    return "number" if column.is_number else None
