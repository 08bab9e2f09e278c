"""softtricks.torch and its distributions under torch's transforms, and with tensors of every make."""

import inspect

import pytest
import torch
from torch.func import vmap
from torch_support import LARGE, st

from softtricks.torch import distributions as laws

on_each_structure = pytest.mark.parametrize("case", LARGE, ids=repr)


# ---- torch.compile --------------------------------------------------------------------------------


class Counter:
    """A backend that runs the graph as it is, and counts graphs."""

    def __init__(self):
        self.graphs = 0

    def __call__(self, graph, inputs):
        self.graphs += 1
        return torch._dynamo.lookup_backend("aot_eager")(graph, inputs)


@pytest.fixture(autouse=True)
def fresh():
    """torch.compile turns the validation of distributions off for the whole process."""
    torch._dynamo.reset()
    validated = torch.distributions.Distribution._validate_args
    yield
    torch.distributions.Distribution.set_default_validate_args(validated)


@on_each_structure
def test_a_batch_marked_as_dynamic_compiles_once(case):
    structure, counter = case.structure, Counter()

    def function(utility):
        soft = structure.relax(utility, 0.7)
        return soft + structure.argmax(utility) + structure.log_partition(utility).unsqueeze(-1)

    compiled = torch.compile(function, backend=counter, fullgraph=True)
    for batch in (3, 5, 8, 1024):
        utility = case.utility(batch)
        torch._dynamo.mark_dynamic(utility, 0)
        torch.testing.assert_close(compiled(utility), function(utility))
    assert counter.graphs == 1


def test_laws_in_one_graph():
    """A compiled draw is the eager one of the same seed, and the next draw is another."""
    tree = st.SpanningTree(nodes=5)

    def function(utility):
        law = laws.Gibbs(tree, utility, validate_args=False)
        x = law.sample((3,))
        soft = laws.Relaxed(tree, 0.5, utility, validate_args=False).rsample()
        return x, soft, law.log_prob(x), law.entropy()

    compiled = torch.compile(function, backend="aot_eager", fullgraph=True)
    utility = torch.randn(4, 10)
    torch.manual_seed(5)
    first, second = compiled(utility), compiled(utility)
    torch.manual_seed(5)
    for a, b in zip(first, function(utility), strict=True):
        torch.testing.assert_close(a, b)
    assert not torch.equal(first[1], second[1])


def test_laws_that_find_their_structure_compile_with_a_break():
    def function(utility):
        return laws.RelaxedKSubset(0.5, utility, k=2).rsample().sum(-1)

    compiled = torch.compile(function, backend="aot_eager")
    torch.testing.assert_close(compiled(torch.zeros(3, 6)), torch.full((3,), 2.0))


# ---- vmap -----------------------------------------------------------------------------------------


def test_vmap_over_laws():
    utility, data = torch.randn(3, 10), torch.eye(10)[:3]

    def entropy(u):
        return laws.SpanningTree(u).entropy()

    torch.testing.assert_close(vmap(entropy)(utility), entropy(utility))
    losses = vmap(lambda u, x: laws.OneHot(u).log_prob(x))(utility, data)
    torch.testing.assert_close(losses, laws.OneHot(utility).log_prob(data))


@pytest.mark.parametrize("name", ["SpanningTree", "PerturbedSpanningTree"])
def test_vmap_draws_the_same_or_different(name):
    def draw(u):
        return getattr(laws, name)(u).sample((50,))

    utility = torch.zeros(2, 10)
    same = vmap(draw, randomness="same")(utility)
    different = vmap(draw, randomness="different")(utility)
    assert same.shape == different.shape == (2, 50, 10)
    assert torch.equal(same[0], same[1]) and not torch.equal(different[0], different[1])


# ---- tensors ----------------------------------------------------------------------------------------


@on_each_structure
def test_expanded_tensors_are_their_copies(case):
    structure = case.structure
    row, other = case.utility(), case.utility(seed=3)
    for verb in (structure.marginals, structure.log_partition, structure.argmax):
        assert torch.equal(verb(row.expand(4, 2, -1)), verb(row.repeat(4, 2, 1)))
    turned = torch.stack([row, other], -1)  # strides of two
    assert torch.equal(structure.entropy(turned.mT), structure.entropy(turned.mT.contiguous()))
    leaf = row.clone().requires_grad_()
    structure.marginals(leaf.expand(6, -1)).square().sum().backward()
    alone = row.clone().requires_grad_()
    structure.marginals(alone).square().sum().backward()
    torch.testing.assert_close(leaf.grad, 6 * alone.grad)


@on_each_structure
def test_either_law_may_need_a_gradient(case):
    p, q = case.utility(2), case.utility(2, seed=1)
    both = [t.clone().requires_grad_() for t in (p, q)]
    expected = torch.autograd.grad(case.structure.kl(*both).sum(), both)
    for place in range(2):
        pair = [p.clone(), q.clone()]
        pair[place].requires_grad_()
        (slope,) = torch.autograd.grad(case.structure.kl(*pair).sum(), pair[place])
        torch.testing.assert_close(slope, expected[place])
    with torch.inference_mode():
        assert not case.structure.kl(*both).requires_grad


@on_each_structure
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_types_stay(case, dtype):
    utility = case.utility(3, dtype=dtype)
    law = laws.Gibbs(case.structure, utility)
    draws = law.sample((2,))
    relaxed = laws.Relaxed(case.structure, 0.5, utility)
    results = (law.mean, law.variance, law.mode, law.entropy(), law.log_prob(draws), draws,
               law.enumerate_support(), relaxed.rsample(), *relaxed.hard_and_soft())
    assert {result.dtype for result in results} == {dtype}


@on_each_structure
def test_empty_batches_and_samples(case):
    utility = case.utility(0)
    law = laws.Gibbs(case.structure, utility)
    size = case.structure.size
    assert law.sample((3,)).shape == (3, 0, size) and law.entropy().shape == (0,)
    assert laws.Relaxed(case.structure, 0.5, utility).rsample((2,)).shape == (2, 0, size)
    assert laws.Gibbs(case.structure, case.utility(2)).sample((0,)).shape == (0, 2, size)


# ---- arguments of laws ------------------------------------------------------------------------------


def test_temperatures_make_a_batch():
    temperature = torch.tensor([[0.1], [10.0]])
    law = laws.RelaxedOneHot(temperature, torch.zeros(3, 4))
    assert law.batch_shape == (2, 3) and law.rsample((5,)).shape == (5, 2, 3, 4)
    generators = [torch.Generator().manual_seed(1) for _ in range(2)]
    soft, utility = law.rsample((), generators[0]), law.utility_sample((), generators[1])
    for place, number in enumerate((0.1, 10.0)):
        torch.testing.assert_close(soft[place], (utility[place] / number).softmax(-1))
    with pytest.raises(ValueError, match="temperature: expected a shape"):
        laws.RelaxedOneHot(torch.ones(2), torch.zeros(3, 4))


def test_what_a_law_is_made_of_is_told_and_checked():
    names = list(inspect.signature(laws.RelaxedKSubset).parameters)
    assert names[:4] == ["temperature", "theta", "items", "k"] and "perturbation" in names
    assert "perturbation" not in inspect.signature(laws.KSubset).parameters
    with pytest.raises(TypeError, match="accepted: scale"):
        laws.PerturbedOneHot(torch.zeros(3), scales=2.0)
    theta = torch.zeros(6)
    assert laws.PerturbedOneHot(theta).theta is theta
    subset = laws.Perturbed(st.KSubset(6, 2), theta, perturbation="sum_of_gamma", k=2)
    assert float(subset.sample().sum()) == 2
