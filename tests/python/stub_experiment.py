#!/usr/bin/env python3
"""An experiment that trains nothing, for tests of what hands trainings out. It speaks like the real
ones (experiments/common/task_list.hpp), sleeps for --seconds, and notes in --journal what it does.

--fail NAME   the training of that name fails, or all of them
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path


def parse(words):
    parser = argparse.ArgumentParser()
    for name, default in {"rows": "a", "out": ".", "journal": "", "fail": "", "jobs": ""}.items():
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-report", action="store_true")
    return parser.parse_args(words)


def note(options, *words):
    with open(options.journal, "a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def tasks(options):
    names = [(row, seed) for row in options.rows.split(",") for seed in range(1, options.seeds + 1)]
    if "wrong" in options.rows:
        print("error: --rows: 'wrong' is not accepted", file=sys.stderr)
        return 2
    print(
        json.dumps(
            {
                "experiment": "stub",
                "score": {"name": "loss", "goal": "minimize"},
                "settings": {"seconds": options.seconds},
                "parameters": {"row": ["a", "b", "c"], "lr": [0.5, 1000]},
                "tasks": [
                    {
                        "name": f"{row}-seed{seed}",
                        "group": row,
                        "done": (Path(options.out) / f"{row}-seed{seed}" / "result.json").exists(),
                        "arguments": {"rows": row, "seeds": str(seed)},
                        "parameters": {"row": row, "lr": seed + 0.25},
                    }
                    for row, seed in names
                ],
            }
        )
    )
    return 0


def train(options):
    name = f"{options.rows}-seed{options.seeds}"
    folder = Path(options.out) / name
    if (folder / "result.json").exists():
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    note(options, "begin", name, os.getpid())
    if options.fail in (name, "all"):
        print("error: the loss became nan", file=sys.stderr)
        return 2
    time.sleep(options.seconds)
    (folder / "metrics.jsonl").write_text('{"update": 1}\n')
    (folder / "picture.json").write_text("{}\n")
    note(options, "end", name, os.getpid())
    (folder / "result.json").write_text(json.dumps({"name": name, "loss": options.seeds / 10}))
    return 0


def summary(options):
    files = sorted(Path(options.out).glob("*-seed*/result.json"))
    rows = [json.loads(file.read_text()) for file in files]
    (Path(options.out) / "summary.json").write_text(json.dumps({"rows": rows}))
    print(f"{len(rows)} rows")
    return 0


if __name__ == "__main__":
    commands = {"tasks": tasks, "summary": summary}
    command = commands.get(sys.argv[1])
    sys.exit(command(parse(sys.argv[2:])) if command else train(parse(sys.argv[1:])))
