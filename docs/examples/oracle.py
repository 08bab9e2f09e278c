"""A structure of one's own from Python: what fits into a knapsack, from a solver alone.

    PYTHONPATH=bindings/python .venv-python/bin/python docs/examples/oracle.py

The values of the items are unknown; what is seen is which items good customers take. Implicit MLE, which
asks for nothing but the solver, learns values under which the solver takes the same.
"""

import numpy
import torch

from softtricks.torch import Oracle
from softtricks.torch.estimators import implicit_mle

WEIGHTS, CAPACITY = [3, 4, 5, 6], 10


def knapsack(utility):
    """The best choice of each row, [batch, items]: a dynamic program over the room that is left."""
    batch, items = utility.shape
    best = numpy.zeros((items + 1, CAPACITY + 1, batch), utility.dtype)  # of the first i items
    for i, weight in enumerate(WEIGHTS):
        best[i + 1] = best[i]
        taken = best[i, : CAPACITY + 1 - weight] + utility[:, i]
        best[i + 1, weight:] = numpy.maximum(best[i, weight:], taken)
    chosen, room, rows = numpy.zeros_like(utility), numpy.full(batch, CAPACITY), numpy.arange(batch)
    for i in reversed(range(items)):
        take = best[i + 1, room, rows] > best[i, room, rows]
        chosen[:, i] = take
        room = room - WEIGHTS[i] * take
    return chosen


def main():
    structure = Oracle(len(WEIGHTS), knapsack)
    wanted = torch.tensor([1.0, 0.0, 0.0, 1.0]).expand(64, -1)  # items 0 and 3
    values = torch.zeros(4, requires_grad=True)
    optimizer = torch.optim.Adam([values], lr=0.1)
    for step in range(200):
        x = implicit_mle(structure, values.expand(64, -1), seed=step)
        loss = (x - wanted).square().sum(-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("hard", structure.argmax(values.detach()).tolist())
    print("soft", [round(x, 3) for x in structure.relax(values.detach(), temperature=1.0).tolist()])
    choices, weights = structure.active_set(torch.tensor([1.0, 1.0, 1.2, 1.5]), 0.5, 2)
    for choice, weight in zip(choices.tolist(), weights.tolist(), strict=True):
        print(f"{weight:.3f} of {choice}")


if __name__ == "__main__":
    main()
