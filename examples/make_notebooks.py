#!/usr/bin/env python3
"""Makes a notebook, without outputs, of every example.

    python3 examples/make_notebooks.py            beside the scripts (git ignores them there)
    python3 examples/make_notebooks.py FOLDER     elsewhere, with common.py, which they import

In the scripts `# %%` begins a cell of code and `# %% [markdown]` one of text.
"""

import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK, TEXT = "# %%", "# %% [markdown]"


def cell(number, mark, lines):
    """A cell as nbformat 4.5 describes it."""
    if mark == TEXT:
        lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
    source = "".join(lines).strip("\n")
    common = {"id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
    if mark == TEXT:
        return {"cell_type": "markdown", **common}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **common}


def notebook(script):
    """The cells of a script's text."""
    cells = []
    for line in script.splitlines(keepends=True):
        if line.startswith(MARK):
            cells.append((line.rstrip(), []))
        else:
            cells[-1][1].append(line)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": [cell(number, *made) for number, made in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def scripts():
    """The examples: the files here that begin with a cell."""
    return [path for path in sorted(HERE.glob("*.py")) if path.read_text().startswith(MARK)]


def main(folder=HERE):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for script in scripts():
        made = folder / f"{script.stem}.ipynb"
        made.write_text(json.dumps(notebook(script.read_text()), indent=1) + "\n")
        print(made)
    if folder.resolve() != HERE:
        shutil.copy(HERE / "common.py", folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
