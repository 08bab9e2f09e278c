"""Forward and forward+backward in PyTorch and in JAX, from a function of the utilities alone: of one
array, or of several, whose gradient is then as many."""

import jax
import numpy as np
import torch

from .work import Contender


def to_numpy(array):
    return np.asarray(array.detach() if hasattr(array, "detach") else array)


def _arrays(utility):
    return utility if isinstance(utility, tuple) else (utility,)


def _alike(utility, gradients):
    """As many as there are utilities."""
    return tuple(gradients) if isinstance(utility, tuple) else gradients[0]


def torch_contender(name, function, utility, cotangent=None, **more):
    """`function` under PyTorch's autograd; without a cotangent only the forward pass."""
    plain = [u.detach() for u in _arrays(utility)]

    def forward():
        with torch.no_grad():
            return function(*plain)

    if cotangent is None:
        return Contender(name, forward, **more)
    leaves = [u.clone().requires_grad_(True) for u in plain]

    def both():
        result = function(*leaves)
        return result, _alike(utility, torch.autograd.grad(result, leaves, cotangent))

    return Contender(name, forward, both, **more)


def torch_gradient_contender(name, potential, utility, cotangent, **more):
    """The gradient of `potential`, by autograd, and by autograd once more for its backward pass."""
    plain = [u.detach() for u in _arrays(utility)]

    def gradient(**options):
        leaves = [u.clone().requires_grad_(True) for u in plain]
        return leaves, torch.autograd.grad(potential(*leaves).sum(), leaves, **options)

    def forward():
        return _alike(utility, gradient()[1])

    def both():
        leaves, results = gradient(create_graph=True)
        gradients = torch.autograd.grad(results, leaves, _arrays(cotangent))
        return _alike(utility, [r.detach() for r in results]), _alike(utility, gradients)

    return Contender(name, forward, both, **more)


def to_jax(tensors):
    return jax.tree.map(lambda tensor: jax.numpy.asarray(tensor.detach().numpy()), tensors)


def jax_contender(name, function, utility, cotangent=None, **more):
    """`function` under jax.jit; its backward pass is jax.vjp, jitted together with the forward."""
    arrays = to_jax(_arrays(utility))
    compiled = jax.jit(function)

    def forward():
        return jax.block_until_ready(compiled(*arrays))

    if cotangent is None:
        return Contender(name, forward, **more)
    g = to_jax(cotangent)

    @jax.jit
    def value_and_vjp(arrays, g):
        result, vjp = jax.vjp(function, *arrays)
        return result, _alike(utility, vjp(g))

    def both():
        return jax.block_until_ready(value_and_vjp(arrays, g))

    return Contender(name, forward, both, **more)
