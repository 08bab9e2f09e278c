"""Soft spanning trees in PyTorch, with a gradient."""

import torch
from softtricks.torch import SpanningTree, perturb

tree = SpanningTree(nodes=10)
theta = torch.zeros(32, tree.size, requires_grad=True)  # 32 instances, 45 edges each
utility = perturb("gumbel", theta, seed=0)               # random utilities around theta
hard = tree.argmax(utility)                              # 32 spanning trees, as 0 and 1
soft = tree.relax(utility, temperature=0.5)              # the same trees, softened
soft.square().sum().backward()                           # reaches theta
print(hard.sum(-1).unique().item(), theta.grad.norm().item())
