"""softtricks.jax: derivatives in both modes, of both orders, against finite differences."""

import functools

import numpy as np
import pytest
from jax_support import CASES, close, jax, jnp, on_cases, same, sj, utilities
from jax.test_util import check_grads

TREE, _ = CASES[2]
check_once = functools.partial(check_grads, order=1, modes=("fwd", "rev"), atol=1e-6, rtol=1e-6)
check_twice = functools.partial(check_grads, order=2, modes=("fwd", "rev"), atol=1e-5, rtol=1e-5)


@on_cases
def test_first_and_second_derivatives(s, members):
    u, v, x = utilities(s, 2), utilities(s, 2, seed=1), jnp.asarray(members[0])
    temperature = jnp.array([[0.7], [1.3]])

    def twice(u):
        return s.log_partition(u), s.log_prob(u, x)

    def once(u, v, temperature):
        laws = s.marginals(u), s.entropy(u), s.cross_entropy(u, v), s.kl(u, v)
        # Not squared_norm, which has kinks: below.
        smooth = [s.relax(u, 0.8, r) for r in s.regularizers if r != "squared_norm"]
        return *laws, s.relax(u, temperature), *smooth

    check_twice(jax.jit(twice), (u,))
    check_once(jax.jit(once), (u, v, temperature))


@on_cases
def test_hessians_are_the_covariance(s, members):
    u = utilities(s)
    chances = np.exp(np.asarray(u) @ members.T - float(s.log_partition(u)))
    mean = chances @ members
    covariance = (members * chances[:, None]).T @ members - np.outer(mean, mean)

    @jax.jit
    def hessians(u):
        again = jax.vmap(jax.hessian(s.log_partition))(jnp.stack([u, u]))[1]
        return again, jax.jacrev(jax.grad(s.log_partition))(u), jax.jacfwd(s.marginals)(u)

    for hessian in hessians(u):
        close(hessian, covariance, 1e-11)


@on_cases
def test_projections_away_from_kinks(s, members):
    u, e = utilities(s), 1e-6

    @jax.jit
    def relax(u):
        return s.relax(u, 0.9, "squared_norm")

    jacobian = np.stack([(relax(u + e * d) - relax(u - e * d)) / (2 * e) for d in jnp.eye(s.size)], -1)
    for jacobian_of in (jax.jacfwd, jax.jacrev):
        close(jax.jit(jacobian_of(relax))(u), jacobian, 1e-7)


def test_utility_range_in_backward_mode():
    u = utilities(TREE, scale=4.0)
    check_grads(lambda u: TREE.relax(u, 0.8, utility_range=2.5), (u,), 1, modes=("rev",), rtol=1e-6, atol=1e-6)
    with pytest.raises(NotImplementedError, match="no forward-mode"):
        jax.jvp(lambda u: TREE.relax(u, 0.8, utility_range=2.5), (u,), (u,))


@pytest.mark.parametrize("law", sj.perturbations)
def test_perturbations(law):
    theta, w = utilities(TREE, 2, scale=0.5), utilities(TREE, 2, seed=2, scale=0.5)
    noise = sj.noise(law, theta, seed=3)
    value = sj.perturb(law, theta, seed=3)
    same(sj.transform(law, theta, noise), value)
    pairs = {}
    for function, other in ((sj.perturbation_log_prob, value), (sj.perturbation_kl, w)):
        try:
            jax.eval_shape(functools.partial(function, law), theta, other)
            pairs[function] = other
        except ValueError as error:
            assert law in str(error)

    @jax.jit
    def all_of_them(theta, noise, *others):
        drawn = sj.perturb(law, theta, seed=3), sj.transform(law, theta, noise)
        return *drawn, *(f(law, theta, other) for f, other in zip(pairs, others, strict=True))

    check_once(all_of_them, (theta, noise, *pairs.values()))


def test_noise_and_hard_samples_have_no_gradient():
    u = utilities(TREE, 2)
    for f in (TREE.argmax, lambda u: TREE.sample(u, seed=0), lambda u: sj.noise("gumbel", u, seed=0)):
        close(jax.grad(lambda u, f=f: f(u).sum())(u), np.zeros_like(u))
    x = TREE.argmax(u)
    close(jax.grad(lambda x: TREE.log_prob(u, x).sum())(x), np.zeros_like(u))


@pytest.mark.parametrize("verb", [TREE.entropy, TREE.marginals, lambda u: TREE.relax(u, 1.0)])
def test_derivatives_that_are_not_offered_say_so(verb):
    with pytest.raises(NotImplementedError, match="are not offered"):
        jax.hessian(lambda u: verb(u).sum())(utilities(TREE))


def test_finite_at_extreme_spreads():
    u = utilities(TREE, 20, scale=3000.0)
    gradient = jax.grad(lambda u: jnp.square(TREE.relax(u, 0.1)).sum())(u)
    assert bool(jnp.isfinite(gradient).all())
