#!/usr/bin/env python3
"""softtricks beside what a PyTorch or JAX user would write and beside other packages, in one run:
everybody takes turns, and the shortest time counts. Started by benchmarks/run.

    benchmarks/run                        all works, with one thread and with two
    benchmarks/run --only chain,matching --threads 1 --seconds 1
"""

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from peers.measure import environment
from peers.report import markdown

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=3, help="for each work and pass")
    parser.add_argument("--only", default="", help="works whose name has one of these in it")
    parser.add_argument("--name", default="compare", help="of the files in benchmarks/results")
    parser.add_argument("--build", type=Path, default=HERE.parent / "build" / "release")
    parser.add_argument("--note", default="", help="a sentence on the circumstances, for the report")
    arguments = parser.parse_args()

    document = {
        "command": _command(arguments),
        "note": arguments.note,
        "date": datetime.date.today().isoformat(),
        "passes": [measured(threads, arguments) for threads in arguments.threads],
    }
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    for suffix, text in ((".json", json.dumps(document, indent=1) + "\n"), (".md", markdown(document))):
        (results / f"{arguments.name}{suffix}").write_text(text)
        print(results / f"{arguments.name}{suffix}")


def _command(arguments):
    """What makes the same figures elsewhere: without the paths and remarks of this run."""
    words = ["benchmarks/run", "--threads", *map(str, arguments.threads)]
    words += ["--seconds", f"{arguments.seconds:g}", "--name", arguments.name]
    return shlex.join([*words, *(["--only", arguments.only] if arguments.only else [])])


def measured(threads, arguments):
    """Runs peers.measure in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "measured.json"
        python_path = [str(HERE), str(HERE.parent / "bindings" / "python")]
        finished = subprocess.run(
            [
                *[sys.executable, "-m", "peers.measure", "--threads", str(threads)],
                *["--seconds", str(arguments.seconds), "--only", arguments.only],
                *["--program", str(arguments.build / "softtricks-bench"), "--out", str(out)],
            ],
            check=False,
            env={
                **os.environ,
                **environment(threads),
                "PYTHONPATH": os.pathsep.join(python_path),
                "SOFTTRICKS_TORCH_LIBRARY": str(arguments.build / "libsofttricks_torch.so"),
            },
        )
        if finished.returncode != 0:
            sys.exit(f"compare: measuring with {threads} thread(s) failed; its message is above")
        return json.loads(out.read_text())


if __name__ == "__main__":
    main()
