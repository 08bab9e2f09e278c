"""Runs softtricks-graph-layout for the tests beside this file."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SOFTTRICKS_BUILD_DIR", ROOT / "build" / "release"))
PROGRAM = BUILD / "softtricks-graph-layout"

needs_program = pytest.mark.skipif(
    not PROGRAM.exists(), reason=f"{PROGRAM} is not built (it needs LibTorch)"
)


def run(*arguments, **options):
    """The finished process, its output as text."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options
    )


def train(folder, *arguments, check=True, **options):
    """A tiny training into `folder`, its data beside it."""
    result = run(
        *("--preset", "test", "--no-report", "--rows", "spanning_tree", "--jobs", 1),
        *("--threads", 1, "--out", folder, "--data", folder.parent / "data", *arguments),
        **options,
    )
    assert not check or result.returncode == 0, result.stderr
    return result
