"""The same numbers as packages that solve one of the problems each: entmax, POT, SciPy,
NetworkX, Pyro. Tolerances stand beside the comparisons; what is missing here is skipped."""

import itertools

import numpy as np
import pytest
import torch
from peer_layouts import close, utilities
from torch_support import st


# ---- entmax ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_sparsemax(temperature):
    entmax = pytest.importorskip("entmax")
    ours, theirs = (utilities(8, 20).requires_grad_() for _ in range(2))
    cotangent = utilities(8, 20, seed=1)
    soft = st.OneHot(20).relax(ours, temperature, "squared_norm")
    expected = entmax.sparsemax(theirs / temperature, dim=-1)
    soft.backward(cotangent)
    expected.backward(cotangent)
    close(soft, expected, 1e-12)
    close(ours.grad, theirs.grad, 1e-12)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_budget(k):
    """entmax's projection on {0 <= x <= 1, sum x = k} bisects; 60 halvings leave roundings."""
    entmax = pytest.importorskip("entmax")
    ours, theirs = (utilities(8, 12).requires_grad_() for _ in range(2))
    cotangent = utilities(8, 12, seed=1)
    soft = st.KSubset(12, k).relax(ours, 1.0, "squared_norm")
    expected = entmax.budget_bisect(theirs, budget=k, dim=-1, n_iter=60)
    soft.backward(cotangent)
    expected.backward(cotangent)
    close(soft, expected, 1e-12)
    close(ours.grad, theirs.grad, 1e-11)


# ---- POT ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.2, 1.0])
@pytest.mark.parametrize("method", ["sinkhorn", "sinkhorn_log"])
def test_sinkhorn(method, temperature):
    ot = pytest.importorskip("ot")
    n = 6
    utility = utilities(n, n)
    uniform = np.full(n, 1 / n)
    options = {"method": method, "numItermax": 100_000, "stopThr": 1e-14}
    plan = n * ot.sinkhorn(uniform, uniform, -utility.numpy(), temperature, **options)
    soft = st.Matching(n).relax(utility.flatten(), temperature, "shannon_entropy")
    close(soft.reshape(n, n), plan, 1e-9)


def test_quadratic_transport():
    """Ours maximises u.x - t |x|^2 / 2 over doubly stochastic x; POT minimises over x / n."""
    ot = pytest.importorskip("ot")
    n, temperature = 5, 1.5
    utility = utilities(n, n)
    uniform = np.full(n, 1 / n)
    plan = ot.smooth.smooth_ot_dual(
        uniform,
        uniform,
        -utility.numpy(),
        n * temperature,
        reg_type="l2",
        stopThr=1e-14,
        numItermax=10_000,
    )
    soft = st.Matching(n).relax(utility.flatten(), temperature, "squared_norm")
    close(soft.reshape(n, n), n * plan, 1e-5)  # L-BFGS stops early


def test_exact_transport():
    ot = pytest.importorskip("ot")
    n = 7
    utility = utilities(n, n)
    plan = ot.emd(np.ones(n), np.ones(n), -utility.numpy())
    close(st.Matching(n).argmax(utility.flatten()).reshape(n, n), plan, 1e-12)


# ---- SciPy ----------------------------------------------------------------------------------------


def assignment(utility):
    scipy = pytest.importorskip("scipy.optimize")
    rows, columns = scipy.linear_sum_assignment(utility, maximize=True)
    x = np.zeros(utility.shape)
    x[rows, columns] = 1
    return x


@pytest.mark.parametrize("n", [1, 4, 30])
def test_assignment(n):
    utility = utilities(6, n, n)
    x = st.Matching(n).argmax(utility.flatten(1)).reshape(6, n, n)
    for got, u in zip(x, utility, strict=True):
        close(got, assignment(u), 0)


@pytest.mark.parametrize("rows, columns", [(3, 7), (7, 3), (1, 5)])
def test_rectangular_assignment_by_padding(rows, columns):
    n = max(rows, columns)
    utility = utilities(rows, columns)
    padded = torch.zeros(n, n, dtype=torch.float64)
    padded[:rows, :columns] = utility
    x = st.Matching(n).argmax(padded.flatten()).reshape(n, n)[:rows, :columns]
    close(x, assignment(utility), 0)


def test_lengths_are_smaller_assignments():
    n, lengths = 6, [6, 2, 4]
    utility = utilities(3, n, n)
    x = st.Matching(n).argmax(utility.flatten(1), lengths=lengths).reshape(3, n, n)
    for got, u, m in zip(x, utility, lengths, strict=True):
        close(got[:m, :m], assignment(u[:m, :m]), 0)


# ---- NetworkX -------------------------------------------------------------------------------------


def graph(utility, nodes):
    networkx = pytest.importorskip("networkx")
    made = networkx.Graph()
    pairs = itertools.combinations(range(nodes), 2)
    for (i, j), u in zip(pairs, utility.tolist(), strict=True):
        made.add_edge(i, j, utility=u, weight=np.exp(u))
    return networkx, made


def digraph(utility):
    """Without arcs into node 0, which is thereby the root."""
    networkx = pytest.importorskip("networkx")
    made = networkx.DiGraph()
    for head, row in enumerate(utility.tolist()):
        for modifier, u in enumerate(row):
            if modifier not in (0, head):
                made.add_edge(head, modifier, utility=u, weight=np.exp(u))
    return networkx, made


@pytest.mark.parametrize("nodes", [2, 5, 12])
def test_maximum_spanning_tree_and_sum_over_trees(nodes):
    tree = st.SpanningTree(nodes)
    utility = utilities(tree.size)
    networkx, made = graph(utility, nodes)
    best = networkx.maximum_spanning_tree(made, weight="utility")
    pairs = itertools.combinations(range(nodes), 2)
    close(tree.argmax(utility), [float(best.has_edge(*pair)) for pair in pairs], 0)
    total = networkx.number_of_spanning_trees(made, weight="weight")
    close(tree.log_partition(utility), np.log(total), 1e-10)
    count = networkx.number_of_spanning_trees(made)
    close(tree.log_partition(torch.zeros_like(utility)).exp(), count, 1e-10)


@pytest.mark.parametrize("nodes", [2, 5, 9])
def test_maximum_arborescence_and_sum_over_arborescences(nodes):
    structure = st.Arborescence(nodes)
    utility = utilities(nodes, nodes)
    networkx, made = digraph(utility)
    best = networkx.maximum_spanning_arborescence(made, attr="utility")
    x = structure.argmax(utility.flatten()).reshape(nodes, nodes)
    close(x, [[float(best.has_edge(i, j)) for j in range(nodes)] for i in range(nodes)], 0)
    total = networkx.number_of_spanning_trees(made, root=0, weight="weight")
    close(structure.log_partition(utility.flatten()), np.log(total), 1e-10)


def test_longest_path():
    nodes = 7
    structure = st.DagPath(nodes)
    utility = utilities(structure.size)
    networkx, made = graph(utility, nodes)
    made = networkx.DiGraph((min(e[:2]), max(e[:2]), e[2]) for e in made.edges(data=True))
    for *_, data in made.edges(data=True):
        data["cost"] = -data["utility"]
    path = networkx.bellman_ford_path(made, 0, nodes - 1, weight="cost")
    used = set(itertools.pairwise(path))
    expected = [float(pair in used) for pair in itertools.combinations(range(nodes), 2)]
    close(structure.argmax(utility), expected, 0)


# ---- Pyro -----------------------------------------------------------------------------------------


def test_pyro_spanning_trees():
    """Its edges come in another order."""
    pyro = pytest.importorskip("pyro.distributions")
    nodes = 5
    tree = st.SpanningTree(nodes)
    utility = utilities(tree.size)
    pairs = list(itertools.combinations(range(nodes), 2))
    order = [pairs.index((i, j)) for j in range(nodes) for i in range(j)]
    law = pyro.SpanningTree(utility[order])
    rows, columns = torch.tensor(pairs).T
    close(tree.marginals(utility), law.edge_mean[rows, columns], 1e-9)
    close(tree.log_partition(utility), law.log_partition_function, 1e-9)
    best = {tuple(edge) for edge in law.mode.tolist()}
    close(tree.argmax(utility), [float(pair in best) for pair in pairs], 0)
