#!/usr/bin/env python3
"""Hands the trainings of an experiment out to any number of workers on any number of machines.

`softtricks sweep EXPERIMENT ...` starts it as: tools/sweep.py PROGRAM ...
"""

import sys

try:
    from sweep import command
    from sweep.error import SweepError
except ModuleNotFoundError as error:
    if error.name not in ("optuna", "sqlalchemy"):
        raise
    sys.exit(
        f"error: the Python package '{error.name}' is missing; scripts/setup.sh installs it into "
        ".venv, then run the command again (SOFTTRICKS_PYTHON names another Python)"
    )


def main():
    try:
        return command.run(sys.argv[1:])
    except SweepError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
