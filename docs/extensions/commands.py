"""The directive ``commands``: the reference of a click command, made from the program itself.

```{commands} penstock.cli.main:cli
```
"""

from __future__ import annotations

import importlib
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from docs.extensions.reference import reference


class Commands(SphinxDirective):
    """Takes ``MODULE:NAME`` of a click command."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The nodes of the reference."""
        module, _, name = self.arguments[0].partition(":")
        command = getattr(importlib.import_module(module), name)
        return list(self.parse_text_to_nodes(reference(command, module.partition(".")[0]), allow_section_headings=True))


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known. Its pages are read anew each time: the program may have changed."""
    app.add_directive("commands", Commands)
    app.connect("env-get-outdated", lambda _app, env, *_: [name for name in env.found_docs if name == "reference/cli"])
    return {"parallel_read_safe": True, "parallel_write_safe": True}
