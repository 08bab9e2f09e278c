"""softtricks.jax.distributions: laws by enumeration, shapes, and NumPyro's own machinery."""

import doctest

import numpy as np
import pytest
from cli_program import in_32_bits
from jax_support import CASES, close, gibbs_law, jax, jnp, on_cases, same, sj, utilities

numpyro = pytest.importorskip("numpyro")

import numpyro.distributions as dist  # noqa: E402
import softtricks.jax.distributions as laws  # noqa: E402
from numpyro.infer import SVI, Trace_ELBO  # noqa: E402

TREE, _ = CASES[2]


@on_cases
def test_gibbs_is_its_enumeration(s, members):
    u, v = utilities(s, 2), utilities(s, 2, seed=1)
    law = laws.Gibbs(s, u, validate_args=True)
    log_partition, marginals, entropy = gibbs_law(members, u)
    assert law.batch_shape == (2,) and law.event_shape == (s.size,) and law.has_enumerate_support
    support = law.enumerate_support()
    assert support.shape == (len(members), 2, s.size)
    assert law.enumerate_support(expand=False).shape == (len(members), 1, s.size)
    assert {tuple(x) for x in np.asarray(support)[:, 0]} == {tuple(x) for x in members}
    close(jnp.exp(law.log_prob(support)).sum(0), np.ones(2))
    close(law.log_prob(support), np.asarray((support * u).sum(-1)) - log_partition)
    close(law.mean, marginals)
    close(law.entropy(), entropy)
    close((jnp.exp(law.log_prob(support))[..., None] * (support - law.mean) ** 2).sum(0), law.variance)
    close(dist.kl_divergence(law, laws.Gibbs(s, v)), s.kl(u, v))
    assert law.is_discrete and bool(law.support(support).all())
    assert not bool(law.support(jnp.full(s.size, 0.5))) and bool(law.support(law.support.feasible_like(u)).all())


def test_matchings_too_large_for_sums_have_a_support():
    matching = sj.Matching(40)
    member = laws.Member(matching)
    x = matching.argmax(utilities(matching))
    assert bool(member(x)) and bool(member(x.astype(int)))
    assert not bool(member(jnp.zeros(matching.size))) and not bool(member(x.at[0].set(1 - x[0])))


def test_shapes_and_transforms():
    u = utilities(TREE, 3, 1)
    law = laws.Gibbs(TREE, u)
    key = jax.random.key(0)
    x = law.sample(key, (5,))
    assert x.shape == (5, 3, 1, 6) and law.log_prob(x).shape == (5, 3, 1)
    wide = law.expand((2, 3, 4))
    assert wide.batch_shape == (2, 3, 4) and wide.log_prob(wide.sample(key)).shape == (2, 3, 4)
    assert law.to_event(1).event_shape == (1, 6)
    assert TREE.log_prob(u, x).shape == law.log_prob(x).shape
    same(jax.jit(lambda law, key: law.sample(key, (5,)))(law, key), x)
    rebuilt = jax.tree.map(lambda a: a, law)
    same(rebuilt.log_prob(x), law.log_prob(x))
    with pytest.warns(UserWarning, match="Out-of-support"):
        laws.Gibbs(TREE, u, validate_args=True).log_prob(jnp.ones((3, 1, 6)))
    with pytest.raises(NotImplementedError, match="at most 16 entries"):
        laws.Gibbs(sj.SpanningTree(nodes=10), jnp.zeros(45)).enumerate_support()


def test_relaxed_and_straight_through_share_their_utilities():
    theta, key = utilities(TREE, 4), jax.random.key(1)
    soft = laws.Relaxed(TREE, 0.5, theta, scale=2.0)
    hard = laws.StraightThrough(TREE, 0.5, theta, scale=2.0)
    utility = sj.perturb("gumbel", theta, key, scale=2.0)
    same(soft.utility(key), utility)
    same(soft.sample(key), TREE.relax(utility, 0.5))
    close(hard.sample(key), TREE.argmax(utility))
    assert bool(hard.support(TREE.argmax(hard.sample(key, (3,)))).all())
    w = utilities(TREE, 4, seed=5)

    def value(kind):
        return lambda theta, t: (kind(TREE, t, theta).sample(key) * w).sum()

    gradients = [jax.grad(value(kind), (0, 1))(theta, 0.5) for kind in (laws.Relaxed, laws.StraightThrough)]
    for a, b in zip(*gradients, strict=True):
        close(a, b)
        assert bool((a != 0).any())
    with pytest.raises(NotImplementedError, match="no density"):
        soft.log_prob(soft.sample(key))


def test_svi_matches_the_moments():
    """Maximum likelihood of an exponential family: the fitted marginals are the data's mean."""
    optax = pytest.importorskip("optax")
    data = laws.Gibbs(TREE, utilities(TREE)).sample(jax.random.key(2), (400,))

    def model(x):
        u = numpyro.param("u", jnp.zeros(TREE.size))
        with numpyro.plate("data", len(x)):
            numpyro.sample("x", laws.Gibbs(TREE, u), obs=x)

    svi = SVI(model, lambda x: None, optax.adam(0.1), Trace_ELBO())
    result = svi.run(jax.random.key(0), 400, data, progress_bar=False)
    close(TREE.marginals(result.params["u"]), np.asarray(data).mean(0), 5e-3)


def test_examples():
    with in_32_bits():
        result = doctest.testmod(laws)
    assert result.attempted > 0 and result.failed == 0
