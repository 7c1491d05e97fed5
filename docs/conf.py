"""How Sphinx builds the documents; ``sh scripts/docs`` calls it, with warnings as errors."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from penstock import __version__

project = "Penstock"
author = "the authors of Penstock"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "docs.extensions.commands",
    "docs.extensions.offline",
    "docs.extensions.outside",
    "docs.extensions.signatures",
]
exclude_patterns = ["extensions", "pictures", "static"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# the benchmarks name what was run in words that are not all of a shell
suppress_warnings = ["misc.highlighting_failure"]
nitpicky = True
nitpick_ignore_regex = [
    # other projects' inventories would have to be fetched from the network
    ("py:.*", r"(collections|concurrent|os|pathlib|typing|enum)\..*"),
    ("py:.*", r"(Any|AnyEvent|Callable|Future|Iterable|Path|PathLike)"),
]

# docstrings are written for people who read them in the code: `x` is a name
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"AnyEvent": "AnyEvent", "StrPath": "str | PathLike"}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 60
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "Penstock"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_theme_options: dict[str, object] = {"top_of_page_buttons": []}
