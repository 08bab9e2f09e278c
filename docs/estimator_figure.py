#!/usr/bin/env python3
"""Bias and spread of every gradient estimator against what it costs, on problems small enough to
enumerate: estimators.svg and estimator_figures.md beside this script.

    PYTHONPATH=bindings/python .venv-python/bin/python docs/estimator_figure.py

A member is 2 of 6 items, or 1 of 6, the loss is quadratic, the utilities are theta + Gumbel noise. The
exact gradient of E[loss(X)] comes from all members and their probabilities. Estimators of the Gibbs law
are held against the gradient of that law. Time is that of an estimate in a batch of 1000, forward and
backward, the least of many, on one thread.
"""

import argparse
import itertools
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

import softtricks.torch as st
from softtricks.torch import estimators as se

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

from report import figures  # noqa: E402, needs the path

INK, MUTED, PAPER = (figures.PLACEHOLDER[paint] for paint in ("ink", "muted", "paper"))
THETA = torch.tensor([0.8, -0.3, 0.2, 0.0, -0.6, 0.4], dtype=torch.float64)
LINEAR = torch.tensor([0.3, -0.6, 0.9, -0.2, 0.5, -1.0], dtype=torch.float64)
PULLS = torch.tensor(
    [[1.0, -1.0, 0.5, 0.0, -0.5, 1.5], [0.5, 0.5, -1.0, 1.0, 1.0, -0.5]], dtype=torch.float64
)
BATCH = 1000
TEMPERATURES = (2.0, 1.0, 0.5, 0.2, 0.1)


def loss(x):
    return x @ LINEAR + (x @ PULLS.T).square().sum(-1)


# ---- exact ------------------------------------------------------------------------------------


class Problem:
    def __init__(self, k):
        places = list(itertools.combinations(range(6), k))
        self.members = torch.stack([torch.eye(6).double()[list(p)].sum(0) for p in places])
        self.orders = list(itertools.permutations(range(6), k))
        self.structure = st.OneHot(6) if k == 1 else st.KSubset(6, k)
        self.exact = {"gumbel": self._gradient(self._gumbel), "gibbs": self._gradient(self._gibbs)}

    def _gradient(self, law):
        theta = THETA.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(law(theta), theta)
        return gradient

    def _gibbs(self, theta):
        """E[loss(X)]."""
        return (self.members @ theta).softmax(0) @ loss(self.members)

    def _gumbel(self, theta):
        """The best k of Gumbel utilities are k draws without replacement."""
        weight, total = theta.exp(), 0.0
        for order in self.orders:
            left, chance = weight.sum(), 1.0
            for item in order:
                chance = chance * weight[item] / left
                left = left - weight[item]
            total = total + chance * loss(torch.eye(6).double()[list(order)].sum(0))
        return total


# ---- estimators ---------------------------------------------------------------------------------


@dataclass
class Trial:
    name: str  # of the line it belongs to
    setting: str
    calls: int  # of solvers an estimate: argmax, relax, sample, marginals, and vjps
    value: object  # (structure, theta, seed) -> the loss, [batch]
    law: str = "gumbel"
    found: dict = field(default_factory=dict)


def pathwise(estimator, **named):
    return lambda s, theta, seed: loss(estimator(s, theta, seed=seed, **named))


def score(**named):
    return lambda s, theta, seed: se.score_function(s, theta, loss, seed=seed, **named)


def trials(k):
    made = []
    for t in TEMPERATURES:
        at = {"temperature": t}
        made.append(Trial("relaxed", f"t = {t:g}", 2, pathwise(se.relaxed, **at)))
    for t in TEMPERATURES:
        at = {"temperature": t}
        made.append(Trial("straight-through", f"t = {t:g}", 3, pathwise(se.straight_through, **at)))
    if k == 1:
        for t in TEMPERATURES:
            rao = pathwise(se.gumbel_rao, temperature=t, draws=10)
            made.append(Trial("Gumbel-Rao", f"10 draws, t = {t:g}", 21, rao))
    exact = pathwise(se.exact_straight_through)
    made.append(Trial("exact straight-through", "Gibbs law", 3, exact, "gibbs"))
    for step in (0.1, 0.3, 1.0, 3.0):
        for central in (False, True):
            mle = pathwise(se.implicit_mle, step=step, central=central)
            setting = f"step {step:g}" + (", central" if central else "")
            name = "implicit MLE" + (", central" if central else "")
            made.append(Trial(name, setting, 2 + central, mle))
    made.append(Trial("score function", "1 sample, no baseline", 1, score()))
    for n in (2, 4, 16):
        made.append(Trial("score function", f"{n} samples, leave one out", n, score(samples=n)))
    for n in (2, 4, 16):
        gibbs = score(samples=n, perturbation=None)
        made.append(Trial("score of the Gibbs law", f"{n} samples, leave one out", 3 * n, gibbs, "gibbs"))
    for n in (2, 4, 16):
        layer = pathwise(se.perturbed_argmax, samples=n)
        made.append(Trial("perturbed argmax", f"{n} samples", n, layer))
    return sorted(made, key=lambda trial: trial.name)


def gradients(problem, trial, seed, rows):
    theta = THETA.expand(rows, 6).clone().requires_grad_()
    (gradient,) = torch.autograd.grad(trial.value(problem.structure, theta, seed).sum(), theta)
    return gradient


def measure(problem, trial, draws):
    """Bias and standard deviation, in units of the exact gradient's norm; microseconds."""
    exact = problem.exact[trial.law]
    sums, squares = torch.zeros(6).double(), torch.zeros(6).double()
    chunk = 10_000
    for seed in range(draws // chunk):
        off = gradients(problem, trial, seed, chunk) - exact
        sums += off.sum(0)
        squares += off.square().sum(0)
    variance = (squares - sums.square() / draws).sum() / (draws - 1)
    best = min(seconds(partial(gradients, problem, trial, 0, BATCH)) for _ in range(25))
    norm = float(exact.norm())
    trial.found = {
        "bias": float((sums / draws).norm()) / norm,
        "error": float((variance / draws).sqrt()) / norm,
        "deviation": float(variance.sqrt()) / norm,
        "time": best / BATCH * 1e6,
    }


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# ---- figure and table -----------------------------------------------------------------------------

MARKS = {
    "relaxed": "o-", "straight-through": "s-", "exact straight-through": "P", "implicit MLE": "v--",
    "implicit MLE, central": "^--", "score function": "x:", "score of the Gibbs law": "+:",
    "perturbed argmax": "D:",
}  # fmt: skip


def draw(made):
    with figures.drawing(7.4, 6.4) as figure:
        panels = figure.subplots(2, 2, sharey="col", sharex="row")
        for row, cost in enumerate(("solver calls", "microseconds")):
            for panel, what in zip(panels[row], ("bias", "deviation"), strict=True):
                for name, style in MARKS.items():
                    line(panel, [t for t in made if t.name == name], row, what, style)
                words = {"bias": "bias", "deviation": "standard deviation"}[what]
                panel.set(xscale="log", yscale="log", xlabel=f"{cost} an estimate")
                panel.set_ylabel(f"{words} / norm")
                panel.grid(True)
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="lower center", ncols=3,
                      frameon=False)  # fmt: skip
        figure.tight_layout(rect=(0, 0.11, 1, 1))
        label = "Bias and standard deviation of gradient estimators against solver calls and time"
        return figures.standalone(figure, "estimators", label)


def line(panel, points, timed, what, style):
    """Full marks; hollow or faint ones where the bias is within two standard errors of 0."""
    x = [p.found["time"] if timed else p.calls for p in points]
    y = [p.found[what] for p in points]
    marker, dashes = style[0], style[1:] or "none"
    panel.plot(x, y, linestyle=dashes, color=MUTED, linewidth=0.7, zorder=1)
    for hollow in (False, True):
        shown = [
            (a, b) for a, b, p in zip(x, y, points, strict=True)
            if hollow == (what == "bias" and p.found["bias"] < 2 * p.found["error"])
        ]  # fmt: skip
        edge = MUTED if hollow and marker in "x+" else INK
        panel.plot(
            *(zip(*shown, strict=True) if shown else ([], [])), marker, markersize=5, color=edge,
            markerfacecolor=PAPER if hollow else INK, label=None if hollow else points[0].name,
        )  # fmt: skip


def table(made):
    rows = [
        "| estimator | setting | bias | its standard error | standard deviation | solver calls | us |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for t in made:
        f = t.found
        numbers = f"{f['bias']:.3f} | {f['error']:.3f} | {f['deviation']:.2f}"
        rows.append(f"| {t.name} | {t.setting} | {numbers} | {t.calls} | {f['time']:.2f} |")
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--draws", type=int, default=200_000, help="of each estimator (200000)")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the files go (docs)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pages = [f"Made by `docs/estimator_figure.py`, {arguments.draws} draws each. " + UNITS]
    for k, title in ((2, "2 of 6 items"), (1, "1 of 6 items")):
        problem, made = Problem(k), trials(k)
        for trial in made:
            measure(problem, trial, arguments.draws)
        pages.append(f"## {title}\n\n{table(made)}")
        if k == 2:
            (arguments.folder / "estimators.svg").write_text(draw(made))
    text = "# Bias, spread and cost of the estimators\n\n" + "\n\n".join(pages) + "\n"
    (arguments.folder / "estimator_figures.md").write_text(text)


UNITS = """Bias is the distance of the mean gradient from the exact one, standard
deviation the root of the gradient's total variance, both in units of the exact gradient's norm; `us` is
microseconds an estimate in a batch of 1000, forward and backward, on one thread. An unbiased estimator
shows a bias of about its standard error. [estimators.md](estimators.md) has the figure and says what
to choose."""

if __name__ == "__main__":
    main()
