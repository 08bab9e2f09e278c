"""`import softtricks` needs NumPy only, and says what a front end lacks."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import softtricks

ROOT = Path(__file__).resolve().parents[2]


def run(program, **environment):
    path = str(Path(softtricks.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_only_numpy_is_imported():
    done = run("import sys, softtricks; print([m for m in ('torch', 'jax') if m in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_missing_framework_is_named(framework):
    if importlib.util.find_spec(f"softtricks.{framework}") is None:
        pytest.skip(f"no softtricks.{framework}")
    hide = f"import sys; sys.modules[{framework!r}] = None; import softtricks.{framework}"
    last = run(hide).stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError") and f"pip install 'softtricks[{framework}]'" in last


def test_missing_native_parts_are_named(tmp_path):
    """In a copy of the package that holds none and has no build folder above it."""
    package = tmp_path / "softtricks"
    package.mkdir()
    for source in Path(softtricks.__file__).parent.glob("*.py"):
        (package / source.name).write_text(source.read_text())
    done = run("import softtricks", PYTHONPATH=str(tmp_path), SOFTTRICKS_BUILD_DIR=str(tmp_path))
    assert re.search(r"ImportError: _core.*not found.*SOFTTRICKS_BUILD_DIR", done.stderr)


def test_one_version():
    text = (ROOT / "CMakeLists.txt").read_text()
    assert softtricks.__version__ == re.search(r"VERSION (\d+\.\d+\.\d+) LANGUAGES", text)[1]
