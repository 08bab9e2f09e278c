"""Structures in a few small shapes with all their members written out, for the tests of softtricks.jax.
The binding is the same for every structure; test_jax.py runs whatever the registry names besides."""

import numpy as np
import pytest
from cli_program import members, some

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402
import softtricks.jax as sj  # noqa: E402

SHAPES = {
    "one_hot": {"categories": 4},
    "k_subset": {"items": 5, "k": 2},
    "spanning_tree": {"nodes": 4},
    "matching": {"pairs": 3},
}
BY_NAME = {cls.name: cls for cls in sj.structures.values()}
CASES = [(BY_NAME[name](**shape), members(name, shape)) for name, shape in SHAPES.items()]
ALL = [some(cls) for cls in sj.structures.values()]

on_cases = pytest.mark.parametrize(("s", "members"), CASES, ids=lambda x: getattr(x, "name", ""))
on_all = pytest.mark.parametrize("s", ALL, ids=repr)


def utilities(s, *leading, dtype=jnp.float64, seed=0, scale=1.5):
    values = np.random.default_rng(seed).normal(size=(*leading, s.size)) * scale
    return jnp.asarray(values, dtype)


def gibbs_law(members, utility):
    """log_partition, marginals and entropy, member by member."""
    weights = np.asarray(utility) @ members.T
    top = weights.max(-1, keepdims=True)
    chances = np.exp(weights - top)
    total = chances.sum(-1, keepdims=True)
    chances /= total
    log_partition = (top + np.log(total))[..., 0]
    return log_partition, chances @ members, log_partition - (chances * weights).sum(-1)


def offered(s, u):
    """The verbs that the structure offers, as functions of the utilities; the others say that they are not."""
    x, v = s.argmax(u), u[..., ::-1]
    verbs = {
        "argmax": s.argmax,
        "log_partition": s.log_partition,
        "marginals": s.marginals,
        "sample": lambda u: s.sample(u, seed=7),
        "log_prob": lambda u: s.log_prob(u, x.reshape(-1, s.size)[0]),
        "entropy": s.entropy,
        "cross_entropy": lambda u: s.cross_entropy(u, v.reshape(-1, s.size)[0]),
        "kl": lambda u: s.kl(u, v.reshape(-1, s.size)[0]),
        "k_best": lambda u: s.k_best(u, 2),
        "active_set": lambda u: s.active_set(u, 1.0, 3),
    }
    for regularizer in s.regularizers:
        verbs[f"relax {regularizer}"] = lambda u, r=regularizer: s.relax(u, 0.7, r)
    for name, verb in verbs.items():
        if name.split()[0] not in s.verbs:
            with pytest.raises(ValueError, match="does not offer"):
                jax.eval_shape(verb, u)
    return {name: verb for name, verb in verbs.items() if name.split()[0] in s.verbs}


def same(a, b):
    """Bit for bit."""
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def close(actual, expected, tolerance=1e-12):
    np.testing.assert_allclose(np.asarray(actual), expected, rtol=tolerance, atol=tolerance)
