"""Rows of the results table: mean and standard deviation over the seeds of each row, or, where its
seeds were trials of a random search, the chosen one."""

import math
from dataclasses import dataclass, field

from .run_folder import number, text


@dataclass
class Row:
    name: str
    seeds: int
    mean: dict = field(default_factory=dict)  # metric -> mean over seeds
    std: dict = field(default_factory=dict)  # metric -> standard deviation, NaN for one seed
    command: str = ""
    searched: bool = False  # seeds are trials; std is the error of the choice among them


def mean_and_std(values):
    """Mean and sample standard deviation (n - 1); the latter is NaN for fewer than two values."""
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return math.nan, math.nan
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, math.nan
    return mean, math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


def collect(run, order, metrics):
    """The rows that have a result, those named in `order` first."""
    summary = {
        row["name"]: row for row in entries(run.summary.get("rows")) if text(row.get("name"))
    }
    names = {seed.row for seed in run.seeds if seed.result} | set(summary)
    return [row_of(run, name, summary.get(name, {}), metrics) for name in in_order(names, order)]


def in_order(names, order):
    """The names sorted, those in `order` first and in its order."""
    return [name for name in order if name in names] + sorted(set(names) - set(order))


def entries(value):
    """The objects in a JSON list; nothing for anything else."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def row_of(run, name, summary, metrics):
    trials = summary.get("trials")
    if isinstance(trials, int) and trials > 0:
        return chosen(name, trials, summary, metrics)
    results = [seed.result for seed in run.seeds if seed.row == name and seed.result]
    listed = summary.get("seeds")
    listed = len(listed) if isinstance(listed, list) else listed
    listed = listed if isinstance(listed, int) else int(bool(summary))
    # The files of single seeds are the source; the summary steps in where they were removed.
    row = (
        from_results(name, results, metrics)
        if len(results) >= listed
        else from_summary(name, listed, summary, metrics)
    )
    row.command = text(summary.get("command"))
    return row


def chosen(name, trials, summary, metrics):
    row = from_summary(name, trials, summary, metrics)
    row.mean["seconds"] = number(summary.get("seconds")) / trials
    row.command = text(summary.get("command"))
    row.searched = True
    return row


def from_results(name, results, metrics):
    row = Row(name, len(results))
    for metric in metrics:
        values = [number(result.get(metric)) for result in results]
        row.mean[metric], row.std[metric] = mean_and_std(values)
    return row


def from_summary(name, seeds, summary, metrics):
    mean = {metric: number(summary.get(metric)) for metric in metrics}
    std = {metric: number(summary.get(f"{metric}_std")) for metric in metrics}
    return Row(name, seeds, mean, std if seeds > 1 else dict.fromkeys(metrics, math.nan))
