"""The pages of the documentation: every block of Python runs, in order, one namespace a page; a block of
text right behind it is what it prints. Structures are all in the API, and the built site has no dead link."""

import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys

import pytest
from cli_program import PROGRAM, ROOT
from torch_support import st

DOCS = ROOT / "docs"
PAGES = [DOCS / "index.md", DOCS / "tutorial.md", *DOCS.glob("how_to/*.md"), *DOCS.glob("migrate/*.md")]
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
OPTIONAL = ("softtricks.jax", "softtricks.torch.estimators")


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(DOCS)))
def test_blocks_run_and_print_what_is_shown(page):
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks, "no block runs"
    names = {"__name__": "__page__"}
    for code, shown in blocks:
        for name in OPTIONAL:
            if re.search(rf"^(?:from|import) {re.escape(name)} ", code, re.M):
                pytest.importorskip(name)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, f"{page.name}: {code[:40]!r}", "exec"), names)
        assert printed.getvalue() == shown, code


def test_migration_pages_have_a_table_of_equivalents():
    for page in DOCS.glob("migrate/*.md"):
        rows = re.findall(r"^\| .* \|$", page.read_text(encoding="utf-8"), re.M)
        assert len(rows) >= 6, page


def test_the_table_of_where_others_break_is_complete():
    """Its script prints a row a case; the page says how it was made."""
    page = (DOCS / "where_others_break.md").read_text(encoding="utf-8")
    assert "docs/where_others_break.py" in page
    assert "not installed" not in page
    cases = re.findall(r"^    (?:\w+|lambda: .*),$", _tuple_of_cases(), re.M)
    assert len(re.findall(r"^\| \S+ \d[\w.]* \|", page, re.M)) == len(cases)


def _tuple_of_cases():
    text = (DOCS / "where_others_break.py").read_text(encoding="utf-8")
    return re.search(r"^CASES = \(\n(.*?)^\)", text, re.M | re.S).group(1)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("Sphinx is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [ROOT / "scripts/docs.sh", folder],
        env={**os.environ, "SOFTTRICKS_CLI": str(PROGRAM), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_site_names_every_structure(site):
    python = (site / "docs/api/torch.html").read_text(encoding="utf-8")
    headers = (site / "docs/api/cpp.html").read_text(encoding="utf-8")
    for name, structure in st.structures.items():
        assert f'id="{structure.__module__}.{name}"' in python
        assert f">{name}<" in headers
    assert (site / "index.html").is_file()


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#here"></a><img src="https://x/y.png">')
    (tmp_path / "b.html").write_text('<p id="there"></p>')
    done = subprocess.run(
        [sys.executable, DOCS / "check_site.py", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "b.html#here leads nowhere" in done.stdout and "loads https://x/y.png" in done.stdout
