#!/usr/bin/env python3
"""What a call through softtricks.jax costs: on a small input beside a plain op of JAX, and at a large
batch beside the C++ library on one thread (`softtricks bench`), taking turns.

    PYTHONPATH=bindings/python python3 benchmarks/jax_calls.py [--program build/release/softtricks]
"""

import argparse
import json
import os
import subprocess
import time

# One thread on each side.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
from softtricks.jax import SpanningTree

NODES = 10
VERBS = ("argmax", "marginals", "log_partition", "sample", "entropy")


def least(function, *arguments, calls, rounds=40):
    """Seconds a call, the least of several rounds."""
    jax.block_until_ready(function(*arguments))
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            result = function(*arguments)
        jax.block_until_ready(result)
        best = min(best, (time.perf_counter() - start) / calls)
    return best


def overhead():
    small = SpanningTree(nodes=3)
    u = jnp.array([0.1, 0.2, 0.3])
    cases = {"jnp.exp, jit": jax.jit(jnp.exp), "marginals, jit": jax.jit(small.marginals)}
    cases |= {"jnp.exp": jnp.exp, "marginals": small.marginals}
    for name, function in cases.items():
        print(f"{name:16} {least(function, u, calls=300) * 1e6:7.2f} us a call, 3 nodes")


def throughput(program, batch):
    tree = SpanningTree(nodes=NODES)
    u = jax.random.normal(jax.random.key(0), (batch, tree.size), jnp.float32)
    for verb in VERBS:
        method = getattr(tree, verb)
        call = jax.jit((lambda u, f=method: f(u, seed=0)) if verb == "sample" else method)
        command = [program, "bench", "--structure", "spanning_tree", "--nodes", str(NODES)]
        command += ["--verb", verb, "--dtype", "float32", "--batch", str(batch), "--json"]
        here, there = float("inf"), float("inf")
        for _ in range(3):
            here = min(here, least(call, u, calls=8192 // batch, rounds=60) * 1e6 / batch)
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            timing = json.loads(done.stdout)["timings"][0]
            there = min(there, timing["microseconds_an_instance"])
        print(f"{verb:16} {here:7.3f} us an instance of {batch}, C++ {there:.3f}: {there / here:.2f} of its throughput")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/release/softtricks")
    options = parser.parse_args()
    overhead()
    for batch in (1024, 8192):
        throughput(options.program, batch)
