"""One of n categories: softmax, Gumbel-softmax samples, sparsemax."""

import itertools

import entmax
import jax
import torch
from jaxopt import projection
from softtricks.torch import OneHot, perturb

from .frameworks import jax_contender, to_jax, torch_contender
from .work import Contender, Raw, Target, Work

CATEGORIES, BATCH, TEMPERATURE = 128, 4096, 0.5
RAW = {"structure": "one_hot", "shape": [CATEGORIES]}


def works():
    torch.manual_seed(0)
    utility = torch.randn(BATCH, CATEGORIES)
    cotangent = torch.randn(BATCH, CATEGORIES)
    return [
        _softmax(utility, cotangent),
        _gumbel_softmax(utility, cotangent),
        _sparsemax(utility, cotangent),
    ]


def _softmax(utility, cotangent):
    one_hot = OneHot(CATEGORIES)
    return Work(
        f"softmax, {CATEGORIES} categories",
        BATCH,
        torch_contender("softtricks", one_hot.marginals, utility, cotangent),
        Raw(RAW, utility, cotangent, ["marginals"], ["marginals", "marginals_vjp"]),
        [
            torch_contender("torch.softmax", lambda u: torch.softmax(u, -1), utility, cotangent),
            jax_contender("JAX softmax", jax.nn.softmax, utility, cotangent),
        ],
        [Target("torch", 1)],
    )


def _gumbel_softmax(theta, cotangent):
    one_hot, seeds = OneHot(CATEGORIES), itertools.count()

    def ours(theta):
        return one_hot.relax(perturb("gumbel", theta, seed=next(seeds)), TEMPERATURE)

    def distribution(theta):
        law = torch.distributions.RelaxedOneHotCategorical(TEMPERATURE, logits=theta)
        return law.rsample()

    def functional(theta):
        return torch.nn.functional.gumbel_softmax(theta, TEMPERATURE)

    raw = RAW | {"perturbation": "gumbel", "temperature": TEMPERATURE}
    return Work(
        f"Gumbel-softmax sample, {CATEGORIES} categories",
        BATCH,
        torch_contender("softtricks", ours, theta, cotangent),
        Raw(raw, theta, cotangent, ["relax"], ["relax", "relax_vjp"]),
        [
            torch_contender("torch.distributions", distribution, theta, cotangent),
            torch_contender("torch gumbel_softmax", functional, theta, cotangent),
            _jax_gumbel_softmax("JAX", "threefry2x32", theta, cotangent),
            _jax_gumbel_softmax("JAX, rbg generator", "rbg", theta, cotangent),
        ],
        [Target("JAX", 3, 3), Target("torch", 6, 6)],
        tolerance=None,
    )


def _jax_gumbel_softmax(name, generator, theta, cotangent):
    theta, cotangent = to_jax(theta), to_jax(cotangent)
    first, numbers = jax.random.key(0, impl=generator), itertools.count()

    def sample(theta, key):
        return jax.nn.softmax((theta + jax.random.gumbel(key, theta.shape)) / TEMPERATURE)

    @jax.jit
    def forward(theta, number):
        return sample(theta, jax.random.fold_in(first, number))

    @jax.jit
    def both(theta, number, cotangent):
        key = jax.random.fold_in(first, number)
        result, vjp = jax.vjp(lambda theta: sample(theta, key), theta)
        return result, vjp(cotangent)[0]

    return Contender(
        name,
        lambda: forward(theta, next(numbers)).block_until_ready(),
        lambda: jax.block_until_ready(both(theta, next(numbers), cotangent)),
    )


def _sparsemax(utility, cotangent):
    one_hot = OneHot(CATEGORIES)
    raw = RAW | {"regularizer": "squared_norm"}
    return Work(
        f"sparsemax, {CATEGORIES} categories",
        BATCH,
        torch_contender(
            "softtricks", lambda u: one_hot.relax(u, 1.0, "squared_norm"), utility, cotangent
        ),
        Raw(raw, utility, cotangent, ["relax"], ["relax", "relax_vjp"]),
        [
            torch_contender("entmax", lambda u: entmax.sparsemax(u), utility, cotangent),
            torch_contender(
                "entmax, sorting 32", lambda u: entmax.sparsemax(u, k=32), utility, cotangent
            ),
            jax_contender(
                "jaxopt projection_simplex",
                jax.vmap(projection.projection_simplex),
                utility,
                cotangent,
            ),
        ],
        [Target("entmax", 8, 8)],
    )
