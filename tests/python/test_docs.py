"""The documents: a page and a picture for every structure, links that lead somewhere."""

import re
import subprocess
import sys

import numpy
import pytest
from cli_program import PROGRAM, ROOT, offers

PAGES = ROOT / "docs/mathematics"
NUMBER = re.compile(r"-?\d+\.?\d*")
STRUCTURES = [structure["name"] for structure in offers()["structures"]]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_has_a_page_with_its_picture(structure):
    page = (PAGES / f"{structure}.md").read_text()
    assert f"]({structure}.svg)" in page
    assert f"docs/pictures.py {structure}`" in page
    assert f"](mathematics/{structure}.md)" in (ROOT / "docs/mathematics.md").read_text()


def test_every_page_is_in_the_index_and_every_picture_has_a_structure():
    index = (ROOT / "docs/mathematics.md").read_text()
    for page in PAGES.glob("*.md"):
        assert f"](mathematics/{page.name})" in index
    assert {picture.stem for picture in PAGES.glob("*.svg")} == set(STRUCTURES)


def test_pictures_are_what_the_command_draws(tmp_path):
    """To the rounding that other machines may do differently."""
    pytest.importorskip("matplotlib")
    command = [ROOT / "docs/pictures.py", "--program", PROGRAM, "--folder", tmp_path]
    subprocess.run([sys.executable, *command], check=True, timeout=300)
    for structure in STRUCTURES:
        drawn = (tmp_path / f"{structure}.svg").read_text()
        kept = (PAGES / f"{structure}.svg").read_text()
        assert len(kept) < 60_000
        assert NUMBER.sub("#", drawn) == NUMBER.sub("#", kept), structure
        difference = numbers(drawn) - numbers(kept)
        assert numpy.abs(difference).max() < 0.05, structure


def numbers(picture):
    return numpy.array([float(number) for number in NUMBER.findall(picture)])


def anchors(page):
    """What its headings are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_links_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")]
    for page in pages:
        prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.S)
        for link in re.findall(r"\]\(([^)\s]+)\)", prose):
            if "://" in link:
                continue
            name, _, place = link.partition("#")
            target = page.parent / name if name else page
            assert target.exists(), f"{page}: {link}"
            assert not place or place in anchors(target), f"{page}: {link}"
