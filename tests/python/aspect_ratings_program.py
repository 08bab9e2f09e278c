"""Runs softtricks-aspect-ratings for the tests beside this file."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SOFTTRICKS_BUILD_DIR", ROOT / "build" / "release"))
PROGRAM = BUILD / "softtricks-aspect-ratings"

needs_program = pytest.mark.skipif(
    not PROGRAM.exists(), reason=f"{PROGRAM} is not built (it needs LibTorch)"
)


def run(*arguments, **options):
    """The finished process, its output as text."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options
    )


def reviews(*arguments):
    """The corpus as the program reads it: part -> list of {words, rating, truth}."""
    done = run("reviews", *arguments)
    assert done.returncode == 0, done.stderr
    parts = {}
    for line in done.stdout.splitlines():
        review = json.loads(line)
        parts.setdefault(review["part"], []).append(review)
    return parts


def train(folder, *arguments, check=True, **options):
    """A tiny training into `folder`."""
    result = run(
        *("--preset", "test", "--no-report", "--jobs", 1, "--threads", 1, "--out", folder),
        *arguments,
        **options,
    )
    assert not check or result.returncode == 0, result.stderr
    return result
