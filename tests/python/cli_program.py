"""The command line `softtricks` as the tests call it, and what tests of several front ends share:
small sets enumerated by hand, a small shape of any structure, single precision in JAX."""

import inspect
import io
import itertools
import json
import os
import subprocess
from pathlib import Path

import numpy

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SOFTTRICKS_BUILD_DIR", ROOT / "build" / "release"))
PROGRAM = Path(os.environ.get("SOFTTRICKS_CLI", BUILD / "softtricks"))


def call(*arguments, stdin=b"", **options):
    """Runs the program; what it prints comes back as bytes."""
    assert PROGRAM.is_file(), f"{PROGRAM} is not built: cmake --build build/release"
    stdin = stdin.encode() if isinstance(stdin, str) else stdin
    command = [str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120, **options)


def output(*arguments, stdin=b""):
    """What a call that must succeed without a word on stderr prints."""
    done = call(*arguments, stdin=stdin)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()
    return done.stdout


def npy(array):
    file = io.BytesIO()
    numpy.save(file, array)
    return file.getvalue()


def solve(*arguments, utility):
    """Hands an array over a pipe and takes the result from one."""
    return numpy.load(io.BytesIO(output(*arguments, "--format", "npy", stdin=npy(utility))))


def table(*arguments, stdin):
    """The rows of the tab-separated result."""
    text = output(*arguments, stdin=stdin).decode()
    return [[float(cell) for cell in line.split("\t")] for line in text.splitlines()]


def offers():
    return json.loads(output("list", "--json"))


def complaint(*arguments, code=2, stdin=b"", **options):
    """The one line on stderr of a call that must be refused."""
    done = call(*arguments, stdin=stdin, **options)
    words = done.stderr.decode()
    assert done.returncode == code, (done.returncode, words)
    assert done.stdout == b""
    assert words.startswith("softtricks: ") and words.count("\n") == 1 and words.endswith("\n")
    return words


def is_tree(nodes, edges):
    parent = list(range(nodes))

    def root(v):
        return v if parent[v] == v else root(parent[v])

    for a, b in edges:
        if root(a) == root(b):
            return False
        parent[root(a)] = root(b)
    return len(edges) == nodes - 1


def members(structure, shape):
    """All members of a small set, one a row."""
    if structure == "spanning_tree":
        edges = list(itertools.combinations(range(shape["nodes"]), 2))
        chosen = itertools.product([0, 1], repeat=len(edges))
        rows = [x for x in chosen if is_tree(shape["nodes"], [e for e, on in zip(edges, x) if on])]
    elif structure == "arborescence":  # of 3 nodes, from node 0: the heads of nodes 1 and 2
        assert shape == {"nodes": 3}
        rows = numpy.zeros((3, 3, 3))
        for row, (first, second) in zip(rows, [(0, 0), (0, 1), (2, 0)]):
            row[first, 1] = row[second, 2] = 1
        rows = rows.reshape(3, 9)
    elif structure == "matching":
        pairs = shape["pairs"]
        rows = [numpy.eye(pairs)[list(p)].ravel() for p in itertools.permutations(range(pairs))]
    else:
        size = next(iter(shape.values()))
        ones = {"one_hot": {1}, "bit_vector": set(range(size + 1)), "k_subset": {shape.get("k")}}
        chosen = itertools.product([0, 1], repeat=size)
        rows = [x for x in chosen if sum(x) in ones[structure]]
    return numpy.array(rows, dtype=float)


def some(cls):
    """Of any structure, one of a small shape."""
    required = [p for p in inspect.signature(cls).parameters.values() if p.default is p.empty]
    return cls(*(4, 2, 3)[: len(required)])


def in_32_bits():
    """A context in which JAX is in single precision, whatever other tests have set for the process."""
    import jax

    place = jax if hasattr(jax, "enable_x64") else jax.experimental
    return place.enable_x64(False)


class Gibbs:
    """What brute force says of one instance."""

    def __init__(self, structure, shape, utility):
        self.members = members(structure, shape)
        self.value = self.members @ utility
        self.log_partition = numpy.logaddexp.reduce(self.value)
        self.probability = numpy.exp(self.value - self.log_partition)
        self.argmax = self.members[self.value.argmax()]
        self.marginals = self.probability @ self.members
        self.entropy = -(self.probability * numpy.log(self.probability)).sum()

    def marginals_vjp(self, cotangent):
        centred = self.members - self.marginals
        return (self.probability * (centred @ cotangent)) @ centred
