#!/usr/bin/env python3
"""What calls through the Python front ends cost, on one thread: on a small input beside a plain op of
the framework, and at large batches beside the C++ library (`softtricks bench`), taking turns. Writes
benchmarks/results/python_calls.md.

    PYTHONPATH=bindings/python .venv-python/bin/python benchmarks/python_calls.py
"""

import argparse
import json
import os
import platform
import subprocess
import time
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy
import softtricks
import softtricks.jax
import softtricks.torch
import torch

RESULT = Path(__file__).resolve().parent / "results" / "python_calls.md"
NODES, BATCHES, TURNS = 10, (1024, 8192), 3

VERBS = {
    "argmax": lambda s, u, x: s.argmax(u),
    "log_partition": lambda s, u, x: s.log_partition(u),
    "marginals": lambda s, u, x: s.marginals(u),
    "sample": lambda s, u, x: s.sample(u, seed=0),
    "log_prob": lambda s, u, x: s.log_prob(u, x),
    "entropy": lambda s, u, x: s.entropy(u),
    "kl": lambda s, u, x: s.kl(u, u),
    "relax": lambda s, u, x: s.relax(u, 1.0),
}


def least(function, calls, rounds):
    """Microseconds a call, the least of several rounds."""
    jax.block_until_ready(function())
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            result = function()
        jax.block_until_ready(result)
        best = min(best, (time.perf_counter() - start) / calls)
    return best * 1e6


def arrays(kind, u):
    return {"NumPy": u, "PyTorch": torch.tensor(u), "JAX, jit": jnp.asarray(u)}[kind]


FRONT_ENDS = {"NumPy": softtricks, "PyTorch": softtricks.torch, "JAX, jit": softtricks.jax}


def call(kind, verb, structure, u, x):
    """The verb as a function of nothing."""
    if kind != "JAX, jit":
        return lambda: VERBS[verb](structure, u, x)
    compiled = jax.jit(lambda u, x: VERBS[verb](structure, u, x))
    return lambda: compiled(u, x)


def overhead():
    """Rows of the first table: what a call on 3 nodes costs."""
    u = numpy.array([[0.1, 0.2, 0.3]], numpy.float32)
    tensor = torch.tensor(u, requires_grad=True)
    ones = torch.ones(1, 3)
    tree = softtricks.torch.SpanningTree(nodes=3)
    exp = jax.jit(jnp.exp)
    plain = {
        "NumPy": ("numpy.exp", lambda: numpy.exp(u)),
        "PyTorch": ("torch.softmax", lambda: torch.softmax(tensor.detach(), -1)),
        "JAX, jit": ("jnp.exp", lambda a=jnp.asarray(u): exp(a)),
    }
    for kind, (name, function) in plain.items():
        structure, own = FRONT_ENDS[kind].SpanningTree(nodes=3), arrays(kind, u)
        x = structure.argmax(own)
        yield kind, name, least(function, 300, 40)
        for verb in VERBS:
            yield kind, verb, least(call(kind, verb, structure, own, x), 300, 40)
    for name, function in (
        ("torch.softmax", lambda: torch.softmax(tensor, -1)),
        ("marginals", lambda: tree.marginals(tensor)),
    ):
        backward = lambda f=function: torch.autograd.grad(f(), tensor, ones)  # noqa: E731
        yield "PyTorch, forward and backward", name, least(backward, 300, 40)


def bench(program, batch, verb):
    """Microseconds an instance of the verb in C++."""
    command = [program, "bench", "--structure", "spanning_tree", "--nodes", str(NODES)]
    command += ["--dtype", "float32", "--batch", str(batch), "--verb", verb, "--rounds", "60", "--json"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    timings = json.loads(done.stdout)["timings"]
    return next(t["microseconds_an_instance"] for t in timings
                if t["regularizer"] in ("", "gibbs_entropy"))  # fmt: skip


def throughput(program, batch):
    """Rows of the second table: microseconds an instance, and C++'s over it."""
    u = numpy.random.default_rng(0).normal(size=(batch, NODES * (NODES - 1) // 2)).astype("float32")
    works = {}
    for kind, front in FRONT_ENDS.items():
        structure, own = front.SpanningTree(nodes=NODES), arrays(kind, u)
        x = structure.argmax(own)
        works |= {(kind, verb): call(kind, verb, structure, own, x) for verb in VERBS}
    times = dict.fromkeys(works, float("inf"))
    library = dict.fromkeys(VERBS, float("inf"))
    for _ in range(TURNS):
        for verb in VERBS:
            library[verb] = min(library[verb], bench(program, batch, verb))
        for key, function in works.items():
            times[key] = min(times[key], least(function, max(1, 8192 // batch), 20) / batch)
    for (kind, verb), microseconds in times.items():
        yield batch, kind, verb, microseconds, library[verb]


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/release/softtricks")
    options = parser.parse_args()
    torch.set_num_threads(1)
    softtricks.set_num_threads(1)
    small = [(kind, name, f"{t:.1f}") for kind, name, t in overhead()]
    large = [
        (str(batch), kind, verb, f"{t:.4f}", f"{own:.4f}", f"{own / t:.2f}")
        for batch in BATCHES
        for batch, kind, verb, t, own in throughput(options.program, batch)
    ]
    versions = f"NumPy {numpy.__version__}, torch {torch.__version__}, jax {jax.__version__}"
    text = f"""# Calls through Python

Made by `PYTHONPATH=bindings/python .venv-python/bin/python benchmarks/python_calls.py`: one thread, float32, Python
{platform.python_version()}, {versions}, {softtricks.instruction_set}. The least of many rounds.

## Microseconds a call, one instance of 3 nodes

{table(("front end", "call", "microseconds"), small)}
## Microseconds an instance, spanning trees of {NODES} nodes, beside C++

{table(("batch", "front end", "verb", "Python", "C++", "of C++'s throughput"), large)}"""
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
