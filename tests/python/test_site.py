"""The pages of the documentation: every block of Python runs, in order, one namespace a page; a
block of text right behind it is what it prints. scripts/docs.sh builds the pages into a site and
follows its links."""

import contextlib
import io
import os
import re
import subprocess
import sys

import pytest
from cli_program import ROOT, in_32_bits
from torch_support import st

DOCS = ROOT / "docs"
PAGES = [
    DOCS / "estimators.md",
    DOCS / "index.md",
    DOCS / "jax.md",
    DOCS / "tutorial.md",
    *DOCS.glob("how_to/*.md"),
    *DOCS.glob("migrate/*.md"),
]
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
OPTIONAL = ("softtricks.jax", "softtricks.jax.distributions", "softtricks.torch.estimators")


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(DOCS)))
def test_blocks_run_and_print_what_is_shown(page):
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks, "no block runs"
    names = {"__name__": "__page__"}
    with contextlib.ExitStack() as to_the_end:
        for code, shown in blocks:
            for name in OPTIONAL:
                if re.search(rf"^(?:from|import) {re.escape(name)} ", code, re.M):
                    pytest.importorskip(name)
                    if name.startswith("softtricks.jax"):
                        to_the_end.enter_context(in_32_bits())
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, f"{page.name}: {code[:40]!r}", "exec"), names)
            assert printed.getvalue() == shown, code


def test_migration_pages_have_a_table_of_equivalents():
    for page in DOCS.glob("migrate/*.md"):
        rows = re.findall(r"^\| .* \|$", page.read_text(encoding="utf-8"), re.M)
        assert len(rows) >= 6, page


def test_the_table_of_where_others_break_is_of_these_cases():
    """Packages, versions and cases, run anew; what came out may differ in digits."""
    for package in ("torch_struct", "entmax", "ot", "networkx", "pyro", "mpmath"):
        pytest.importorskip(package)
    path = os.pathsep.join([str(ROOT / "bindings/python"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, DOCS / "where_others_break.py"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    page = (DOCS / "where_others_break.md").read_text(encoding="utf-8")
    shown, made = (re.findall(r"^\| (\S+ \d\S* \| [^|]*) \|", t, re.M) for t in (page, done.stdout))
    assert made and shown == made


def test_the_page_of_headers_has_every_structure():
    pytest.importorskip("sphinx")
    sys.path.append(str(DOCS))
    from doc_blocks import BLOCK, to_rst

    for name, structure in st.structures.items():
        header = ROOT / f"include/softtricks/structure/{structure.name}.hpp"
        blocks = {
            struct: text for text, struct in BLOCK.findall(header.read_text(encoding="utf-8"))
        }
        shown = to_rst(re.sub(r"^/// ?", "", blocks[name], flags=re.M))
        assert "Set" in shown and "argmax" in shown, shown


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#here"></a><img src="https://x/y.png">')
    (tmp_path / "b.html").write_text('<p id="there"></p>')
    done = subprocess.run(
        [sys.executable, DOCS / "check_site.py", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "b.html#here leads nowhere" in done.stdout and "loads https://x/y.png" in done.stdout
