"""The site: `python -m sphinx -W docs docs/_build/html`.

Pages are the Markdown files here. Made by the build are the reference, of public names
and of commands, the gallery, of `jugfiles/examples`, and the picture of the first page.
"""

import gc
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "site"), str(HERE.parent / "jugfiles")]

import front_picture  # noqa: E402 - found by the path above
import gallery_scripts  # noqa: E402
import links_out  # noqa: E402
import reference_pages  # noqa: E402

import segkit  # noqa: E402

project = "taskgraph + segkit"
author = "the founders"
version = release = segkit.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "site",
    "gallery-scripts",
    "gallery/**/*.py",
    "gallery/**/*.ipynb",
]
nitpicky = False
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
suppress_warnings = ["config.cache"]  # sphinx-gallery is given functions

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "code"  # docstrings are Markdown's kin: `name` is code
autodoc_typehints = "none"  # the signature would be all types; numpydoc says them
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
intersphinx_mapping = {}  # builds without internet

copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "collapse_navigation": True,  # or each page has a list of all
    "navigation_depth": 3,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": []}

sphinx_gallery_conf = {
    "examples_dirs": [str(HERE / "gallery-scripts")],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"\.py$",
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("segkit",),
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "min_reported_time": 1e9,
    "remove_config_comments": True,
    "abort_on_example_error": True,
    "subsection_order": "gallery_scripts.in_order",
    "within_subsection_order": "FileNameSortKey",
}


def setup(app):
    """Write what the build makes of the code, before it is read."""
    gallery_scripts.write(HERE / "gallery-scripts")
    front_picture.write(HERE)
    # The gallery looks for garbage after each example; trees of pages are none.
    gc.freeze()
    gc.set_threshold(200_000)
    app.connect(
        "config-inited", lambda *_: reference_pages.write(HERE / "reference"), 1
    )
    app.connect("source-read", links_out.told)
    app.connect("source-read", front_picture.shown)
    app.connect("source-read", decisions_listed)


def decisions_listed(_, page, source):
    """Add the pages of decisions to their list; readers of the files need none."""
    if page == "decisions/README":
        source[0] += "\n\n```{toctree}\n:hidden:\n:glob:\n\n0*\n```\n"
