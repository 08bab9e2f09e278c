"""The documentation site. Its sources are the repository's own pages, where they are; scripts/docs.sh
builds it.

SOFTTRICKS_CLI is the command line whose help it shows (build/release/softtricks unless set).
"""

import pkgutil
import sys
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS), str(ROOT / "bindings/python")]

import softtricks  # noqa: E402

project = "softtricks"
version = release = softtricks.__version__
html_title = f"softtricks {version}"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "doc_blocks"]

# The root of the repository is the root of the pages, so that links between them hold on the site, too.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "benchmarks/results/*.md", "results/*.md"]
exclude_patterns = [
    folder.name
    for folder in ROOT.iterdir()
    if folder.is_dir() and folder.name not in ("docs", "benchmarks", "results")
]
exclude_patterns += ["benchmarks/.venv*"]

# What this build or this Python lacks has no page.
API = {
    "numpy": "softtricks:Structure",
    "torch": "softtricks.torch:Structure",
    "torch_distributions": "softtricks.torch.distributions",
    "torch_estimators": "softtricks.torch.estimators",
    "jax": "softtricks.jax:Structure",
    "jax_estimators": "softtricks.jax.estimators",
}


def is_there(name):
    try:
        return bool(pkgutil.resolve_name(name))
    except (ImportError, AttributeError):
        return False


exclude_patterns += [f"docs/api/{page}.md" for page, name in API.items() if not is_there(name)]

myst_heading_anchors = 4
highlight_language = "text"
nitpicky = True
default_role = "code"
smartquotes = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
add_module_names = False
python_maximum_signature_line_length = 80

html_theme = "furo"
html_static_path = ["style"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
