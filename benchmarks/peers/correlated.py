"""k of n items in a row, with utilities for neighbours that are both in."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import torch
from softtricks.torch import CorrelatedKSubset, KSubset

from . import lp_sparsemap
from .frameworks import jax_contender, torch_contender
from .subsets import BATCH, LARGE, NONE
from .work import Raw, Target, Work

ITEMS, K = LARGE


def works():
    torch.manual_seed(0)
    structure = CorrelatedKSubset(ITEMS, K)
    utility, cotangent = (torch.randn(BATCH[LARGE], structure.size) for _ in range(2))
    plain = KSubset(ITEMS, K).marginals
    items = [a[:, :ITEMS].contiguous() for a in (utility, cotangent)]
    return [
        Work(
            f"correlated k-subset marginals, {ITEMS} items, k = {K}",
            BATCH[LARGE],
            torch_contender("softtricks", structure.marginals, utility, cotangent),
            Raw(
                {"structure": structure.name, "shape": list(structure.shape)},
                utility,
                cotangent,
                ["marginals"],
                ["marginals", "marginals_vjp"],
            ),
            [
                torch_contender("softtricks, plain k-subset", plain, *items, comparable=False),
                jax_contender(
                    "JAX, scan over items", jax.grad(_jax_log_sum), utility, cotangent
                ),
                _lp_sparsemap(utility.numpy()),
            ],
            [Target("softtricks, plain", 0.25, 0.25), Target("JAX", 8), Target("lp-sparsemap", 20)],
            note="At most four times as long as our own plain k-subset is the target. lp-sparsemap solves "
            "another problem of this size: SparseMAP of a chain with a budget of at most k.",
        )
    ]


def _jax_log_sum(utility):
    """The instances side by side in memory; log sums by the number of items in and by whether the
    last is."""
    unary, pairs = utility[:, :ITEMS].T, utility[:, ITEMS:].T

    def more(sums):
        return jnp.concatenate([jnp.full_like(sums[:1], NONE), sums[:-1]])

    def step(state, utilities):
        last_out, last_in = state
        here, pair = utilities
        taken = jnp.logaddexp(more(last_out), more(last_in) + pair) + here
        return (jnp.logaddexp(last_out, last_in), taken), None

    nothing = jnp.full((K + 1, utility.shape[0]), NONE)
    start = nothing.at[0].set(0.0), nothing.at[1].set(unary[0])
    last_out, last_in = jax.lax.scan(step, start, (unary[1:], pairs))[0]
    return jnp.logaddexp(last_out[-1], last_in[-1]).sum()


def _lp_sparsemap(utility, instances=1):
    few = utility[:instances]
    unary = np.stack([np.zeros_like(few[:, :ITEMS]), few[:, :ITEMS]], 2)
    pairs = np.zeros((instances, ITEMS - 1, 2, 2), np.float32)
    pairs[:, :, 1, 1] = few[:, ITEMS:]
    rival = lp_sparsemap.contender(
        "correlated_k_subset",
        unary,
        np.zeros_like(unary),
        lambda found: found,
        comparable=False,
        pairs=pairs,
        k=K,
    )
    return rival and replace(rival, both=None)
