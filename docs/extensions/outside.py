"""Links that lead out of docs/: on GitHub they show a file of the repository; on the site, which has it not, its name.

Without this Sphinx would copy each of the hundreds of tests that docs/reliability.md names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

#: Before Sphinx collects what is to be copied.
_EARLY = 400


def unlink(app: Sphinx, document: nodes.document) -> None:
    """Leave only the words of links to files that are not below the documents' folder."""
    for link in list(document.findall(addnodes.download_reference)):
        if _is_outside(app, str(link["reftarget"])):
            _leave_words(link)
    for link in list(document.findall(addnodes.pending_xref)):
        is_document = link.get("refdomain") == "doc"
        if is_document and link["reftarget"] not in app.env.found_docs:
            _leave_words(link)
        elif not is_document and link.get("reftype") == "myst" and _is_outside(app, str(link["reftarget"])):
            _leave_words(link)  # a folder


def _is_outside(app: Sphinx, target: str) -> bool:
    """True for what is there, but not below the documents' folder. A link into nowhere stays, to be warned of."""
    folder = Path(app.srcdir).resolve()
    place = (folder / Path(app.env.docname).parent / target).resolve()
    return place.exists() and not place.is_relative_to(folder)


def _leave_words(link: nodes.Element) -> None:
    link.replace_self(nodes.inline("", "", *link.children, classes=["outside"]))


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at every page once it is read."""
    app.connect("doctree-read", unlink, priority=_EARLY)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
