"""softtricks.jax.distrax against laws written out member by member. Runs where distrax is installed: the
requirements leave it out, because it asks for a nightly build of TensorFlow Probability."""

import doctest

import numpy
import pytest
from cli_program import members

jax = pytest.importorskip("jax")
pytest.importorskip("distrax")

import jax.numpy as jnp  # noqa: E402
from softtricks.jax import KSubset, OneHot  # noqa: E402
from softtricks.jax import distrax as laws  # noqa: E402

MEMBERS = members("k_subset", {"items": 5, "k": 2}).astype(numpy.float32)


def enumerated(utility):
    """log p of each member, [..., count]."""
    values = numpy.asarray(utility) @ MEMBERS.T
    return values - numpy.log(numpy.exp(values).sum(-1, keepdims=True))


def test_it_is_its_enumeration():
    key = jax.random.key(0)
    p, q = (jax.random.normal(k, (3, 5)) for k in jax.random.split(key))
    law, other = (laws.Gibbs(KSubset(items=5, k=2), u) for u in (p, q))
    logs, others = enumerated(p), enumerated(q)
    chances = numpy.exp(logs)
    assert law.batch_shape == (3,) and law.event_shape == (5,)
    close = {"rtol": 2e-5, "atol": 2e-5}
    numpy.testing.assert_allclose(law.mean(), chances @ MEMBERS, **close)
    numpy.testing.assert_allclose(law.variance(), chances @ MEMBERS * (1 - chances @ MEMBERS), **close)
    numpy.testing.assert_allclose(law.entropy(), -(chances * logs).sum(-1), **close)
    numpy.testing.assert_allclose(law.log_prob(MEMBERS[:, None]).T, logs, **close)
    numpy.testing.assert_array_equal(law.mode(), MEMBERS[logs.argmax(-1)])
    expected = (chances * (logs - others)).sum(-1)
    numpy.testing.assert_allclose(law.kl_divergence(other), expected, **close)
    with pytest.raises(ValueError, match="one structure"):
        law.kl_divergence(laws.Gibbs(OneHot(5), q))


def test_samples_follow_it_also_under_jit():
    utility = jnp.array([0.5, 0.0, -0.5, 1.0, 0.2])
    law, draws = laws.Gibbs(KSubset(items=5, k=2), utility), 5000
    x = jax.jit(lambda key: law.sample(seed=key, sample_shape=(draws,)))(jax.random.key(1))
    counts = (numpy.asarray(x)[:, None] == MEMBERS).all(-1).sum(0)
    assert counts.sum() == draws
    expected = draws * numpy.exp(enumerated(utility))
    assert ((counts - expected) ** 2 / expected).sum() < 44  # 9 degrees of freedom: one in a million


def test_docstring():
    result = doctest.testmod(laws)
    assert result.attempted > 0 and result.failed == 0
