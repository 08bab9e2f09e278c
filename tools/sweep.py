#!/usr/bin/env python3
"""Hands the trainings of an experiment out to any number of workers on any number of machines.

`softtricks sweep EXPERIMENT ...` starts it as: tools/sweep.py PROGRAM ...
"""

import importlib
import sys

from sweep.arguments import parse
from sweep.error import SweepError
from sweep.program import Program


def command():
    """The rest of the sweep. It comes late, for Optuna takes a second to load."""
    try:
        return importlib.import_module("sweep.command")
    except ModuleNotFoundError as error:
        if error.name not in ("optuna", "sqlalchemy"):
            raise
        raise SweepError(
            f"the Python package '{error.name}' is missing; scripts/setup.sh installs it into "
            ".venv, then run the command again (SOFTTRICKS_PYTHON names another Python)"
        ) from None


def main():
    try:
        options = parse(sys.argv[1:])
        program = Program(options.program, options.rest, options.out, options.threads)
        tasks = program.tasks()
        return command().run(options, program, tasks)
    except SweepError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, no more processes
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
