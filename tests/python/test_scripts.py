"""quickstart, check and the build say clearly what is wrong."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command, cwd="/", **environment):
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def shadow(folder, name, text):
    """A stand-in program that comes before the real one on PATH."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def last_line(result):
    return result.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("script", ["quickstart", "check"])
def test_help(script):
    result = run(ROOT / script, "--help")
    assert result.returncode == 0
    assert f"./{script}" in result.stdout


def test_a_script_works_through_a_link(tmp_path):
    (tmp_path / "link").symlink_to(ROOT / "quickstart")
    assert run(tmp_path / "link", "--help").returncode == 0


def test_unknown_step():
    result = run(ROOT / "check", "nonsense")
    assert result.returncode == 1
    assert last_line(result) == "Error: unknown step 'nonsense'. See ./check --help."


def test_unknown_experiment():
    result = run(ROOT / "quickstart", "nonsense")
    assert result.returncode == 1
    assert last_line(result) == (
        "Error: there is no experiment 'nonsense'. "
        "It is graph-layout or aspect-ratings; see ./quickstart --help."
    )


def test_old_cmake(tmp_path):
    path = shadow(tmp_path, "cmake", "echo cmake version 3.18.4")
    result = run(ROOT / "scripts/setup.sh", PATH=path)
    assert result.returncode == 1
    assert last_line(result).startswith("Error: cmake 3.18.4 is too old. Install CMake 3.25")


def test_old_compiler(tmp_path):
    real = shutil.which("g++")
    path = shadow(tmp_path, "g++", f'[ "$1" = -dumpfullversion ] && echo 9.4.0 || exec {real} "$@"')
    result = run(ROOT / "scripts/setup.sh", PATH=path)
    assert result.returncode == 1
    assert last_line(result).startswith("Error: g++ 9.4.0 is too old. Install g++ 12")


def test_missing_torch(tmp_path):
    result = run(
        "cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja", "-DSOFTTRICKS_TORCH=ON",
        "-DTORCH_DIR=/nowhere",
    )
    assert result.returncode != 0
    assert "no LibTorch was found" in result.stderr
    assert "TORCH_DIR" in result.stderr


def test_without_torch_the_core_is_configured(tmp_path):
    result = run("cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja", "-DTORCH_DIR=/nowhere")
    assert result.returncode == 0, result.stderr
