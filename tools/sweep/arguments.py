"""The command line of a sweep; what it does not know belongs to the experiment."""

import argparse
import os
from pathlib import Path

from .error import SweepError

DESCRIPTION = """\
Trains all rows, k and seeds of an experiment, as `softtricks train` does, with workers on any
number of machines. Seeds are the trials of a random search where numbers are given as ranges. The
same command goes on where it stopped; given on a further machine with the same --storage and
--name, it helps there, and every machine ends with the whole table.

All other options go to the experiment: softtricks train EXPERIMENT --help lists them."""

EXAMPLES = """\
Examples:
  softtricks sweep aspect-ratings --rows gibbs,correlated --seeds 1..25 --out runs/search
  softtricks sweep graph-layout --lr 1e-4..1e-2 --seeds 1..20 --out runs/layouts --status
  softtricks sweep aspect-ratings --preset poster --files reviews --out runs/beer \\
      --storage postgresql://sweeper@server/sweeps"""


def parse(words):
    """Options of the sweep; `program` is the experiment's, `rest` are its own arguments."""
    parser = argparse.ArgumentParser(
        prog="softtricks sweep",
        usage="softtricks sweep EXPERIMENT --out DIR [options] [options of the experiment]",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("program", help=argparse.SUPPRESS)
    add = parser.add_argument
    add("--out", metavar="DIR", type=Path, required=True, help="folder of the run")
    add(
        "--storage",
        metavar="URL",
        default="",
        help="database of the trials: sqlite:///FILE (one machine; default: DIR/sweep.db) or "
        "postgresql://USER@HOST/DATABASE",
    )
    add("--name", default="", help="name of the sweep in it (default: the last part of DIR)")
    add(
        "--workers",
        metavar="N",
        type=whole,
        default=0,
        help="trainings side by side on this machine; 0: cores / threads",
    )
    add("--threads", metavar="N", type=whole, default=1, help="threads of each training")
    add(
        "--grace",
        metavar="SECONDS",
        type=float,
        default=60,
        help="a worker without a sign of life for so long is given up, and others take its trials; "
        "the same on all machines (default: 60)",
    )
    add("--retry-failed", action="store_true", help="give failed trials another chance")
    add("--status", action="store_true", help="only say how far the sweep is")
    options, rest = parser.parse_known_args(words)
    options.rest = checked(rest)
    if not options.grace > 0:
        raise SweepError(f"--grace: '{options.grace}' is not accepted; give a number above 0")
    options.out = options.out.resolve()
    options.name = options.name or options.out.name
    options.threads = max(1, options.threads)
    options.workers = options.workers or max(1, len(os.sched_getaffinity(0)) // options.threads)
    return options


def whole(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 0")
    return int(text)


def checked(rest):
    if any(word == "--jobs" or word.startswith("--jobs=") for word in rest):
        raise SweepError("--jobs: a sweep has --workers instead")
    return rest
