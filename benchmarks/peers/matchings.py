"""Perfect matchings: the best one, and Sinkhorn's soft one."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from softtricks.torch import Matching

from . import optional
from .frameworks import jax_contender, torch_contender
from .work import Contender, Raw, Target, Work

BATCH = {16: 256, 64: 64, 128: 16}
SWEEPS = 20

lap = optional.package("lap", "lapx")
pot = optional.package("ot.batch", "POT")


def works():
    torch.manual_seed(0)
    return [*map(_argmax, (16, 64, 128)), _sinkhorn(16, 6, 6), _sinkhorn(64, 4, 8)]


def utilities(pairs, batch):
    """Random utilities as a stochastic softmax has them: a network's output and Gumbel noise."""
    noise = -torch.log(-torch.log(torch.rand(batch, pairs**2).clamp(1e-6, 1 - 1e-6)))
    return torch.randn(noise.shape) + noise, torch.randn(noise.shape)


def square(utility):
    """[batch, row, column]"""
    pairs = round(utility.shape[1] ** 0.5)
    return utility.reshape(-1, pairs, pairs)


def flat(array):
    return array.reshape(len(array), -1)


def request(pairs, **more):
    return {"structure": "matching", "shape": [pairs], **more}


# ---- the best one -----------------------------------------------------------------------------------


def _argmax(pairs):
    utility, cotangent = utilities(pairs, BATCH[pairs])
    cost = -square(utility).numpy()

    def one_by_one(name, columns):
        return Contender(f"{name}, one by one", lambda: _indicators([columns(c) for c in cost]))

    rivals = [one_by_one("SciPy", lambda c: linear_sum_assignment(c)[1])]
    if lap:
        rivals += [
            one_by_one("lapx lapjv", lambda c: lap.lapjv(c, return_cost=False)[0]),
            one_by_one("lapx lapjvs", lambda c: lap.lapjvs(c, return_cost=False)[1]),
            _lapx_batch(cost),
        ]
    return Work(
        f"matching argmax, {pairs} pairs",
        BATCH[pairs],
        torch_contender("softtricks", Matching(pairs).argmax, utility),
        Raw(request(pairs), utility, cotangent, ["argmax"]),
        rivals,
        [Target("lapx", 3), Target("SciPy", 3)],
    )


def _indicators(columns):
    """[batch][row] -> 0/1 matrices"""
    columns = np.stack(columns)
    result = np.zeros((*columns.shape, columns.shape[1]), np.float32)
    np.put_along_axis(result, columns[:, :, None], 1, 2)
    return flat(result)


def _lapx_batch(cost):
    def best():
        return _indicators(lap.lapjvs_batch(cost, return_cost=False, n_threads=1)[1])

    return Contender("lapx lapjvs_batch", best, threads=1)


# ---- Sinkhorn ---------------------------------------------------------------------------------------


def _sinkhorn(pairs, forward, both):
    utility, cotangent = utilities(pairs, BATCH[pairs])
    own, ones = (square(utility), square(cotangent)), torch.ones(BATCH[pairs], pairs)

    def pot_sweeps(u):
        return pot.bregman_log_projection_batch(
            u, ones, ones, max_iter=SWEEPS, tol=0, grad="autodiff"
        )["T"]

    return Work(
        f"Sinkhorn, {pairs} pairs",
        BATCH[pairs],
        torch_contender(
            "softtricks",
            lambda u: Matching(pairs).relax(u, 1.0, "shannon_entropy"),
            utility,
            cotangent,
        ),
        Raw(
            request(pairs, regularizer="shannon_entropy"),
            utility,
            cotangent,
            ["relax"],
            ["relax", "relax_vjp"],
        ),
        [
            jax_contender(f"JAX, {SWEEPS} sweeps", _jax_sweeps, *own, reading=flat),
            torch_contender(f"PyTorch, {SWEEPS} sweeps", _torch_sweeps, *own, reading=flat),
            pot and torch_contender(f"POT, {SWEEPS} sweeps", pot_sweeps, *own, reading=flat),
        ],
        [Target("JAX", forward, both)],
        tolerance=0.05,
        note=f"Ours converges to rounding; the others stop after {SWEEPS} sweeps, hence the differences.",
    )


def _jax_sweeps(u):
    def sweep(u, _):
        u = u - jax.nn.logsumexp(u, 2, keepdims=True)
        return u - jax.nn.logsumexp(u, 1, keepdims=True), None

    return jnp.exp(jax.lax.scan(sweep, u, length=SWEEPS)[0])


def _torch_sweeps(u):
    for _ in range(SWEEPS):
        u = u - torch.logsumexp(u, 2, keepdim=True)
        u = u - torch.logsumexp(u, 1, keepdim=True)
    return u.exp()
