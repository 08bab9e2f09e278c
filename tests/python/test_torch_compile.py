"""softtricks.torch under torch.compile and torch.export: whole graphs, without recompiling for every
batch size, seed or temperature."""

import pytest
import torch
from torch_support import LARGE, st

on_each_structure = pytest.mark.parametrize("case", LARGE, ids=repr)
on_each_perturbation = pytest.mark.parametrize("name", st.perturbations)


class Counter:
    """A backend that runs the graph as it is, and counts graphs."""

    def __init__(self):
        self.graphs = 0

    def __call__(self, graph, inputs):
        self.graphs += 1
        return torch._dynamo.lookup_backend("aot_eager")(graph, inputs)


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()


def value_and_gradient(function, utility, *arguments):
    leaf = utility.detach().clone().requires_grad_()
    value = function(leaf, *arguments)
    value.backward()
    return value.detach(), leaf.grad


def check(compiled, function, *arguments):
    for a, b in zip(
        value_and_gradient(compiled, *arguments),
        value_and_gradient(function, *arguments),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@on_each_structure
def test_every_verb_is_one_graph_whatever_the_batch(case):
    s = case.structure

    def function(utility, seed, lengths):
        drawn = s.sample(utility, seed=seed, lengths=lengths)
        soft = [s.relax(utility, 0.7, r, lengths=lengths).square().sum() for r in s.regularizers]
        return (
            s.log_partition(utility, lengths=lengths).sum()
            + s.entropy(utility, lengths=lengths).square().sum()
            + s.log_prob(utility, drawn, lengths=lengths).sum()
            + (s.marginals(utility, lengths=lengths) * s.argmax(utility, lengths=lengths)).sum()
            + sum(soft)
        )

    counter = Counter()
    compiled = torch.compile(function, backend=counter, fullgraph=True)
    for batch in (3, 4, 7, 11):
        lengths = torch.full((batch,), 3)
        check(compiled, function, case.utility(batch), batch + 5, lengths)
    assert counter.graphs <= 2


@on_each_perturbation
def test_perturbed_relaxations_are_one_graph(name):
    tree = st.SpanningTree(nodes=4)

    def function(theta, seed, temperature):
        utility = st.perturb(name, theta, seed=seed)
        noise = st.noise(name, theta, seed=seed + 1)
        total = st.transform(name, theta, noise, **st.perturbations[name]).square().sum()
        total = total + st.perturbation_log_prob(name, theta, utility.detach()).sum()
        if name != "sum_of_gamma":
            total = total + st.perturbation_kl(name, theta, torch.zeros_like(theta)).sum()
        return tree.relax(utility, temperature).square().sum() + total

    counter = Counter()
    compiled = torch.compile(function, backend=counter, fullgraph=True, dynamic=True)
    for batch in range(3, 7):
        temperature = torch.tensor(1 / batch, dtype=torch.float64)
        theta = torch.linspace(-1, 1, 6 * batch, dtype=torch.float64).reshape(batch, 6)
        check(compiled, function, theta, 100 + batch, temperature)
    assert counter.graphs <= 2


def test_the_default_backend():
    tree = st.SpanningTree(nodes=4)

    def function(theta, weight):
        utility = st.perturb("gumbel", theta @ weight, seed=3)
        soft, hard = tree.relax(utility, 0.5), tree.argmax(utility)
        return (soft * (hard + 1)).sum() + tree.log_partition(theta @ weight).sum()

    compiled = torch.compile(function, fullgraph=True)
    weight = torch.linspace(-1, 1, 30).reshape(5, 6)
    check(compiled, function, torch.linspace(-2, 1, 20).reshape(4, 5), weight)


@on_each_structure
def test_export_with_any_batch(case):
    class Model(torch.nn.Module):
        def forward(self, utility):
            return case.structure.marginals(utility), case.structure.argmax(utility)

    utility = case.utility(3)
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(Model(), (utility,), dynamic_shapes={"utility": {0: batch}})
    other = case.utility(8)
    for a, b in zip(program.module()(other), Model()(other), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    "call",
    [
        lambda u: st.SpanningTree(nodes=5).marginals(u),
        lambda u: st.OneHot(categories=6).marginals(u.int()),
    ],
)
def test_bad_input_is_refused_while_compiling(call):
    with pytest.raises(Exception, match="utility: expected"):
        torch.compile(call, backend="eager")(torch.zeros(2, 6))
