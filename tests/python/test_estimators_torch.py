"""softtricks.torch.estimators: the unbiased ones against exact gradients, the biased ones in their
limits, each draw one row of a batch, so that one backward gives them all."""

import numpy
import pytest

torch = pytest.importorskip("torch")

import estimator_cases as cases  # noqa: E402
import torch_support  # noqa: E402, F401, sets the path
from cli_program import some  # noqa: E402
from estimator_cases import BITS, PAIRS, THETA, UNITS, expect_mean, far_from, loss  # noqa: E402

import softtricks.torch as st  # noqa: E402
from softtricks.torch import estimators as se  # noqa: E402

N = 60_000
ONE, BIT, PAIR = st.OneHot(3), st.BitVector(3), st.KSubset(4, 2)
LAWS = [
    (ONE, UNITS, cases.one_hot_law, "gumbel"),
    (BIT, BITS, cases.bits_law, "logistic"),
    (PAIR, PAIRS, cases.best_pair_law, "gumbel"),
]


def rows(size, n=N):
    return torch.tensor(THETA[size]).expand(n, size).clone().requires_grad_()


def draws_of(estimate, size, quadratic=0.0, n=N):
    """Values [n] and gradients [n, size] of an estimator that returns X."""
    theta = rows(size, n)
    values = loss(estimate(theta), quadratic)
    values.sum().backward()
    return values.detach().numpy(), theta.grad.numpy()


def score_draws(structure, quadratic, n=N, **named):
    theta = rows(structure.size, n)
    value = se.score_function(structure, theta, lambda x: loss(x, quadratic), seed=1, **named)
    value.sum().backward()
    return value.detach().numpy(), theta.grad.numpy()


@pytest.mark.parametrize("structure, members, law, perturbation", LAWS, ids=lambda x: str(x)[:9])
@pytest.mark.parametrize(
    "samples, baseline",
    [(1, None), (3, None), (2, se.NoBaseline()), (1, se.MovingAverage().learn(0.8)),
     (1, se.Learned(torch.tensor(0.7)))],
    ids=str,
)
def test_score_function_is_unbiased(structure, members, law, perturbation, samples, baseline):
    theta = THETA[structure.size]
    values, gradients = score_draws(
        structure, 1.0, perturbation=perturbation, samples=samples, baseline=baseline
    )
    expect_mean(values, law(theta) @ loss(members, 1.0))
    expect_mean(gradients, cases.exact_gradient(members, law, theta, 1.0))


def test_score_of_the_gibbs_law():
    gibbs = cases.gibbs_law(PAIRS)
    _, gradients = score_draws(PAIR, 1.0, perturbation=None, samples=2)
    expect_mean(gradients, cases.exact_gradient(PAIRS, gibbs, THETA[4], 1.0))


@pytest.mark.parametrize("samples", [1, 4])
def test_batch_mean_shrinks(samples):
    exact = cases.exact_gradient(UNITS, cases.one_hot_law, THETA[3], 1.0)
    _, gradients = score_draws(ONE, 1.0, samples=samples, baseline=se.BatchMean())
    expect_mean(gradients, (1 - 1 / samples) * exact)


def test_leave_one_out_lowers_the_variance():
    plain, better = (
        score_draws(ONE, 1.0, 4000, samples=4, baseline=b)[1].var(0).sum()
        for b in (se.Learned(torch.tensor(5.0)), se.LeaveOneOut())
    )
    assert better < plain / 2


def test_the_losss_own_parameters_get_their_gradient():
    weight = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    theta = rows(3, 100)
    value = se.score_function(ONE, theta, lambda x: weight * x[..., 0], seed=0, samples=2)
    value.sum().backward()
    assert weight.grad == pytest.approx(float(value.detach().sum()) / 2)


def test_learned_baseline_trains_on_the_value():
    prediction = torch.zeros(2, requires_grad=True)
    baseline = se.Learned(prediction)
    value = torch.tensor([3.0, -1.0], requires_grad=True)
    baseline.training_loss(value).sum().backward()
    assert prediction.grad.tolist() == [-3.0, 1.0] and value.grad is None


@pytest.mark.parametrize("structure, members, law, perturbation", LAWS, ids=lambda x: str(x)[:9])
@pytest.mark.parametrize("samples, control", [(1, True), (3, False)])
def test_perturbed_argmax(structure, members, law, perturbation, samples, control):
    """Unbiased for linear losses; for others in the limit of many samples, at E[X]."""

    def estimate(theta, samples=samples):
        baseline = se.Learned(structure.argmax(theta)) if control else None
        return se.perturbed_argmax(
            structure, theta, seed=2, perturbation=perturbation, samples=samples, baseline=baseline
        )

    theta = THETA[structure.size]
    _, gradients = draws_of(estimate, structure.size)
    expect_mean(gradients, cases.exact_gradient(members, law, theta))
    _, gradients = draws_of(lambda t: estimate(t, 200), structure.size, 1.0, n=2000)
    at_mean = cases.gradient_at_mean(members, law, theta, 1.0)
    off = numpy.abs(gradients.mean(0) - at_mean)
    assert (off < 5 * gradients.std(0) / 2000**0.5 + 0.02).all()


def test_implicit_mle_is_a_difference_of_means():
    """With U = theta + noise and a linear loss, at any step."""
    theta, slope = THETA[4], cases.LINEAR[4]
    mean = lambda t: cases.best_pair_law(t) @ PAIRS  # noqa: E731
    for step, central in ((0.7, False), (0.7, True)):
        _, gradients = draws_of(
            lambda t: se.implicit_mle(PAIR, t, seed=3, step=step, central=central), 4  # noqa: B023
        )
        behind, width = (step, 2 * step) if central else (0.0, step)
        expected = (mean(theta + behind * slope) - mean(theta - step * slope)) / width
        expect_mean(gradients, expected)


def test_implicit_mle_in_its_limit():
    exact = cases.exact_gradient(PAIRS, cases.best_pair_law, THETA[4])
    estimate = lambda step: lambda t: se.implicit_mle(PAIR, t, seed=4, step=step, central=True)  # noqa: E731
    expect_mean(draws_of(estimate(0.1), 4, n=4 * N)[1], exact)
    far_from(draws_of(estimate(3.0), 4)[1], exact)


def test_adaptive_step_has_its_length_and_learns():
    theta = rows(4, 1000)
    changed = torch.zeros((), requires_grad=True)
    step = se.AdaptiveStep(relative=0.4, rate=0.1)
    x = se.implicit_mle(PAIR, theta, seed=5, step=step, changed=changed)
    loss(x).sum().backward()
    length = 0.4 * ((THETA[4] ** 2).sum() + 4) ** 0.5 / (cases.LINEAR[4] ** 2).sum() ** 0.5
    fixed = rows(4, 1000)
    loss(se.implicit_mle(PAIR, fixed, seed=5, step=length)).sum().backward()
    torch.testing.assert_close(theta.grad, fixed.grad)
    moved = (fixed.grad != 0).sum(-1).double().mean()
    assert float(changed.grad) == pytest.approx(float(moved))
    later = step.learn(changed.grad)
    assert float(later.changed_mean) == pytest.approx(0.9 + 0.1 * float(moved))
    assert float(later.relative) == pytest.approx(0.5 if later.changed_mean < 1 else 0.3)


def test_no_slope_no_gradient():
    for step in (1.0, se.AdaptiveStep()):
        theta = rows(4, 5)
        (0 * se.implicit_mle(PAIR, theta, seed=0, step=step)).sum().backward()
        assert not theta.grad.any()


def test_relaxed_in_its_limit():
    """At a low temperature no bias is seen; at 1 there is one."""
    exact = cases.exact_gradient(UNITS, cases.one_hot_law, THETA[3], 1.0)
    relaxed = lambda t, at: se.relaxed(ONE, t, seed=6, temperature=at)  # noqa: E731
    expect_mean(draws_of(lambda t: relaxed(t, 0.02), 3, 1.0, n=8 * N)[1], exact)
    far_from(draws_of(lambda t: relaxed(t, 1.0), 3, 1.0)[1], exact)


@pytest.mark.parametrize("structure, members, law, perturbation", LAWS[:2], ids=lambda x: str(x)[:9])
def test_straight_through_and_gumbel_rao(structure, members, law, perturbation):
    """Unbiased for linear losses in the limit; the same mean at any temperature, less variance."""
    size = structure.size
    through = lambda at: lambda t: se.straight_through(  # noqa: E731
        structure, t, seed=7, temperature=at, perturbation=perturbation
    )
    rao = lambda at, draws: lambda t: se.gumbel_rao(  # noqa: E731
        structure, t, seed=8, temperature=at, draws=draws
    )
    exact = cases.exact_gradient(members, law, THETA[size])
    expect_mean(draws_of(through(0.05), size, n=4 * N)[1], exact)
    expect_mean(draws_of(rao(0.05, 5), size, n=2 * N)[1], exact)
    values, plain = draws_of(through(0.7), size, 1.0, n=4 * N)
    values_rao, averaged = draws_of(rao(0.7, 5), size, 1.0)
    expect_mean(values_rao, law(THETA[size]) @ loss(members, 1.0))
    difference = plain.mean(0) - averaged.mean(0)
    error = (plain.var(0) / len(plain) + averaged.var(0) / len(averaged)) ** 0.5
    assert (numpy.abs(difference) < 4.5 * error).all()
    assert averaged.var(0).sum() < plain.var(0).sum()
    far_from(plain, cases.exact_gradient(members, law, THETA[size], 1.0))


def test_gumbel_rao_follows_the_scale():
    theta, scale = rows(3, N), 2.0
    values = se.gumbel_rao(ONE, theta, seed=9, temperature=0.05, scale=scale, draws=5)
    loss(values).sum().backward()
    law = lambda t: cases.one_hot_law(t, scale)  # noqa: E731
    expect_mean(theta.grad, cases.exact_gradient(UNITS, law, THETA[3]))


def test_exact_straight_through():
    """Exact for linear losses, without variance; for quadratic ones the gradient at the mean."""
    gibbs = cases.gibbs_law(PAIRS)
    exact = cases.exact_gradient(PAIRS, gibbs, THETA[4])
    estimate = lambda t: se.exact_straight_through(PAIR, t, seed=10)  # noqa: E731
    assert numpy.abs(draws_of(estimate, 4, n=50)[1] - exact).max() < 1e-8
    values, gradients = draws_of(estimate, 4, 1.0)
    expect_mean(values, gibbs(THETA[4]) @ loss(PAIRS, 1.0))
    expect_mean(gradients, cases.gradient_at_mean(PAIRS, gibbs, THETA[4], 1.0))


def test_exact_straight_through_takes_every_structure_that_can():
    for cls in st.structures.values():
        if not {"sample", "marginals"} <= set(cls.verbs):
            continue
        structure = some(cls)
        theta = torch.zeros(2, structure.size, requires_grad=True)
        se.exact_straight_through(structure, theta, seed=0, samples=3).sum().backward()
        assert theta.grad.isfinite().all()


# ---- losses against a target --------------------------------------------------------------------


@pytest.mark.parametrize("regularizer", PAIR.regularizers)
def test_fenchel_young(regularizer):
    """soft sample - y is the derivative of the value; 0 at the soft sample, positive elsewhere."""
    theta = torch.tensor(THETA[4]).repeat(2, 1).requires_grad_()
    y = torch.tensor(PAIRS[[1, 4]])
    named = {"temperature": 0.7, "regularizer": regularizer}
    f = lambda t: se.fenchel_young(PAIR, t, y, **named)  # noqa: E731
    assert torch.autograd.gradcheck(f, theta)
    gradient, = torch.autograd.grad(f(theta).sum(), theta, create_graph=True)
    along = torch.tensor([0.3, -1.0, 0.2, 0.9], dtype=torch.float64)
    second, = torch.autograd.grad((gradient * along).sum(), theta)
    ahead, behind = (PAIR.relax(theta.detach() + h * along, 0.7, regularizer) for h in (1e-5, -1e-5))
    torch.testing.assert_close(second, (ahead - behind) / 2e-5, atol=1e-6, rtol=1e-6)
    soft = PAIR.relax(theta, 0.7, regularizer)
    torch.testing.assert_close(gradient, soft - y)
    assert (f(theta) > 0).all()
    if regularizer != "gibbs_entropy":
        assert se.fenchel_young(PAIR, theta, soft, **named).abs().max() < 1e-7


def test_conditional_random_field_and_sparsemap():
    theta, y = torch.tensor(THETA[4]), torch.tensor(PAIRS[2])
    crf = se.fenchel_young(PAIR, theta, y)
    torch.testing.assert_close(crf, -PAIR.log_prob(theta, y))
    leading = 10 * y
    assert se.fenchel_young(PAIR, leading, y, regularizer="squared_norm") == 0


def test_perturbed_fenchel_young():
    """With OneHot and Gumbel noise: the cross entropy."""
    theta, y = rows(3), torch.tensor(UNITS[1])
    values = se.perturbed_fenchel_young(ONE, theta, y, seed=11)
    values.sum().backward()
    law = cases.one_hot_law(THETA[3])
    values = values.detach()
    expect_mean(values, -numpy.log(law[1]))
    expect_mean(theta.grad, law - UNITS[1])


# ---- form ---------------------------------------------------------------------------------------


def everything(structure=ONE, **named):
    """Every estimator as a function of theta that returns X or a loss."""
    at = {"temperature": 0.5}
    y = torch.eye(structure.size, dtype=torch.float64)[0]
    return {
        "relaxed": lambda t: se.relaxed(structure, t, seed=0, **at, **named),
        "straight_through": lambda t: se.straight_through(structure, t, seed=0, **at, **named),
        "gumbel_rao": lambda t: se.gumbel_rao(structure, t, seed=0, **at, **named),
        "exact_straight_through": lambda t: se.exact_straight_through(structure, t, seed=0, **named),
        "perturbed_argmax": lambda t: se.perturbed_argmax(structure, t, seed=0, **named),
        "implicit_mle": lambda t: se.implicit_mle(structure, t, seed=0, **named),
        "adaptive": lambda t: se.implicit_mle(structure, t, seed=0, step=se.AdaptiveStep(), **named),
        "score_function": lambda t: se.score_function(structure, t, loss, seed=0, **named),
        "fenchel_young": lambda t: se.fenchel_young(structure, t, y),
        "perturbed_fenchel_young": lambda t: se.perturbed_fenchel_young(
            structure, t, y, seed=0, **named
        ),
    }


def scalar(x):
    return x.sum() if x.dim() < 2 else loss(x, 1.0).sum()


@pytest.mark.parametrize("name", everything())
def test_compiled_and_transformed(name):
    theta = torch.tensor(THETA[3]).repeat(4, 1)
    value = lambda t: scalar(everything()[name](t))  # noqa: E731
    plain = theta.clone().requires_grad_()
    value(plain).backward()
    torch.testing.assert_close(torch.func.grad(value)(theta), plain.grad)
    torch.compiler.reset()
    compiled = theta.clone().requires_grad_()
    torch.compile(value, fullgraph=True, backend="aot_eager")(compiled).backward()
    torch.testing.assert_close(compiled.grad, plain.grad)


@pytest.mark.parametrize("name", everything())
def test_vmap(name):
    """Over a batch of its own, with draws of its own: shapes, and finite gradients."""
    theta = torch.tensor(THETA[3]).repeat(5, 2, 1)
    value = lambda t: scalar(everything()[name](t))  # noqa: E731
    got = torch.func.vmap(torch.func.grad(value), randomness="different")(theta)
    assert got.shape == theta.shape and got.isfinite().all()


@pytest.mark.parametrize("name", everything())
def test_nan_and_excluded_entries(name):
    theta = torch.tensor(THETA[3]).repeat(3, 1)
    theta[1, 0], theta[2, 2] = torch.nan, -torch.inf
    sound = theta.clone()
    sound[1] = sound[0]
    results = []
    for t in (theta, sound):
        t.requires_grad_()
        out = everything()[name](t)
        value = loss(out) if out.dim() > 1 else out
        value.nan_to_num().sum().backward()
        results.append((value.detach(), t.grad))
    (value, gradient), (expected, expected_gradient) = results
    assert value[1].isnan() and not value[[0, 2]].isnan().any()
    keep = [0, 2]
    torch.testing.assert_close(value[keep], expected[keep])
    torch.testing.assert_close(gradient[keep], expected_gradient[keep])
    assert gradient[keep].isfinite().all() and gradient[2, 2] == 0


def test_several_samples_a_datum():
    theta = torch.tensor(THETA[4]).repeat(2, 5, 1).requires_grad_()
    for x in (
        se.relaxed(PAIR, theta, seed=0, temperature=1.0, samples=3),
        se.straight_through(PAIR, theta, seed=0, temperature=1.0, samples=3),
        se.exact_straight_through(PAIR, theta, seed=0, samples=3),
        se.implicit_mle(PAIR, theta, seed=0, samples=3, counts=torch.tensor([1, 2, 2, 1, 2])),
    ):
        assert x.shape == (3, 2, 5, 4)
        assert not torch.equal(x[0], x[1])


def test_bad_arguments():
    theta = torch.zeros(2, 4)
    for error, match, call in (
        (ValueError, "samples", lambda: se.relaxed(PAIR, theta, seed=0, temperature=1.0, samples=0)),
        (TypeError, "samples", lambda: se.perturbed_argmax(PAIR, theta, seed=0, samples=2.5)),
        (ValueError, "samples", lambda: se.perturbed_argmax(PAIR, theta, seed=0, samples=1)),
        (ValueError, "one_hot", lambda: se.gumbel_rao(PAIR, theta, seed=0, temperature=1.0)),
        (TypeError, "scal", lambda: se.implicit_mle(PAIR, theta, seed=0, scal=2.0)),
        (ValueError, "factor", lambda: se.implicit_mle(PAIR, theta, seed=0, step=0.0)),
        (ValueError, "regularizer", lambda: se.fenchel_young(PAIR, theta, theta, regularizer="l1")),
        (ValueError, "loss", lambda: se.score_function(PAIR, theta, lambda x: x.sum(), seed=0)),
        (TypeError, "baseline", lambda: se.score_function(PAIR, theta, loss, seed=0, baseline=1.0)),
    ):
        with pytest.raises(error, match=match):
            call()


def test_docstrings():
    import doctest

    from softtricks._estimators import baselines as _baselines

    for module in (se, _baselines):
        result = doctest.testmod(module)
        assert result.attempted and not result.failed
