"""lp-sparsemap: SparseMAP by an active set (LP-SparseMAP by ADMM where factors overlap). It lives
under an older Python, which benchmarks/run names in the environment."""

import atexit
import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from .optional import missing
from .work import Contender

PYTHON = os.environ.get("LP_SPARSEMAP_PYTHON", "")


def contender(kind, utility, cotangent, reading, *, comparable=True, **more):
    """A rival, or None where it isn't installed. utility, cotangent and `pairs`: [instance, ...],
    arrays of NumPy, as its own factors take them."""
    server = _server()
    return server and server.contender(kind, utility, cotangent, reading, comparable, more)


@cache
def _server():
    if not PYTHON:
        missing["lp-sparsemap"] = "PyPI has it for Python 3.9 at most, and none of these was found"
        return None
    return _Server()


class _Server:
    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        program = Path(__file__).with_name("lp_sparsemap_server.py")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [PYTHON, program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        atexit.register(self._close)

    def _close(self):
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, **request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"lp_sparsemap_server.py stopped at {request}")
        return int(answer)

    def _path(self, name):
        return str(Path(self._folder.name) / f"{name}.npy")

    def _saved(self, value):
        if not isinstance(value, np.ndarray):
            return value
        path = self._path(len(os.listdir(self._folder.name)))
        np.save(path, value)
        return path

    def contender(self, kind, utility, cotangent, reading, comparable, more):
        request = {"kind": kind, "utility": utility, "cotangent": cotangent, **more}
        number = self._ask(**{name: self._saved(value) for name, value in request.items()})

        def load(which):
            """What the last run left, asked for after the clock has stopped."""
            paths = {"to": self._path("result"), "gradient": self._path("gradient")}
            self._ask(save=number, **paths)
            return reading(np.load(paths[which]))

        def forward():
            self._ask(solve=number, backward=False)
            return "to"

        def both():
            self._ask(solve=number, backward=True)
            return "to", "gradient"

        return Contender(
            "lp-sparsemap, one by one",
            forward,
            both,
            instances=len(utility),
            reading=load,
            comparable=comparable,
        )
