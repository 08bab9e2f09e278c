"""Measures all works with a number of threads, in a process of its own: how many threads the
frameworks use is settled when they are loaded."""

import argparse
import json
import os
import sys
from dataclasses import replace

PASSES = ("forward", "both")


def environment(threads):
    """Variables that hold PyTorch and JAX to so many threads."""
    single = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": single if threads == 1 else "",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="for each work and pass")
    parser.add_argument("--only", default="", help="works whose name has one of these in it")
    parser.add_argument("--program", required=True, help="softtricks-bench")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    # JAX counts the cores that it may use.
    cores = sorted(os.sched_getaffinity(0))[-arguments.threads :]
    os.sched_setaffinity(0, cores)
    with open(arguments.out, "w") as out:
        json.dump(measure(arguments), out)


def measure(arguments):
    import torch

    torch.set_num_threads(arguments.threads)
    from softtricks.torch import instruction_set

    from . import arborescences, categorical, chains, correlated, euclidean, matchings
    from . import projective, subsets, trees
    from .machine import description
    from .optional import missing
    from .raw import RawTimer

    modules = [categorical, subsets, correlated, trees, arborescences, chains, projective]
    modules += [matchings, euclidean]
    wanted = arguments.only.split(",")
    rows = []
    with RawTimer(arguments.program, arguments.threads) as raw:
        for module in modules:
            for work in module.works():
                if any(part in work.name for part in wanted):
                    able = _able(work, arguments.threads)
                    rows.append(_row(able, raw, arguments.seconds, arguments.threads))
                    print(f"{arguments.threads} thread(s): {work.name}", file=sys.stderr)
    machine = description(instruction_set)
    return {"threads": arguments.threads, "machine": machine, "missing": missing, "rows": rows}


def _able(work, threads):
    """The work without the rivals that aren't there or can't use so many threads."""
    rivals = [c for c in work.rivals if c and (c.threads is None or c.threads >= threads)]
    return replace(work, rivals=rivals)


def _row(work, raw, seconds, threads):
    row = {"name": work.name, "batch": work.batch, "note": work.note, "microseconds": {}}
    row["targets"] = [vars(target) for target in work.targets]
    row["difference"] = _differences(work)
    for pass_name, raw_timer in zip(PASSES, raw.timers(work.raw), strict=True):
        timings = _timings(work, pass_name, raw_timer, seconds, threads)
        if timings:
            row["microseconds"][pass_name] = timings
    return row


def _timings(work, pass_name, raw_timer, seconds, threads):
    from .timing import fastest, timed

    contenders = {c.name: c for c in (work.ours, *work.rivals) if getattr(c, pass_name)}
    timers = {name: timed(getattr(c, pass_name)) for name, c in contenders.items()}
    if work.ours.name not in timers:
        return None
    if raw_timer and threads == 1:
        # With more, PyTorch's waiting threads would hold the cores that those of the program need.
        timers["softtricks, C++"] = raw_timer
    fewer = {name: c.instances for name, c in contenders.items() if c.instances}
    return {
        name: {"microseconds": 1e6 * t.seconds / fewer.get(name, work.batch), "calls": t.calls}
        for name, t in fastest(timers, seconds).items()
    }


def _differences(work):
    """The largest difference between a rival's numbers and ours, {name: [result, gradient]}. Raises
    where the results are so far apart that the rival can't be doing the same work; gradients are for
    information, since some rivals are that inexact."""
    if work.tolerance is None:
        return {}
    ours = _arrays(work.ours, work.ours.both)
    differences = {}
    for rival in work.rivals:
        if not rival.comparable:
            continue
        theirs = _arrays(rival, work.ours.both and rival.both)
        far = [float(abs(a[: len(b)] - b).max()) for a, b in zip(ours, theirs, strict=False)]
        if not far[0] <= work.tolerance:
            raise AssertionError(f"{work.name}: {rival.name} differs by {far[0]}")
        differences[rival.name] = far
    return differences


def _arrays(contender, both):
    """The result, and where it does `both` the gradient."""
    from .frameworks import to_numpy

    parts = both() if both else (contender.forward(),)
    return [to_numpy(contender.reading(part)) for part in parts]


if __name__ == "__main__":
    main()
