"""The manual pages, made from the commands' own definitions, so that they cannot say anything else.

Not imported at run time: the wheel's build calls `pages.write` (hatch_build.py), and by hand it is
``python -m penstock.cli.manual DIR``. `roff` knows how a page is set, `texts` what no option says of itself.

click-man does not keep paragraphs that are not to be wrapped (its issue 9), and knows one list of options only.
"""
