"""Gradient estimators for E[loss(X)], X a random member of a structure.

The first group returns X itself, a tensor whose backward is the estimator: `relaxed`,
`straight_through`, `gumbel_rao`, `exact_straight_through`, `perturbed_argmax`, `implicit_mle`.
`score_function` takes the loss as a function and returns its value, and the Fenchel-Young losses
take a target in place of a loss. docs/estimators.md says which to choose when.

>>> import torch
>>> from softtricks.torch import SpanningTree
>>> from softtricks.torch.estimators import implicit_mle
>>> tree = SpanningTree(nodes=4)
>>> theta = torch.zeros(2, tree.size, requires_grad=True)  # 2 data
>>> x = implicit_mle(tree, theta, seed=0, samples=5)       # 5 trees each
>>> x.sum().backward()
>>> tuple(theta.grad.shape)
(2, 6)

All take `perturbation`, a law of `softtricks.torch.perturbations`, with its own parameters as further
names, `seed`, as `softtricks.torch.perturb`, and `lengths` and `counts` as the structure's verbs. One
more leading dimension holds several `samples` a datum. An instance with NaN gives NaN in its own place.
They work under torch.compile and torch.func.
"""

import torch

from .._estimators import Framework, public
from ._front import front


class _PullBack(torch.autograd.Function):
    """value, with the gradients that pull(g, *saved) gives for what leads `tensors`."""

    generate_vmap_rule = True

    @staticmethod
    def forward(value, pull, leading, *tensors):
        return value.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.pull, ctx.leading, *tensors = inputs
        ctx.others = len(tensors) - ctx.leading
        ctx.save_for_backward(*tensors[ctx.leading :])

    @staticmethod
    def backward(ctx, gradient):
        found = ctx.pull(gradient, *ctx.saved_tensors)
        return (None, None, None, *found, *[None] * ctx.others)


class _Torch(Framework):
    where = staticmethod(torch.where)
    log = staticmethod(torch.log)
    softplus = staticmethod(torch.nn.functional.softplus)

    def zeros(self, like, shape):
        return like.new_zeros(shape)

    def log_of_sum(self, x):
        return x.logsumexp(-1, keepdim=True)

    def pull_back(self, value, wrt, pull, saved):
        return _PullBack.apply(value, pull, len(wrt), *wrt, *saved)


_SETTING = """\
>>> import torch
>>> from softtricks.torch import OneHot, SpanningTree
>>> from softtricks.torch.estimators import *
>>> tree, seed = SpanningTree(nodes=4), 0
>>> theta = torch.zeros(2, tree.size)
"""
_framework = _Torch(front)
_public = public(_framework, __name__, _SETTING)
globals().update(_public)
__all__ = list(_public)
