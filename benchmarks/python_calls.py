#!/usr/bin/env python3
"""What calls through the Python front ends cost, on one thread: on a small input beside a plain op of
the framework, and at large batches beside the C++ library on the same numbers, taking turns. Writes
benchmarks/results/python_calls.md.

    PYTHONPATH=bindings/python .venv-python/bin/python benchmarks/python_calls.py
"""

import argparse
import os
from pathlib import Path

from peers.measure import environment

os.environ.update(environment(threads=1))
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax  # noqa: E402, reads the environment
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402
import softtricks  # noqa: E402
import softtricks.jax  # noqa: E402
import softtricks.torch  # noqa: E402
import torch  # noqa: E402
from peers.raw import RawTimer  # noqa: E402
from peers.timing import fastest, timed  # noqa: E402
from peers.work import Raw  # noqa: E402

RESULT = Path(__file__).resolve().parent / "results" / "python_calls.md"
NODES, BATCHES, CALLS = 10, (1024, 8192), 100

VERBS = {
    "argmax": lambda s, u, x, o: s.argmax(u),
    "log_partition": lambda s, u, x, o: s.log_partition(u),
    "marginals": lambda s, u, x, o: s.marginals(u),
    "sample": lambda s, u, x, o: s.sample(u, seed=0),
    "log_prob": lambda s, u, x, o: s.log_prob(u, x),
    "entropy": lambda s, u, x, o: s.entropy(u),
    "kl": lambda s, u, x, o: s.kl(u, o),
    "relax": lambda s, u, x, o: s.relax(u, 1.0),
}
FRONT_ENDS = {
    "NumPy": (softtricks, numpy.asarray),
    "PyTorch": (softtricks.torch, torch.tensor),
    "JAX, jit": (softtricks.jax, jnp.asarray),
}


def calls(nodes, utility, other):
    """{(front end, verb): a function of nothing}."""
    made = {}
    for kind, (front, array) in FRONT_ENDS.items():
        tree = front.SpanningTree(nodes=nodes)
        arrays = array(utility), tree.argmax(array(utility)), array(other)
        for verb, run in VERBS.items():
            made[kind, verb] = _call(kind, lambda *a, r=run, s=tree: r(s, *a), arrays)
    return made


def _call(kind, function, arrays):
    if kind != "JAX, jit":
        return lambda: function(*arrays)
    compiled = jax.jit(function)
    return lambda: jax.block_until_ready(compiled(*arrays))


def repeated(function):
    """So many calls that a clock's own cost is gone."""

    def run():
        for _ in range(CALLS):
            function()

    return timed(run)


def overhead(seconds):
    """{(front end, call): microseconds}, one instance of 3 nodes."""
    u = numpy.array([[0.1, 0.2, 0.3]], numpy.float32)
    tensor, tracked = torch.tensor(u), torch.tensor(u, requires_grad=True)
    ones, tree = torch.ones(1, 3), softtricks.torch.SpanningTree(nodes=3)

    def both(forward):
        return lambda: torch.autograd.grad(forward(tracked), tracked, ones)

    works = {
        ("NumPy", "numpy.exp"): lambda: numpy.exp(u),
        ("PyTorch", "torch.softmax"): lambda: torch.softmax(tensor, -1),
        ("JAX, jit", "jnp.exp"): _call("JAX, jit", jnp.exp, (jnp.asarray(u),)),
        **calls(3, u, u + 1),
        ("PyTorch, with gradient", "torch.softmax"): both(lambda t: torch.softmax(t, -1)),
        ("PyTorch, with gradient", "marginals"): both(tree.marginals),
    }
    timers = {name: repeated(work) for name, work in works.items()}
    return {name: 1e6 * t.seconds / CALLS for name, t in fastest(timers, seconds).items()}


def throughput(program, batch, seconds):
    """{(front end, verb): microseconds an instance}; the library itself is the front end "C++"."""
    size = NODES * (NODES - 1) // 2
    utility, other = numpy.random.default_rng(0).normal(size=(2, batch, size)).astype("float32")
    tensor = torch.tensor(utility)
    others = {"member": softtricks.torch.SpanningTree(NODES).argmax(tensor), "other": torch.tensor(other)}
    request = {"structure": "spanning_tree", "shape": [NODES]}
    timers = {name: timed(work) for name, work in calls(NODES, utility, other).items()}
    with RawTimer(program, threads=1) as raw:
        for verb in VERBS:
            asked = Raw(request, tensor, tensor, [verb], others=others)
            timers["C++", verb] = raw.timers(asked)[0]
        return {name: 1e6 * t.seconds / batch for name, t in fastest(timers, seconds).items()}


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/release/softtricks-bench")
    parser.add_argument("--seconds", type=float, default=15, help="for each table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    softtricks.set_num_threads(1)
    small = [(*name, f"{t:.1f}") for name, t in sorted(overhead(options.seconds).items())]
    large = []
    for batch in BATCHES:
        times = throughput(options.program, batch, options.seconds)
        for verb in VERBS:
            own = times["C++", verb]
            shares = [f"{own / times[kind, verb]:.2f}" for kind in FRONT_ENDS]
            large.append((str(batch), verb, f"{own:.4f}", *shares))
    versions = f"NumPy {numpy.__version__}, torch {torch.__version__}, jax {jax.__version__}"
    text = f"""# Calls through Python

Made by `PYTHONPATH=bindings/python .venv-python/bin/python benchmarks/python_calls.py`: one thread, float32,
{versions}, {softtricks.instruction_set}. The shortest of many calls that took turns.

## Microseconds a call, one instance of 3 nodes

{table(("front end", "call", "microseconds"), small)}
## Throughput beside C++, spanning trees of {NODES} nodes

{table(("batch", "verb", "C++, us an instance", *(f"{kind}, of it" for kind in FRONT_ENDS)), large)}"""
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
