"""The same numbers as torch.distributions, where it has the law: one-hot vectors and bits, exact and
relaxed. Tolerance 1e-12 in float64 (1e-6 where the reference is a quadrature)."""

import math

import torch
import torch.distributions as td
from peer_layouts import close, utilities
from torch_support import st

N, TEMPERATURE = 5, 0.7


def test_one_hot_categorical():
    s, theta, other = st.OneHot(N), utilities(3, N), utilities(3, N, seed=1)
    law = td.OneHotCategorical(logits=theta)
    x = law.enumerate_support()
    close(s.log_prob(theta, x), law.log_prob(x))
    close(s.entropy(theta), law.entropy())
    close(s.marginals(theta), law.mean)
    close(s.argmax(theta), law.mode)
    close(s.kl(theta, other), td.kl_divergence(law, td.OneHotCategorical(logits=other)))


def test_bernoulli():
    s, theta, other = st.BitVector(N), utilities(3, N), utilities(3, N, seed=1)
    law = td.Independent(td.Bernoulli(logits=theta), 1)
    x = (utilities(3, N, seed=2) > 0).double()
    close(s.log_prob(theta, x), law.log_prob(x))
    close(s.entropy(theta), law.entropy())
    close(s.marginals(theta), law.mean)
    rival = td.Independent(td.Bernoulli(logits=other), 1)
    close(s.kl(theta, other), td.kl_divergence(law, rival))


def test_gradients_of_log_prob_and_kl():
    s, x = st.OneHot(N), torch.eye(N, dtype=torch.float64)[:3]
    other = utilities(3, N, seed=1)
    ours, theirs = (utilities(3, N).requires_grad_() for _ in range(2))
    (s.log_prob(ours, x) + s.kl(ours, other) + s.entropy(ours)).sum().backward()
    law = td.OneHotCategorical(logits=theirs)
    kl = td.kl_divergence(law, td.OneHotCategorical(logits=other))
    (law.log_prob(x) + kl + law.entropy()).sum().backward()
    close(ours.grad, theirs.grad)


def same_law(first, second):
    """Kolmogorov and Smirnov's test of two samples of one size, per column, at a level of 1e-4."""
    n = len(first)
    values, order = torch.cat([first, second]).sort(0)
    steps = torch.where(order < n, 1.0, -1.0).cumsum(0) / n
    assert values.isfinite().all()
    assert steps.abs().max() < math.sqrt(-math.log(1e-4 / 2) / n)


def test_soft_samples_are_relaxed_one_hot_categorical():
    theta = utilities(N).expand(20_000, N)
    ours = st.OneHot(N).relax(st.perturb("gumbel", theta, seed=3), TEMPERATURE)
    torch.manual_seed(3)
    theirs = td.RelaxedOneHotCategorical(TEMPERATURE, logits=theta).sample()
    same_law(ours, theirs)
    odds = [x.log() - x.log()[:, :1] for x in (ours, theirs)]
    same_law(*(x[:, 1:] for x in odds))


def test_soft_bits_are_relaxed_bernoulli():
    theta = utilities(N).expand(20_000, N)
    ours = st.BitVector(N).relax(st.perturb("logistic", theta, seed=3), TEMPERATURE)
    torch.manual_seed(3)
    same_law(ours, td.RelaxedBernoulli(TEMPERATURE, logits=theta).sample())


def test_density_of_soft_samples():
    """u = t log y + c gives the soft sample y for any c: integrated over c, and times the determinant
    of (y, c) -> u, our density of utilities is theirs of soft samples."""
    theta = utilities(4, N)
    y = st.OneHot(N).relax(st.perturb("gumbel", theta, seed=5), TEMPERATURE)
    c = torch.linspace(-40, 60, 20_001, dtype=torch.float64)[:, None, None]
    u = TEMPERATURE * y.log() + c
    density = st.perturbation_log_prob("gumbel", theta, u).sum(-1)
    step = float(c[1, 0, 0] - c[0, 0, 0])
    ours = density.logsumexp(0) + math.log(step)
    ours += (N - 1) * math.log(TEMPERATURE) - y.log().sum(-1)
    theirs = td.RelaxedOneHotCategorical(torch.tensor(TEMPERATURE), logits=theta).log_prob(y)
    close(ours, theirs, 1e-6)


def test_densities_of_perturbations():
    theta = utilities(3, N)
    laws = {
        "gumbel": td.Gumbel(theta, 1.0),
        "normal": td.Normal(theta, 1.0),
        "exponential": td.Exponential(theta.exp()),
    }
    for name, law in laws.items():
        u = st.perturb(name, theta, seed=1)
        close(st.perturbation_log_prob(name, theta, u), law.log_prob(u))
    kl = td.kl_divergence(laws["normal"], td.Normal(theta.flip(0), 1.0))
    close(st.perturbation_kl("normal", theta, theta.flip(0)), kl)
    kl = td.kl_divergence(laws["gumbel"], td.Gumbel(theta.flip(0), 1.0))
    close(st.perturbation_kl("gumbel", theta, theta.flip(0)), kl, 1e-9)
