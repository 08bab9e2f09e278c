"""Our own library without PyTorch: the program softtricks-bench, asked over a pipe, so that it takes
its turns among the others."""

import itertools
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np


class RawTimer:
    def __init__(self, program, threads):
        self._threads = threads
        self._folder = tempfile.TemporaryDirectory()
        self._names = itertools.count()
        self._process = subprocess.Popen(
            [program, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()

    def _ask(self, request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"softtricks-bench refused {request}")
        return json.loads(answer)

    def _saved(self, array):
        path = Path(self._folder.name) / f"{next(self._names)}.npy"
        np.save(path, array.detach().numpy())
        return str(path)

    def timers(self, raw):
        """(forward, both): functions that tell the seconds of one run; both may be None."""
        arrays = {"utility": raw.utility, "cotangent": raw.cotangent, **raw.others}
        arrays = {name: self._saved(array) for name, array in arrays.items()}

        def timer(verbs):
            if verbs is None:
                return None
            request = raw.request | arrays | {"verbs": verbs, "threads": self._threads}
            number = self._ask(request)
            return lambda: self._ask({"time": number})

        return timer(raw.forward), timer(raw.both)
