"""Gradient estimators for E[loss(X)], X a random member of a structure.

The first group returns X itself, an array whose backward is the estimator: `relaxed`,
`straight_through`, `gumbel_rao`, `exact_straight_through`, `perturbed_argmax`, `implicit_mle`.
`score_function` takes the loss as a function and returns its value, and the Fenchel-Young losses
take a target in place of a loss. docs/estimators.md says which to choose when.

>>> import jax, jax.numpy as jnp
>>> from softtricks.jax import SpanningTree
>>> from softtricks.jax.estimators import implicit_mle
>>> tree = SpanningTree(nodes=4)
>>> def loss(theta, key):
...     x = implicit_mle(tree, theta, key=key, samples=5)  # 5 trees a datum
...     return jnp.square(x).sum()
>>> jax.jit(jax.grad(loss))(jnp.zeros((2, tree.size)), jax.random.key(0)).shape
(2, 6)

All take `perturbation`, a law of `softtricks.jax.perturbations`, with its own parameters as further
names, `key`, a key of jax.random or an integer, which draws what PyTorch draws for that seed, and
`lengths` and `counts` as the structure's verbs. One more leading dimension holds several `samples` a
datum. An instance with NaN gives NaN in its own place. They work under jit, vmap, grad and scan.
Baselines and steps are pytrees. Backward mode only.
"""

import functools

import jax
import jax.numpy as jnp

from .._estimators import baselines as _baselines
from .._estimators import Framework, public
from ._front import front

for _class, _data, _meta in (
    (_baselines.NoBaseline, [], []),
    (_baselines.BatchMean, [], []),
    (_baselines.LeaveOneOut, [], []),
    (_baselines.MovingAverage, ["total", "weight"], ["keep"]),
    (_baselines.Learned, ["prediction"], []),
    (_baselines.FixedStep, ["factor"], []),
    (_baselines.AdaptiveStep, ["relative", "changed_mean"], ["rate", "keep", "target"]),
):
    jax.tree_util.register_dataclass(_class, _data, _meta)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _pull_back(pull, value, wrt, saved):
    return value


def _forward(pull, value, wrt, saved):
    return value, (wrt, saved)


def _backward(pull, kept, gradient):
    wrt, saved = kept
    found = tuple(g.astype(x.dtype) for g, x in zip(pull(gradient, *saved), wrt, strict=True))
    return jnp.zeros_like(gradient), found, [jnp.zeros_like(x) for x in saved]


_pull_back.defvjp(_forward, _backward)


class _Jax(Framework):
    where = staticmethod(jnp.where)
    log = staticmethod(jnp.log)
    softplus = staticmethod(jax.nn.softplus)

    def zeros(self, like, shape):
        return jnp.zeros(shape, like.dtype)

    def log_of_sum(self, x):
        return jax.nn.logsumexp(x, -1, keepdims=True)

    def pull_back(self, value, wrt, pull, saved):
        return _pull_back(pull, value, tuple(map(jnp.asarray, wrt)), saved)


_SETTING = """\
>>> import jax, jax.numpy as jnp
>>> from softtricks.jax import OneHot, SpanningTree
>>> from softtricks.jax.estimators import *
>>> tree, key = SpanningTree(nodes=4), jax.random.key(0)
>>> theta = jnp.zeros((2, tree.size))
"""
_framework = _Jax(front)
_public = public(_framework, __name__, _SETTING, seed="key")
globals().update(_public)
__all__ = list(_public)
