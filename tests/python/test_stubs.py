"""The type stubs are what scripts/make_stubs.py writes, and a type checker takes a user's program by them."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import softtricks

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import make_stubs  # noqa: E402

PROGRAM = {
    "softtricks": '''import numpy
import softtricks

tree = softtricks.SpanningTree(nodes=4)
theta = numpy.zeros((2, tree.size))
utility = softtricks.perturb("normal", theta, seed=numpy.random.default_rng(0), scale=2.0)
soft = tree.relax(utility, 0.5, lengths=[3, 4])
total: float = float(tree.relax_vjp(utility, soft, soft, 0.5).sum())
members, values = softtricks.LinearChain(3, states=2).k_best(numpy.zeros(14), 2)
shape: tuple[int, ...] = members.shape
''',
    "softtricks.torch": '''import torch
from softtricks.torch import KSubset, Oracle, SpanningTree, perturb
from softtricks.torch.estimators import AdaptiveStep, implicit_mle

tree = SpanningTree(nodes=4)
theta = torch.zeros(2, tree.size, requires_grad=True)
soft = tree.relax(perturb("gumbel", theta, seed=0), torch.ones(2, 1), utility_range=15.0)
slope: torch.Tensor = torch.autograd.grad(soft.square().sum(), theta)[0]
hard: torch.Tensor = KSubset(items=5, k=2).sample(torch.zeros(5), seed=1, counts=1)
x: torch.Tensor = implicit_mle(Oracle(4, lambda u: u > 0), theta, seed=0, step=AdaptiveStep())
''',
    "softtricks.jax": '''import jax
import jax.numpy as jnp
from softtricks.jax import KSubset, Oracle, SpanningTree, perturb
from softtricks.jax.estimators import MovingAverage, implicit_mle

tree = SpanningTree(nodes=4)
theta = jnp.zeros((2, tree.size))
utility: jax.Array = perturb("gumbel", theta, jax.random.key(0), scale=2.0)
soft: jax.Array = tree.relax(utility, jnp.ones((2, 1)), lengths=jnp.array([3, 4]))
hard: jax.Array = KSubset(items=5, k=2).sample(jnp.zeros(5), seed=1, counts=1)
x: jax.Array = implicit_mle(Oracle(4, lambda u: u > 0), theta, key=0)
x = implicit_mle(tree, theta, key=jax.random.key(0), samples=3)
print(MovingAverage().mean)
''',
}
WRONG = {
    "softtricks": ["softtricks.Hedge(3)", "tree.marginals(theta, seed=1)", "tree.sample(theta)"],
    "softtricks.torch": ["tree.argmax(theta.tolist())", "SpanningTree(leaves=2)", "tree.sample(theta)"],
    "softtricks.jax": [
        "SpanningTree(leaves=2)",
        "implicit_mle(tree, theta)",
        "Oracle(4, lambda u: u > 0).relax(theta, theta)",
    ],
}


@pytest.mark.parametrize("name", make_stubs.PREAMBLES)
def test_stubs_are_up_to_date(name):
    if name != "softtricks":
        pytest.importorskip(name.rpartition(".")[2])
    module = importlib.import_module(name)
    for path, text in make_stubs.stubs(module):
        assert path.read_text() == text, "run scripts/make_stubs.py"


@pytest.mark.parametrize("name", PROGRAM)
def test_a_type_checker_reads_them(name, tmp_path):
    pytest.importorskip("mypy")
    if name != "softtricks":
        pytest.importorskip(name.rpartition(".")[2])
    program = tmp_path / "program.py"
    program.write_text(PROGRAM[name] + "\n".join(WRONG[name]) + "\n")
    options = ["--strict", "--follow-imports=silent", "--cache-dir", tmp_path / "cache"]
    found = subprocess.run(
        [sys.executable, "-m", "mypy", *options, program],
        env={"MYPYPATH": str(Path(softtricks.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=600,
    )
    first_wrong = PROGRAM[name].count("\n") + 1
    lines = [int(line.split(":")[1]) for line in found.stdout.splitlines() if ": error:" in line]
    assert lines == list(range(first_wrong, first_wrong + len(WRONG[name]))), found.stdout + found.stderr
