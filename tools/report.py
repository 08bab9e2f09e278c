#!/usr/bin/env python3
"""Writes report.html, one self-contained page, from the run folder of a training.

Example: tools/report.py runs/graph-layout
"""

import argparse
import sys
from pathlib import Path

try:
    from report import aspect_ratings, graph_layout
    from report.page import write_atomically
    from report.run_folder import RunFolder, UnusableFolder
except ModuleNotFoundError as error:
    if error.name not in ("matplotlib", "numpy"):
        raise
    sys.exit(
        f"report: the Python package '{error.name}' is missing; ./quickstart installs it "
        "into .venv, then run: .venv/bin/python tools/report.py RUN_FOLDER"
    )

# Task name in config.json -> function from a run folder to the page's HTML.
TASKS = {"aspect-ratings": aspect_ratings.report, "graph-layout": graph_layout.report}


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder",
        metavar="RUN_FOLDER",
        type=Path,
        help="folder that a training wrote: config.json, summary.json, ROW-seedN/",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where to write the page (default: RUN_FOLDER/report.html)",
    )
    return parser.parse_args(arguments)


def write_report(folder, out):
    run = RunFolder.load(folder)
    if run.task not in TASKS:
        raise UnusableFolder(
            f"'{folder}' holds a run of the task '{run.task}'; "
            f"reports exist for: {', '.join(sorted(TASKS))}"
        )
    write_atomically(out, TASKS[run.task](run))


def main(arguments=None):
    options = parse(arguments)
    out = options.out or options.folder / "report.html"
    try:
        write_report(options.folder, out)
    except UnusableFolder as error:
        print(f"report: RUN_FOLDER: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report: cannot write '{out}': {error.strerror or error}", file=sys.stderr)
        return 2
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
