"""Reads the run folder of a training, with whatever is there; what is not becomes a note.

config.json                     task, command and options
summary.json                    one entry per row, machine
ROW-seedN/metrics.jsonl         one line per evaluation on validation data
ROW-seedN/result.json           test metrics of the best checkpoint
"""

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path


class UnusableFolder(Exception):
    """The folder is no run folder, or of a task without a report."""


@dataclass
class Seed:
    """One training: a row of the table, run with one seed."""

    row: str
    seed: int
    evaluations: list  # dicts, by increasing update
    result: dict | None

    @property
    def name(self):
        return f"{self.row}-seed{self.seed}"

    def values(self, key):
        """The values of one metric over the evaluations; NaN where it is absent."""
        return [number(entry.get(key)) for entry in self.evaluations]


def number(value):
    """A float, NaN for anything that isn't a number (JSON has no NaN, writers put null)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    return float(value)


def text(value):
    """A string as it is; anything else, such as null, as no string at all."""
    return value if isinstance(value, str) else ""


@dataclass
class RunFolder:
    path: Path
    config: dict = field(default_factory=dict)
    summary: dict = field(default_factory=dict)
    seeds: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @classmethod
    def load(cls, path):
        if not path.is_dir():
            raise UnusableFolder(
                f"'{path}' is not a folder; expected the folder that "
                "`softtricks train` wrote, which holds config.json"
            )
        run = cls(path)
        try:
            run.config = run.read_json("config.json", "the options of the run are not known")
            run.summary = run.read_json(
                "summary.json", "rows are put together from the result of each seed"
            )
            if not run.task:
                raise UnusableFolder(
                    f"'{path}' is not a run folder: neither config.json nor "
                    f"summary.json names a task. {' '.join(run.notes)}"
                )
            run.seeds = run.read_seeds()
        except OSError as error:
            raise UnusableFolder(
                f"'{error.filename or path}' cannot be read: {error.strerror or error}"
            ) from error
        return run

    @property
    def task(self):
        return text(self.config.get("task")) or text(self.summary.get("task"))

    def option(self, *names):
        """The first of the options that config.json has, with hyphens or underscores; or None."""
        options = {key.replace("-", "_"): value for key, value in self.config.items()}
        found = [options[name] for name in names if options.get(name) is not None]
        return found[0] if found else None

    def read_json(self, name, consequence):
        """A JSON object of the folder, {} with a note where it is missing or damaged."""
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.notes.append(f"{name} is not there: {consequence}.")
            return {}
        except (ValueError, RecursionError):
            self.notes.append(f"{name} is damaged and was left out: {consequence}.")
            return {}
        if not isinstance(content, dict):
            self.notes.append(f"{name} holds no JSON object and was left out: {consequence}.")
            return {}
        return content

    def read_seeds(self):
        seeds = []
        for folder in sorted(self.path.iterdir()):
            match = re.fullmatch(r"(.+)-seed(\d+)", folder.name)
            if match and folder.is_dir():
                seeds.append(self.read_seed(folder, match[1], int(match[2])))
        if not seeds:
            self.notes.append("No training has begun: there is no folder named ROW-seedN.")
        return sorted(seeds, key=lambda seed: (seed.row, seed.seed))

    def read_seed(self, folder, row, seed):
        evaluations = self.read_lines(f"{folder.name}/metrics.jsonl")
        last = evaluations[-1]["update"] if evaluations else None
        state = (
            "nothing was evaluated"
            if last is None
            else f"the last evaluation is at update {last:,}"
        )
        result = self.read_json(
            f"{folder.name}/result.json", f"this training is not finished, {state}"
        )
        return Seed(row, seed, evaluations, result or None)

    def read_lines(self, name):
        """Evaluations by update. A continued run may repeat an update: the later line counts."""
        try:
            lines = (self.path / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            self.notes.append(f"{name} is not there: no learning curve for it.")
            return []
        found = {}
        damaged = 0
        for line in filter(str.strip, lines):
            try:
                entry = json.loads(line)
                found[int(entry["update"])] = entry
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                damaged += 1
        if damaged:
            self.notes.append(
                f"{name}: {damaged} unreadable "
                f"{'line was' if damaged == 1 else 'lines were'} left out."
            )
        return [found[update] for update in sorted(found)]
