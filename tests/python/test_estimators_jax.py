"""softtricks.jax.estimators and softtricks.jax.Oracle: what PyTorch gives for the same seed, and what
JAX adds: keys, jit, vmap, grad, pytrees. That the estimators estimate what they say is tested in
test_estimators_torch.py, on the same text."""

import doctest

import numpy
import pytest

jax = pytest.importorskip("jax")
torch = pytest.importorskip("torch")

import estimator_cases as cases  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import torch_support  # noqa: E402, F401, sets the path
from estimator_cases import PAIRS, THETA, expect_mean, loss  # noqa: E402

sj = pytest.importorskip("softtricks.jax")

import softtricks.torch as st  # noqa: E402
from softtricks.jax import estimators as je  # noqa: E402
from softtricks.torch import estimators as te  # noqa: E402

PAIR = sj.KSubset(4, 2)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def theta(size, *leading):
    return jnp.broadcast_to(jnp.asarray(THETA[size]), (*leading, size))


def quadratic(x):
    return loss(x, 1.0)


def everything(front, estimators, structure, stream, y):
    """Every estimator as a function of theta that returns a loss a datum, in either framework."""
    e, at = estimators, {"temperature": 0.5}
    sampled = {**stream, "samples": 3}
    return {
        "relaxed": lambda t: quadratic(e.relaxed(structure, t, **sampled, **at)),
        "sparse": lambda t: quadratic(
            e.relaxed(structure, t, **stream, **at, regularizer="squared_norm")
        ),
        "straight_through": lambda t: quadratic(e.straight_through(structure, t, **sampled, **at)),
        "gumbel_rao": lambda t: quadratic(
            e.gumbel_rao(front.OneHot(4), t, **stream, **at, scale=1.5)
        ),
        "exact_straight_through": lambda t: quadratic(
            e.exact_straight_through(structure, t, **sampled)
        ),
        "perturbed_argmax": lambda t: quadratic(e.perturbed_argmax(structure, t, **sampled)),
        "normal": lambda t: quadratic(
            e.perturbed_argmax(structure, t, **sampled, perturbation="normal", scale=0.7)
        ),
        "implicit_mle": lambda t: quadratic(
            e.implicit_mle(structure, t, **sampled, step=0.7, central=True)
        ),
        "adaptive": lambda t: quadratic(
            e.implicit_mle(structure, t, **stream, step=e.AdaptiveStep(0.4))
        ),
        "score_function": lambda t: e.score_function(structure, t, quadratic, **sampled),
        "moving_average": lambda t: e.score_function(
            structure, t, quadratic, **stream, baseline=e.MovingAverage().learn(0.3)
        ),
        "gibbs": lambda t: e.score_function(structure, t, quadratic, **sampled, perturbation=None),
        "fenchel_young": lambda t: e.fenchel_young(structure, t, y, **at),
        "sparsemap": lambda t: e.fenchel_young(structure, t, y, regularizer="squared_norm"),
        "perturbed_fenchel_young": lambda t: e.perturbed_fenchel_young(structure, t, y, **sampled),
    }


IN_JAX = everything(sj, je, PAIR, {"key": 5}, jnp.asarray(PAIRS[1]))
IN_TORCH = everything(st, te, st.KSubset(4, 2), {"seed": 5}, torch.from_numpy(PAIRS[1]))


@pytest.mark.parametrize("name", IN_JAX)
def test_is_what_torch_gives_for_the_same_seed(name):
    rows = numpy.random.default_rng(0).normal(size=(6, 4))
    rows[2, 1] = -numpy.inf
    in_torch = torch.from_numpy(rows).requires_grad_()
    value = IN_TORCH[name](in_torch)
    value.sum().backward()
    values, pull = jax.vjp(jax.jit(IN_JAX[name]), jnp.asarray(rows))
    (gradient,) = pull(jnp.ones_like(values))
    numpy.testing.assert_allclose(values, value.detach(), rtol=1e-9, atol=1e-9)
    numpy.testing.assert_allclose(gradient, in_torch.grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", IN_JAX)
def test_vmap_is_a_loop(name):
    rows = theta(4, 3, 2) + jnp.arange(3.0)[:, None, None] * jnp.array([0.3, 0.0, -0.2, 0.1])
    gradient = jax.grad(lambda t: IN_JAX[name](t).sum())
    together = jax.jit(jax.vmap(gradient))(rows)
    one_by_one = jnp.stack([gradient(row) for row in rows])
    numpy.testing.assert_allclose(together, one_by_one, rtol=1e-9, atol=1e-9)


def test_keys():
    """Under vmap with keys of their own the draws are independent: an unbiased mean."""
    keys = jax.random.split(jax.random.key(1), 20_000)

    def value(t, key):
        return je.score_function(PAIR, t, quadratic, key=key, samples=2)

    gradients = jax.jit(jax.vmap(jax.grad(value), (None, 0)))(theta(4), keys)
    exact = cases.exact_gradient(PAIRS, cases.best_pair_law, THETA[4], 1.0)
    expect_mean(gradients, exact)
    linear = lambda t, key: loss(je.exact_straight_through(PAIR, t, key=key))  # noqa: E731
    gradient = jax.grad(linear)(theta(4), jax.random.key(2))
    gibbs = cases.exact_gradient(PAIRS, cases.gibbs_law(PAIRS), THETA[4])
    numpy.testing.assert_allclose(gradient, gibbs, atol=1e-8)


def test_baselines_and_steps_go_through_scan():
    def train(carry, key):
        t, baseline, step = carry

        def value(t):
            return je.score_function(PAIR, t, quadratic, key=key, baseline=baseline)

        def moved(t, changed):
            return loss(je.implicit_mle(PAIR, t, key=key, step=step, changed=changed))

        now, gradient = jax.value_and_grad(value)(t)
        changed = jax.grad(moved, 1)(t, jnp.zeros(()))
        return (t - 0.01 * gradient, baseline.learn(now), step.learn(changed)), (now, changed)

    start = (theta(4), je.MovingAverage(0.9, jnp.zeros(()), jnp.zeros(())),
             je.AdaptiveStep(jnp.ones(()), jnp.ones(()), rate=0.01))  # fmt: skip
    keys = jax.random.split(jax.random.key(0), 50)
    (_, baseline, step), (values, changed) = jax.lax.scan(train, start, keys)
    weights = 0.9 ** numpy.arange(49, -1, -1)
    numpy.testing.assert_allclose(baseline.mean, (weights * values).sum() / weights.sum())
    assert set(numpy.unique(changed)) <= {0.0, 2.0, 4.0} and step.relative != 1


def test_second_derivatives_of_fenchel_young():
    y = jnp.asarray(PAIRS[1])
    for regularizer in ("gibbs_entropy", "squared_norm"):
        value = lambda t: je.fenchel_young(PAIR, t, y, regularizer=regularizer)  # noqa: E731, B023
        hessian = jax.jacrev(jax.grad(value))(theta(4))
        soft = jax.jacrev(lambda t: PAIR.relax(t, 1.0, regularizer))(theta(4))  # noqa: B023
        numpy.testing.assert_allclose(hessian, soft, atol=1e-10)


# ---- a user's own structure ---------------------------------------------------------------------


def best_pair(utility):
    """The two best of four, in NumPy or JAX."""
    array = jnp if isinstance(utility, jax.Array) else numpy
    rank = array.argsort(array.argsort(-utility, -1), -1)
    return (rank < 2) * array.ones_like(utility)


ORACLE = sj.Oracle(4, best_pair)
TRACED = sj.Oracle(4, best_pair, jittable=True)


def test_oracle_is_the_structure():
    rows = jnp.asarray(numpy.random.default_rng(0).normal(size=(2, 10, 4)))
    for oracle in (ORACLE, TRACED):
        assert (jax.jit(oracle.argmax)(rows) == PAIR.argmax(rows)).all()
        assert (jax.vmap(jax.vmap(oracle.argmax))(rows) == PAIR.argmax(rows)).all()
    relaxed = lambda s: lambda t: jnp.sin(s.relax(t, 0.5, "squared_norm")).sum()  # noqa: E731
    for transform in (lambda f: jax.jit(jax.grad(f)), lambda f: jax.vmap(jax.grad(f))):
        numpy.testing.assert_allclose(
            transform(relaxed(ORACLE))(rows), transform(relaxed(PAIR))(rows), atol=1e-10
        )
    members, weights = jax.jit(ORACLE.active_set, static_argnums=(1, 2))(rows, 0.5, 3)
    soft = (weights[..., None] * members).sum(-2)
    numpy.testing.assert_allclose(soft, PAIR.relax(rows, 0.5, "squared_norm"), atol=1e-10)


def test_oracle_in_estimators():
    rows = theta(4, 5)
    for estimate in (
        lambda s: lambda t: loss(je.implicit_mle(s, t, key=1, samples=2)).sum(),
        lambda s: lambda t: loss(je.perturbed_argmax(s, t, key=1, samples=3)).sum(),
    ):
        expected = jax.grad(estimate(PAIR))(rows)
        for oracle in (ORACLE, TRACED):
            gradient = jax.jit(jax.grad(estimate(oracle)))(rows)
            numpy.testing.assert_allclose(gradient, expected, atol=1e-10)


def test_oracle_errors():
    def broken(utility):
        raise RuntimeError("no solver today")

    with pytest.raises(Exception, match="no solver today"):
        sj.Oracle(4, broken).argmax(theta(4)).block_until_ready()
    with pytest.raises(ValueError, match="jittable"):
        TRACED.relax(theta(4), 1.0)
    with pytest.raises(ValueError, match="shape"):
        sj.Oracle(4, lambda u: u[:, :2], jittable=True).argmax(theta(4))
    with pytest.raises(ValueError, match="utility"):
        ORACLE.argmax(theta(3))


def test_docstrings():
    from softtricks.jax import _oracle

    with jax.enable_x64(False):
        for module in (je, _oracle):
            result = doctest.testmod(module)
            assert result.attempted and not result.failed


def test_same_names_arguments_and_defaults_as_torch():
    import inspect

    assert je.__all__ == te.__all__
    for name in je.__all__:
        here, there = (inspect.signature(getattr(e, name)) for e in (je, te))
        renamed = [p.replace(name="seed") if p.name == "key" else p for p in here.parameters.values()]
        assert renamed == list(there.parameters.values())
