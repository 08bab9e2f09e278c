#!/usr/bin/env python3
"""The pictures of docs/mathematics: what a soft sample does as the temperature falls.

    .venv/bin/python docs/pictures.py              all of them
    .venv/bin/python docs/pictures.py k_subset     some

One draw of random utilities for each structure; every number comes from the command line program,
by the commands that stand below the pictures. A row for each regularizer, a column for each
temperature, and the argmax at the end.
"""

import argparse
import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from drawings import PICTURES  # noqa: E402, needs the path
from report import figures  # noqa: E402

TEMPERATURES = ("10", "1", "0.3", "0.1", "0.01")
PANEL, GAP = 1.14, 0.1  # inches
LEFT, TOP, BELOW = 0.5, 0.2, 0.25
LABEL = {"ha": "center", "va": "center", "fontsize": 7.5}
CAPTION = {**LABEL, "fontsize": 6.5, "color": figures.PLACEHOLDER["muted"]}


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="pictures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("structures", metavar="STRUCTURE", nargs="*", help="default: all")
    parser.add_argument(
        "--program",
        type=Path,
        metavar="FILE",
        default=ROOT / "build/release/softtricks",
        help="the command line program (default: build/release/softtricks)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / "docs/mathematics",
        help="where STRUCTURE.svg goes (default: docs/mathematics)",
    )
    return parser.parse_args(arguments)


class Program:
    """The command line program on the one instance of a picture."""

    def __init__(self, path):
        if not path.is_file():
            sys.exit(f"pictures: {path} is not built: cmake --build --preset release")
        self.path = path

    def ask(self, words, numbers=()):
        line = " ".join(f"{number:g}" for number in numbers) + "\n"
        done = subprocess.run(
            [str(self.path), *words], input=line, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(f"pictures: {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def offers(self):
        """Structure -> verb -> what the program says of it."""
        return {
            s["name"]: s["verbs"] for s in json.loads(self.ask(["list", "--json"]))["structures"]
        }

    def row(self, words, theta):
        """Rounded, so that the picture does not depend on the machine."""
        return [round(float(cell), 4) for cell in self.ask(words, theta).split()]


def flags(picture):
    shape = [word for field, value in picture.shape.items() for word in (f"--{field}", str(value))]
    return [*shape, "--perturbation", picture.noise, "--seed", str(picture.seed)]


def relaxation(name, picture, regularizer, temperature):
    chosen = ["--regularizer", regularizer, "--temperature", temperature]
    return ["relax", name, *flags(picture), *chosen]


def caption(name, picture, rows):
    """The command of all the soft samples, and what it reads."""
    words = ["softtricks", *relaxation(name, picture, " or ".join(rows), "t")]
    runs = [f"{len(list(run))} times {value:g}" for value, run in groupby(picture.theta)]
    return f"{' '.join(words)}   (input: {', '.join(runs)})"


def drawn(name, picture, program, rows):
    """The figure: a row of panels for each regularizer, the argmax at the end of each."""
    hard = program.row(["sample", name, *flags(picture)], picture.theta)
    tall = PANEL * picture.aspect
    width = LEFT + (len(TEMPERATURES) + 1) * (PANEL + GAP)
    height = TOP + len(rows) * (tall + GAP) + picture.foot + BELOW

    def panel(row, column, x):
        low = BELOW + picture.foot + (len(rows) - 1 - row) * (tall + GAP)
        left = LEFT + column * (PANEL + GAP)
        axes = figure.add_axes((left / width, low / height, PANEL / width, tall / height))
        picture.draw(axes, picture.shape, x)
        if column > 0:
            axes.set(ylabel="")
            axes.tick_params(labelleft=False)
        if row + 1 < len(rows):
            axes.set(xlabel="")
            axes.tick_params(labelbottom=False)
        return axes

    with figures.drawing(width, height) as figure:
        for row, regularizer in enumerate(rows):
            soft = [
                program.row(relaxation(name, picture, regularizer, t), picture.theta)
                for t in TEMPERATURES
            ]
            titles = [*(f"t = {t}" for t in TEMPERATURES), "argmax"]
            for column, (x, title) in enumerate(zip([*soft, hard], titles, strict=True)):
                axes = panel(row, column, x)
                if row == 0:
                    axes.set_title(title, fontsize=8, pad=4)
            middle = axes.get_position().y0 + tall / height / 2
            figure.text(0.1 / width, middle, regularizer, rotation=90, **LABEL)
        figure.text(0.5, 0.09 / height, caption(name, picture, rows), **CAPTION)
        return figures.standalone(figure, name, f"Soft samples of {name} as the temperature falls")


def main(arguments=None):
    options = parse(arguments)
    program = Program(options.program)
    offers = program.offers()
    for name in options.structures or offers:
        if name not in offers or name not in PICTURES:
            sys.exit(f"pictures: docs/drawings.py and the program don't both know '{name}'")
        rows = [r for r in PICTURES[name].rows if r in offers[name]["relax"]["regularizers"]]
        path = options.folder / f"{name}.svg"
        path.write_text(drawn(name, PICTURES[name], program, rows), encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
