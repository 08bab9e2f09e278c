"""Who does what: three people, five jobs. Rectangular and partial matchings by padding, and softened ones."""

import torch
from softtricks.torch import Matching

worth = torch.tensor([[7.0, 5.0, -2.0, 4.0, 1.0],
                      [8.0, 7.0, -1.0, 0.0, 3.0],
                      [-3.0, -1.0, -2.0, -4.0, -5.0]])
people, jobs = worth.shape


def padded(pairs):
    """All other pairs are worth 0."""
    utility = torch.zeros(pairs, pairs)
    utility[:people, :jobs] = worth
    return utility.flatten()


def show(title, x, pairs):
    print(title)
    for row in x.reshape(pairs, pairs)[:people, :jobs].tolist():
        print("   ", "  ".join(f"{value:.2f}" for value in row))


# Everybody gets a job: fill up the shorter side. scipy's linear_sum_assignment(worth, maximize=True).
everybody = Matching(pairs=max(people, jobs))
utility = padded(everybody.pairs)
show("everybody", everybody.argmax(utility), everybody.pairs)

# Only where it pays: a partner of worth 0 for every person and every job.
paying = Matching(pairs=people + jobs)
show("where it pays", paying.argmax(padded(paying.pairs)), paying.pairs)

# Soft, with a gradient: what a unit of worth would change in how much person 0 does job 0.
utility.requires_grad_()
soft = everybody.relax(utility, temperature=2.0, regularizer="squared_norm")
show("softly", soft.detach(), everybody.pairs)
soft[0].backward()
show("gradient", utility.grad, everybody.pairs)
