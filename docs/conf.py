"""How the site is built: `sphinx-build -W --keep-going -b html docs docs/_build/html`, from the root of the source."""

from __future__ import annotations

import os
import re
import sys
from functools import partialmethod
from pathlib import Path
from typing import Any

from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
# tutorials call the command of this very environment
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
# networks as small as these are fastest on one thread
os.environ.setdefault("OMP_NUM_THREADS", "1")
# without progress bars and colours, which a page cannot show
os.environ |= {"TQDM_DISABLE": "1", "TTY_COMPATIBLE": "0", "NO_COLOR": "1"}

import _pages  # noqa: E402  (it lies beside this file)

import homeonet  # noqa: E402

project = "homeonet"
author = copyright = "The homeonet developers"
version = release = homeonet.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
nitpicky = False

html_theme = "pydata_sphinx_theme"
html_title = "homeonet"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "claims", "faq", "changelog")}
html_static_path = ["_static"]
html_css_files = ["homeonet.css"]
copybutton_prompt_text = r"\$ |>>> |\.\.\. |host\d\$ "
copybutton_prompt_is_regexp = True

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# tutorials are run as the site is built, and kept until their text changes; HOMEONET_DOCS_EXECUTE=off builds without
nb_execution_mode = os.environ.get("HOMEONET_DOCS_EXECUTE", "cache")
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_in_temp = True
# without a run, nobody says that cells are Python
suppress_warnings = ["myst-nb.lexer"] if nb_execution_mode == "off" else []
# what a command prints in pieces is one text
NotebookClient.__init__ = partialmethod(NotebookClient.__init__, coalesce_streams=True)  # type: ignore[method-assign]
# warnings of where the site was built
nb_output_stderr = "remove"

autosummary_context = {"contents": {package: _pages.contents(package) for package in _pages.PACKAGES}}
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# addresses outside are not asked for when links are checked: a site that is down is no fault of the page
linkcheck_ignore = [r"https?://.*"]


def escape_marks(app: Any, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """The asterisk of a shape (T, B, *) is no emphasis, the bars of |W| are no substitution."""
    for k, line in enumerate(lines):
        parts = line.split("``")
        parts[::2] = [
            re.sub(r"(?<=, )\*(?=[),])|\|(?=\w+\|)|(?<=\w)\|(?!\w)", r"\\\g<0>", part) for part in parts[::2]
        ]
        lines[k] = "``".join(parts)


def setup(app: Any) -> None:
    """Write the pages that are made from the package and the source tree, before Sphinx looks for pages."""
    app.connect("builder-inited", lambda _: _pages.write(HERE))
    app.connect("autodoc-process-docstring", escape_marks)
