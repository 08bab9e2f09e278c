"""The examples run, learn, and say the same as their notebooks."""

import ast
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from cli_program import BUILD, ROOT

FOLDER = ROOT / "examples"
sys.path.insert(0, str(FOLDER))

from make_notebooks import main as make_notebooks  # noqa: E402, needs the path
from make_notebooks import scripts  # noqa: E402

# Found, not imported: that is left to the examples' own process.
for package in ("torch", "matplotlib", "sklearn"):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not here", allow_module_level=True)
EXAMPLES = scripts()
NAMES = [script.stem for script in EXAMPLES]
# All in one process, which imports torch once.
RUN_ALL = """
import runpy, sys
for script in sys.argv.pop().split(","):
    print("#", script)
    runpy.run_path(script, run_name="__main__")
"""


def python(*arguments, cwd=ROOT, stdin=""):
    environment = {
        **os.environ,
        "PYTHONPATH": f"{FOLDER}:{ROOT / 'bindings/python'}",
        "SOFTTRICKS_BUILD_DIR": str(BUILD),
    }
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder that all examples wrote to, and what each printed."""
    out = tmp_path_factory.mktemp("examples")
    command = ["-c", RUN_ALL, "--quick", "--out", out, ",".join(map(str, EXAMPLES))]
    parts = re.split(r"^# (.*)\n", python(*command).stdout, flags=re.M)[1:]
    return out, dict(zip(NAMES, parts[1::2], strict=True))


def test_there_are_examples():
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_an_example_learns(name, runs):
    """Better than without learning, on what was not learnt from, beyond chance."""
    result = json.loads((runs[0] / f"{name}.json").read_text())
    gain = result["reached"] - result["expected"]
    assert gain > 6 * result["standard_error"] > 0
    assert "+-" in runs[1][name]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_draws_in_shades_of_grey(name, runs):
    from PIL import Image

    with Image.open(runs[0] / f"{name}.png") as picture:
        assert picture.mode == "L"
        assert picture.getextrema() == (0, 255)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_shows_an_example(name):
    readme = (ROOT / "README.md").read_text()
    assert f"](examples/{name}.py)" in readme
    assert f"](examples/pictures/{name}.png)" in readme
    assert (FOLDER / f"pictures/{name}.png").stat().st_size < 60_000


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    make_notebooks(folder)
    return folder


def code_of(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.mark.parametrize("script", EXAMPLES, ids=NAMES)
def test_a_notebook_is_valid_and_has_the_script_s_code(script, notebooks):
    nbformat = pytest.importorskip("nbformat")
    path = notebooks / f"{script.stem}.ipynb"
    nbformat.validate(nbformat.read(path, as_version=4))
    tree = ast.dump(ast.parse(script.read_text()))
    assert ast.dump(ast.parse(code_of(path))) == tree
    cells = json.loads(path.read_text())["cells"]
    assert cells[0]["cell_type"] == "markdown" and cells[0]["source"][0].startswith("# ")


def test_a_notebook_runs_and_prints_what_the_script_prints(runs, notebooks, tmp_path):
    """The same numbers in another process, too: an example is a function of its options."""
    name = "digit_sorting"
    code = code_of(notebooks / f"{name}.ipynb")
    said = python("-", "--quick", "--out", tmp_path, cwd=notebooks, stdin=code).stdout
    assert said.replace(str(tmp_path), str(runs[0])).strip() == runs[1][name].strip()
