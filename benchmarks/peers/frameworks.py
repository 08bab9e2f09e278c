"""Forward and forward+backward in PyTorch and in JAX, from a function of the utilities alone."""

import jax
import torch

from .work import Contender


def torch_contender(name, function, utility, cotangent=None):
    """`function` under PyTorch's autograd; without a cotangent only the forward pass."""
    plain = utility.detach()

    def forward():
        with torch.no_grad():
            return function(plain)

    if cotangent is None:
        return Contender(name, forward)
    leaf = plain.clone().requires_grad_(True)

    def both():
        result = function(leaf)
        (gradient,) = torch.autograd.grad(result, leaf, cotangent)
        return result, gradient

    return Contender(name, forward, both)


def torch_gradient_contender(name, potential, utility, cotangent):
    """The gradient of `potential`, by autograd, and by autograd once more for its backward pass."""
    plain = utility.detach()

    def forward():
        leaf = plain.clone().requires_grad_(True)
        return torch.autograd.grad(potential(leaf).sum(), leaf)[0]

    def both():
        leaf = plain.clone().requires_grad_(True)
        (result,) = torch.autograd.grad(potential(leaf).sum(), leaf, create_graph=True)
        (gradient,) = torch.autograd.grad(result, leaf, cotangent)
        return result.detach(), gradient

    return Contender(name, forward, both)


def to_jax(tensor):
    return jax.numpy.asarray(tensor.detach().numpy())


def jax_contender(name, function, utility, cotangent=None):
    """`function` under jax.jit; its backward pass is jax.vjp, jitted together with the forward."""
    u = to_jax(utility)
    compiled = jax.jit(function)

    def forward():
        return compiled(u).block_until_ready()

    if cotangent is None:
        return Contender(name, forward)
    g = to_jax(cotangent)

    @jax.jit
    def value_and_vjp(u, g):
        result, vjp = jax.vjp(function, u)
        return result, vjp(g)[0]

    def both():
        return jax.block_until_ready(value_and_vjp(u, g))

    return Contender(name, forward, both)
