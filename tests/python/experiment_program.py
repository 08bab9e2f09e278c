"""A program of an experiment as the tests call it."""

import subprocess

import pytest
from cli_program import BUILD


class Experiment:
    def __init__(self, name):
        self.program = BUILD / name
        reason = f"{self.program} is not built (it needs LibTorch)"
        self.needed = pytest.mark.skipif(not self.program.exists(), reason=reason)

    def run(self, *arguments, **options):
        """The finished process, its output as text."""
        command = [self.program, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)

    def train(self, folder, *arguments, check=True, **options):
        """A tiny training into `folder`."""
        tiny = "--preset", "test", "--no-report", "--jobs", 1, "--threads", 1, "--out", folder
        result = self.run(*tiny, *arguments, **options)
        assert not check or result.returncode == 0, result.stderr
        return result
