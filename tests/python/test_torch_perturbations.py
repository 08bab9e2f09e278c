"""softtricks.torch: perturbation laws against torch.distributions, their parameters, and noise that
several calls share."""

import math

import pytest
import torch
from torch.func import vmap
from torch_support import st

# Every law with its defaults, and with parameters that are not.
CASES = [(name, {}) for name in st.perturbations] + [
    ("gumbel", {"scale": 0.7}),
    ("logistic", {"scale": 1.5}),
    ("normal", {"scale": 2}),
    ("sum_of_gamma", {"scale": 3.0, "terms": 4}),
]
on_each_law = pytest.mark.parametrize(
    ("name", "parameters"), CASES, ids=[f"{n}-{p}" if p else n for n, p in CASES]
)


def close(actual, expected, tolerance=1e-12):
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def logistic(theta, scale=1.0):
    return torch.distributions.TransformedDistribution(
        torch.distributions.Uniform(torch.zeros_like(theta), 1.0),
        [
            torch.distributions.SigmoidTransform().inv,
            torch.distributions.AffineTransform(theta, scale),
        ],
    )


LAWS = {
    "gumbel": lambda t, scale=1.0: torch.distributions.Gumbel(t, scale),
    "logistic": logistic,
    "exponential": lambda t: torch.distributions.Exponential(t.exp()),
    "normal": lambda t, scale=1.0: torch.distributions.Normal(t, scale),
    # of -U
    "negative_exponential": lambda t: torch.distributions.Exponential(
        1 / torch.nn.functional.softplus(t)
    ),
}


def sign(name):
    return -1 if name == "negative_exponential" else 1


def distribution(name, theta, value, parameters):
    if name == "gumbel":
        return torch.exp(-torch.exp((theta - value) / parameters.get("scale", 1)))
    if name == "sum_of_gamma":  # with k = 1: the largest of `terms` exponential numbers
        terms, scale = parameters.get("terms", 10), parameters.get("scale", 1)
        below = (value - theta) / scale + math.log(terms)
        return (-torch.expm1(-below.clamp(min=0))) ** terms
    if name == "negative_exponential":
        return 1 - LAWS[name](theta).cdf(-value)
    return LAWS[name](theta, **parameters).cdf(value)


@on_each_law
def test_densities_and_divergences(name, parameters):
    theta = torch.linspace(-1, 1, 5, dtype=torch.float64)
    value = st.perturb(name, theta.expand(3, 5), seed=2, **parameters)
    log_prob = st.perturbation_log_prob(name, theta, value, **parameters)
    if name == "sum_of_gamma":  # with k = 1
        terms, scale = parameters.get("terms", 10), parameters.get("scale", 1)
        x = (value - theta) / scale + math.log(terms)
        expected = math.log(terms / scale) - x + (terms - 1) * torch.log(-torch.expm1(-x))
        return close(log_prob, expected, 1e-10)
    law = LAWS[name](theta, **parameters)
    close(log_prob, law.log_prob(sign(name) * value), 1e-10)
    other = LAWS[name](theta.flip(0), **parameters)
    kl = st.perturbation_kl(name, theta, theta.flip(0), **parameters)
    if name == "logistic":
        draws = law.sample((200000,))
        close(kl, (law.log_prob(draws) - other.log_prob(draws)).mean(0), 2e-2)
    else:
        close(kl, torch.distributions.kl_divergence(law, other), 1e-10)


@on_each_law
def test_draws_follow_their_law(name, parameters):
    theta = torch.linspace(-1, 1, 5, dtype=torch.float64)
    draws = st.perturb(name, theta.expand(20000, 5), seed=3, **parameters)
    cdf = distribution(name, theta, draws.sort(0).values, parameters)
    steps = torch.arange(1, 20001, dtype=torch.float64).unsqueeze(1) / 20000
    assert float((cdf - steps).abs().max()) < 2.2 / math.sqrt(20000)  # Kolmogorov, p < 1e-4


@pytest.mark.parametrize("name", st.perturbations)
def test_batches(name):
    theta = torch.linspace(-1, 1, 24).reshape(4, 6)
    draws = st.perturb(name, theta, seed=1)
    assert torch.equal(draws, st.perturb(name, theta, seed=1))
    assert not torch.equal(draws, st.perturb(name, theta, seed=2))
    assert torch.equal(draws[2:], st.perturb(name, theta[2:], seed=1, offset=2))
    assert torch.equal(draws, st.perturb(name, theta.t().contiguous().t(), seed=1))
    assert torch.equal(draws, st.perturb(name, theta.reshape(2, 2, 6), seed=1).reshape(4, 6))
    assert st.perturb(name, torch.zeros(0, 3), seed=1).shape == (0, 3)
    assert st.perturb(name, torch.tensor(0.5), seed=1).shape == ()


@on_each_law
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_draw_is_its_noise_transformed(name, parameters, dtype):
    theta = torch.linspace(-2, 2, 210, dtype=dtype).reshape(3, 70).requires_grad_()
    noise = st.noise(name, theta, seed=5, offset=7, **parameters)
    assert not noise.requires_grad and noise.dtype == dtype
    drawn = st.perturb(name, theta, seed=5, offset=7, **parameters)
    assert torch.equal(st.transform(name, theta, noise, **parameters), drawn)
    assert torch.equal(noise, st.noise(name, theta * 0, seed=5, offset=7, **parameters))
    (by_transform,) = torch.autograd.grad(
        st.transform(name, theta, noise, **parameters).square().sum(), theta
    )
    (by_draw,) = torch.autograd.grad(drawn.square().sum(), theta)
    torch.testing.assert_close(by_transform, by_draw)


def test_noise_is_shared_by_several_thetas():
    theta = torch.linspace(-1, 1, 12).reshape(3, 4)
    noise = st.noise("normal", theta[0], seed=1)
    shared = st.transform("normal", theta, noise, scale=0.5)
    close(shared - theta, (0.5 * noise).expand(3, 4), 1e-6)
    assert torch.equal(shared[1], st.transform("normal", theta[1], noise, scale=0.5))


def test_the_registry_tells_the_parameters():
    assert st.perturbations["normal"] == {"scale": 1.0}
    assert st.perturbations["exponential"] == {}
    assert list(st.perturbations["sum_of_gamma"]) == ["k", "scale", "terms"]
    theta = torch.zeros(40)
    for name, defaults in st.perturbations.items():
        assert torch.equal(
            st.perturb(name, theta, seed=1), st.perturb(name, theta, seed=1, **defaults)
        )
    ops = torch.ops.softtricks
    assert torch.equal(st.perturb("gumbel", theta, seed=1), ops.perturb(theta, 1, 0, "gumbel"))
    with pytest.raises(RuntimeError, match="gumbel: has 1 parameter"):
        ops.perturb(theta, 1, 0, "gumbel", [1.0, 2.0])


def test_vmap():
    theta, cotangent = torch.linspace(-1, 1, 12).reshape(3, 4), torch.linspace(0, 1, 4)
    noise = vmap(lambda t: st.noise("normal", t, seed=3))(theta)
    assert torch.equal(noise, noise[:1].expand(3, 4))
    assert torch.equal(
        vmap(lambda t, n: st.transform("normal", t, n, scale=2))(theta, noise),
        st.transform("normal", theta, noise, scale=2),
    )

    def loss(t, n):
        return (st.transform("negative_exponential", t, n) * cotangent).sum()

    slopes = vmap(torch.func.grad(loss, argnums=(0, 1)))(theta, noise)
    softplus = torch.nn.functional.softplus(theta)
    close(slopes[0], -torch.sigmoid(theta) * noise * cotangent, 1e-6)
    close(slopes[1], -softplus * cotangent, 1e-6)
