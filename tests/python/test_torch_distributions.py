"""softtricks.torch.distributions against laws written out member by member."""

import math
import pickle

import pytest
import torch
from cli_program import some
from torch.distributions import Independent, kl_divergence
from torch_support import CASES, LARGE, enumerate_gibbs, log_weights, st

from softtricks.torch import distributions as laws



@pytest.fixture(autouse=True)
def _validation():
    """As torch has it by default: torch.compile may have left it off for the whole process."""
    torch.distributions.Distribution.set_default_validate_args(True)


SEVERAL = [case for case in LARGE if len(case.members) < 60]


def one_in_a_million(statistic, degrees):
    """Would chi-square be above the statistic less often? By Wilson and Hilferty's approximation."""
    spread = math.sqrt(2 / (9 * degrees))
    return ((statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / spread > 4.75


def law_of(name, case, *arguments, **named):
    cls = getattr(laws, name + type(case.structure).__name__)
    fields = dict(zip(case.structure.fields, case.structure.shape, strict=True))
    return cls(*arguments, **fields, **named)


def place_of(members, x):
    """The index of each row of x among the members."""
    same = (x.unsqueeze(-2) == members.to(x.dtype)).all(-1)
    assert bool((same.sum(-1) == 1).all())
    return same.int().argmax(-1)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_the_gibbs_law_is_its_enumeration(case):
    utility = case.utility(3)
    law = law_of("", case, utility)
    partition, marginals, entropy = enumerate_gibbs(case.members, utility)
    torch.testing.assert_close(law.mean, marginals)
    torch.testing.assert_close(law.variance, marginals * (1 - marginals))
    torch.testing.assert_close(law.entropy(), entropy)
    expected = log_weights(case.members, utility) - partition.unsqueeze(-1)
    values = case.members.unsqueeze(1).expand(-1, 3, -1)
    torch.testing.assert_close(law.log_prob(values).T, expected)
    best = log_weights(case.members, utility).argmax(-1)
    assert torch.equal(law.mode, case.members[best])
    assert law.batch_shape == (3,) and law.event_shape == (case.structure.size,)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_the_support_is_all_members(case):
    law = law_of("", case, case.utility(2, 3))
    support = law.enumerate_support(expand=False)
    assert support.shape == (len(case.members), 1, 1, case.structure.size)
    rows = {tuple(row) for row in support.flatten(0, 2).tolist()}
    assert rows == {tuple(row) for row in case.members.tolist()}
    assert law.enumerate_support().shape == (len(case.members), 2, 3, case.structure.size)
    assert bool(law.support.check(law.enumerate_support()).all())
    assert not bool(law.support.check(0.5 * law.enumerate_support() + 0.25).any())


@pytest.mark.parametrize("cls", st.structures.values(), ids=lambda cls: cls.name)
def test_every_structure_has_its_laws(cls):
    """Also those that have not been written out: their support sums to one."""
    torch.manual_seed(0)
    structure = some(cls)
    fields = dict(zip(structure.fields, structure.shape, strict=True))
    utility = torch.randn(structure.size, dtype=torch.float64, requires_grad=True)
    law = getattr(laws, cls.__name__)(utility, **fields)
    support = law.enumerate_support()
    torch.testing.assert_close(law.log_prob(support).exp().sum(), torch.ones((), dtype=torch.float64))
    del fields[cls.fields[0]]
    assert getattr(laws, cls.__name__)(utility, **fields).structure == structure
    for name in ("Perturbed", "StraightThrough", "ExactStraightThrough", "Relaxed"):
        temperature = (0.5,) if name in ("StraightThrough", "Relaxed") else ()
        other = getattr(laws, name + cls.__name__)(*temperature, utility, **fields)
        draws = other.sample((5,))
        assert bool(other.support.check(draws).all()) and draws.shape == (5, structure.size)
        if other.has_rsample:
            (slope,) = torch.autograd.grad(other.rsample().square().sum(), utility)
            assert bool(slope.isfinite().all())


@pytest.mark.parametrize("case", SEVERAL, ids=repr)
def test_samples_follow_the_law(case):
    torch.manual_seed(1)
    utility = case.utility(scale=1.0)
    law = law_of("", case, utility)
    draws = 4000
    counts = place_of(case.members, law.sample((draws,))).bincount(minlength=len(case.members))
    expected = draws * log_weights(case.members, utility).softmax(-1)
    kept = expected > 5
    statistic = ((counts - expected) ** 2 / expected)[kept].sum()
    assert not one_in_a_million(float(statistic), int(kept.sum()))


def test_the_argmax_of_gumbel_utilities_is_the_softmax_law():
    torch.manual_seed(2)
    theta = torch.tensor([0.0, 1.0, -1.0, 0.5])
    draws = 10000
    counts = laws.PerturbedOneHot(theta).sample((draws,)).sum(0)
    expected = draws * theta.softmax(-1)
    assert not one_in_a_million(float(((counts - expected) ** 2 / expected).sum()), 3)
    with pytest.raises(NotImplementedError, match="closed form"):
        laws.PerturbedOneHot(theta).log_prob(counts)


@pytest.mark.parametrize("case", SEVERAL, ids=repr)
def test_kl_divergence(case):
    p, q = case.utility(3), case.utility(3, seed=1)
    logs = [log_weights(case.members, u).log_softmax(-1) for u in (p, q)]
    expected = (logs[0].exp() * (logs[0] - logs[1])).sum(-1)
    torch.testing.assert_close(kl_divergence(law_of("", case, p), law_of("", case, q)), expected)
    wrapped = [Independent(law_of("", case, u), 1) for u in (p, q)]
    torch.testing.assert_close(kl_divergence(*wrapped), expected.sum())


def test_kl_of_two_structures_is_refused():
    with pytest.raises(ValueError, match="one structure"):
        kl_divergence(laws.OneHot(torch.zeros(3)), laws.BitVector(torch.zeros(3)))


def test_draws_are_reproducible():
    for law in (laws.KSubset(torch.zeros(6), k=2), laws.RelaxedKSubset(0.5, torch.zeros(6), k=2)):
        torch.manual_seed(3)
        first, second = law.sample((9,)), law.sample((9,))
        torch.manual_seed(3)
        assert torch.equal(law.sample((9,)), first) and not torch.equal(first, second)
        generators = [torch.Generator().manual_seed(4) for _ in range(2)]
        third, fourth = (law.sample((9,), generator=g) for g in generators)
        assert torch.equal(third, fourth) and not torch.equal(third, first)


@pytest.mark.parametrize("name", ["", "Perturbed", "Relaxed", "StraightThrough"])
def test_expanding(name):
    temperature = (torch.tensor([0.5, 2.0]),) if name in ("Relaxed", "StraightThrough") else ()
    law = getattr(laws, name + "KSubset")(*temperature, torch.randn(2, 5), k=2, counts=[1, 2])
    wide = law.expand((3, 2))
    assert wide.batch_shape == (3, 2) and type(wide) is type(law) and wide.structure == law.structure
    draws = wide.sample((4,))
    assert draws.shape == (4, 3, 2, 5)
    torch.testing.assert_close(draws.sum(-1), torch.tensor([1.0, 2.0]).expand(4, 3, 2))
    again = pickle.loads(pickle.dumps(wide))
    assert again.batch_shape == (3, 2) and again.sample().shape == (3, 2, 5)


def test_relaxed_samples_and_their_gradients():
    theta = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    temperature = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    law = laws.RelaxedSpanningTree(temperature, theta)
    hard, soft = law.hard_and_soft((5,), torch.Generator().manual_seed(0))
    torch.testing.assert_close(soft.sum(-1), torch.full((5, 4), 3.0, dtype=torch.float64))
    assert torch.equal(law.rsample((5,), torch.Generator().manual_seed(0)), soft)
    weight = torch.randn(6, dtype=torch.float64)
    slopes = torch.autograd.grad((soft * weight).sum(), (theta, temperature))
    utility = law.utility_sample((5,), torch.Generator().manual_seed(0))

    def loss(shift, factor):
        return (law.structure.relax(utility + shift, temperature.item() + factor) * weight).sum()

    step = 1e-5
    moved = (loss(0, step) - loss(0, -step)) / (2 * step)
    torch.testing.assert_close(slopes[1], moved, rtol=1e-6, atol=1e-8)
    moved = (loss(step, 0) - loss(-step, 0)) / (2 * step)
    torch.testing.assert_close(slopes[0].sum(), moved, rtol=1e-6, atol=1e-7)

    straight = laws.StraightThroughSpanningTree(temperature, theta)
    x = straight.rsample((5,), torch.Generator().manual_seed(0))
    assert torch.equal(x, hard)
    again = torch.autograd.grad((x * weight).sum(), (theta, temperature))
    for a, b in zip(again, slopes, strict=True):
        torch.testing.assert_close(a, b)
    cold = laws.RelaxedSpanningTree(1e-4, theta)
    assert float((cold.rsample((5,), torch.Generator().manual_seed(0)) - hard).abs().max()) < 1e-6
    with pytest.raises(NotImplementedError, match="density"):
        law.log_prob(soft)


@pytest.mark.parametrize("case", SEVERAL, ids=repr)
def test_exact_straight_through_is_exact_for_linear_functions(case):
    utility, weight = case.utility(2).requires_grad_(), case.utility(seed=5)
    x = law_of("ExactStraightThrough", case, utility).rsample()
    assert bool(laws.Member(case.structure).check(x).all())
    (slope,) = torch.autograd.grad((x * weight).sum(), utility)
    expected = (enumerate_gibbs(case.members, utility)[1] * weight).sum()
    torch.testing.assert_close(slope, torch.autograd.grad(expected, utility)[0])


def test_other_perturbations_and_regularizers():
    law = laws.RelaxedKSubset(0.5, torch.zeros(3, 8), k=3, perturbation="normal", scale=2.0,
                              regularizer="squared_norm")
    soft = law.rsample()
    torch.testing.assert_close(soft.sum(-1), torch.full((3,), 3.0))
    assert bool((soft == 0).any())
    spread = law.utility_sample((4000,)).std()
    assert abs(float(spread) / 2 - 1) < 0.02


BAD = {
    "no member": (lambda: laws.KSubset(torch.zeros(4), k=2).log_prob(torch.ones(4)), "support"),
    "not a number": (lambda: laws.KSubset(torch.full((4,), torch.nan), k=2), "utilities"),
    "size": (lambda: laws.SpanningTree(torch.zeros(4)), "nodes"),
    "field": (lambda: laws.KSubset(torch.zeros(4)), "'k'"),
    "temperature": (lambda: laws.RelaxedOneHot(-1.0, torch.zeros(3)), "temperature"),
    "perturbation": (lambda: laws.PerturbedOneHot(torch.zeros(3), perturbation="tea"), "gumbel"),
    "no utilities": (lambda: laws.RelaxedOneHot(0.5), "theta"),
    "twice": (lambda: laws.OneHot(torch.zeros(3), utilities=torch.zeros(3)), "twice"),
    "too many members": (lambda: laws.SpanningTree(torch.zeros(45)).enumerate_support(), "65536"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_words(name):
    call, word = BAD[name]
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=word):
        call()


def test_validation_may_be_left_out():
    law = laws.KSubset(torch.zeros(4), k=2, validate_args=False)
    assert float(law.log_prob(torch.ones(4))) == -math.inf


def test_the_short_name():
    import softtricks.distributions as short

    assert short.RelaxedSpanningTree is laws.RelaxedSpanningTree


def test_in_a_pyro_model():
    """With the exact gradient's estimator, and with the sum over all members, k-subsets are found."""
    pyro = pytest.importorskip("pyro")
    from pyro.infer import SVI, Trace_ELBO, TraceEnum_ELBO

    from softtricks.torch.pyro import ExactStraightThroughKSubset, KSubset

    pyro.set_rng_seed(0)
    data = torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0, 0.0]).expand(20, 6)

    def model():
        with pyro.plate("data", 20):
            x = pyro.sample("x", KSubset(torch.zeros(20, 6), k=2))
            pyro.sample("y", pyro.distributions.Normal(x, 0.5).to_event(1), obs=data)

    def guide_of(law, **infer):
        def guide():
            utilities = pyro.param("utilities", torch.zeros(6))
            with pyro.plate("data", 20):
                pyro.sample("x", law(utilities.expand(20, 6), k=2), **infer)
        return guide

    for law, elbo, infer in (
        (ExactStraightThroughKSubset, Trace_ELBO(), {}),
        (KSubset, TraceEnum_ELBO(max_plate_nesting=1), {"infer": {"enumerate": "parallel"}}),
    ):
        pyro.clear_param_store()
        svi = SVI(model, guide_of(law, **infer), pyro.optim.Adam({"lr": 0.1}), elbo)
        losses = [svi.step() for _ in range(100)]
        assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
        assert set(pyro.param("utilities").topk(2).indices.tolist()) == {0, 1}
