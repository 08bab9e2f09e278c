"""Cases in which other packages' results are wrong or missing, run anew: what came out, the exact
answer and ours, in one table.

    PYTHONPATH=bindings/python .venv-python/bin/python docs/where_others_break.py

prints it; with docs/where_others_break.md as an argument it is put there. The other packages are
those of scripts/requirements/parity.txt; one that is missing is named below the table.
"""

import itertools
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import mpmath
import numpy as np
import torch
import torch.distributions as td
from matrix_tree_recipes import NODES, PAIRS, laplacian
from matrix_tree_recipes import exact as tree_marginals
from table import replace

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests/python"))
from peer_layouts import chain_edges, from_roots_on_diagonal, roots_on_diagonal  # noqa: E402

import softtricks.torch as st  # noqa: E402

DRAWS, TEMPERATURE = 20, 0.1
ARCS = NODES * NODES


def random_utilities(size, temperature, draws=DRAWS):
    """(Normal + Gumbel) / temperature, as a stochastic softmax has them, in float32."""
    random = np.random.default_rng(0)
    noise = random.standard_normal((draws, size)) + random.gumbel(size=(draws, size))
    return torch.from_numpy((noise / temperature).astype(np.float32))


def worst(got, exact):
    """Median and maximum, over the draws that are finite, of the worst error of an entry."""
    exact = np.asarray(exact, float)
    errors = np.abs(np.asarray(got, float).reshape(exact.shape) - exact)
    errors = errors.reshape(len(errors), -1).max(1)
    finite = errors[np.isfinite(errors)]
    lost = (
        f"; {len(errors) - len(finite)} of {len(errors)} not finite"
        if len(finite) < len(errors)
        else ""
    )
    if not len(finite):
        return f"none of {len(errors)} finite"
    return f"error {np.median(finite):.0e}, at most {finite.max():.0e}{lost}".replace("0e+00", "0")


def numbers(values):
    return ", ".join(f"{float(v):.4g}" for v in values)


def attempt(run):
    """What it returns, or the error's first line."""
    try:
        return run()
    except Exception as error:  # whatever a package raises is the finding
        return f"{type(error).__name__}: {str(error).splitlines()[0][:70]}"


# ---- trees ------------------------------------------------------------------------------------------


def arc_laplacian(utility):
    """Of the graph with root 0, without the root, in 400 digits; and the weights."""
    u = utility.reshape(NODES, NODES).tolist()
    weight = mpmath.matrix(NODES, NODES)
    for head, modifier in itertools.permutations(range(NODES), 2):
        weight[head, modifier] = mpmath.exp(mpmath.mpf(u[head][modifier])) if modifier else 0
    into = [sum(weight[:, j]) for j in range(NODES)]
    return mpmath.diag(into)[1:, 1:] - weight[1:, 1:], weight


def arc_marginals(utility):
    laplacian, weight = arc_laplacian(utility)
    inverse = laplacian**-1
    get = lambda i, j: inverse[i - 1, j - 1] if i and j else mpmath.mpf(0)
    x = np.zeros((NODES, NODES))
    for i, j in itertools.product(range(NODES), range(1, NODES)):
        x[i, j] = weight[i, j] * (get(j, j) - get(j, i))
    return x.ravel()


def nonprojective_marginals():
    import torch_struct

    utility = random_utilities(ARCS, TEMPERATURE)
    exact = [arc_marginals(u) for u in utility]
    inner = roots_on_diagonal(utility, NODES)
    theirs = torch_struct.NonProjectiveDependencyCRF(inner).marginals
    ours = st.Arborescence(NODES).marginals(utility)
    return (
        "torch-struct",
        f"`NonProjectiveDependencyCRF.marginals`, {NODES} nodes, temperature {TEMPERATURE}",
        "400 digits",
        worst(from_roots_on_diagonal(theirs), exact),
        worst(ours, exact),
    )


def nonprojective_log_partition():
    import torch_struct

    utility = random_utilities(ARCS, TEMPERATURE)
    exact = [[float(mpmath.log(mpmath.det(arc_laplacian(u)[0])))] for u in utility]
    inner = roots_on_diagonal(utility, NODES)
    theirs = torch_struct.NonProjectiveDependencyCRF(inner).partition
    ours = st.Arborescence(NODES).log_partition(utility)
    what = f"`NonProjectiveDependencyCRF.partition`, the same {DRAWS} draws"
    return "torch-struct", what, "400 digits", worst(theirs, exact), worst(ours, exact)


def pyro_trees():
    from pyro.distributions import SpanningTree

    utility = random_utilities(len(PAIRS), TEMPERATURE)
    exact = [tree_marginals(u.numpy()) for u in utility]
    order = torch.tensor([PAIRS.index((i, j)) for j in range(NODES) for i in range(j)])
    rows, columns = torch.tensor(PAIRS).T
    theirs = [SpanningTree(u[order]).edge_mean[rows, columns].tolist() for u in utility]
    ours = st.SpanningTree(NODES).marginals(utility)
    what = f"`SpanningTree.edge_mean`, {NODES} nodes, temperature {TEMPERATURE}"
    return "pyro-ppl", what, "400 digits", worst(theirs, exact), worst(ours, exact)


def pyro_log_partition():
    from pyro.distributions import SpanningTree

    utility = random_utilities(len(PAIRS), TEMPERATURE)
    order = torch.tensor([PAIRS.index((i, j)) for j in range(NODES) for i in range(j)])

    def fails(u):
        return isinstance(attempt(lambda: SpanningTree(u[order]).log_partition_function), str)

    failures = sum(fails(u) for u in utility)
    ours = st.SpanningTree(NODES).log_partition(utility)
    what = f"`SpanningTree.log_partition_function`, the same {DRAWS} draws"
    finite = f"{int(ours.isfinite().sum())} of {DRAWS} finite"
    return "pyro-ppl", what, "finite", f"{failures} of {DRAWS} raise an error (Cholesky)", finite


def networkx_log_partition():
    import networkx

    utility = random_utilities(len(PAIRS), 0.05).double()
    exact, theirs = [], []
    for u in utility.tolist():
        graph = networkx.Graph()
        weights = [mpmath.exp(mpmath.mpf(value) - max(u)) for value in u]
        graph.add_weighted_edges_from((*e, float(w)) for e, w in zip(PAIRS, weights, strict=True))
        matrix = mpmath.matrix(laplacian(weights, mpmath.mpf(0)))
        exact.append([float(mpmath.log(mpmath.det(matrix[1:, 1:])))])
        with np.errstate(all="ignore"):
            theirs.append([np.log(networkx.number_of_spanning_trees(graph, weight="weight"))])
    shifted = utility - utility.amax(1, keepdim=True)
    ours = st.SpanningTree(NODES).log_partition(shifted)
    what = (
        f"log of `number_of_spanning_trees` with weights, {NODES} nodes, temperature 0.05, float64"
    )
    return "networkx", what, "400 digits", worst(theirs, exact), worst(ours, exact)


# ---- excluded entries -------------------------------------------------------------------------------


def masked_projective():
    import torch_struct

    nodes = 4
    utility = torch.zeros(1, nodes, nodes)
    utility[0, 1, 2] = -torch.inf
    inner = roots_on_diagonal(utility, nodes).requires_grad_()
    theirs = torch_struct.DependencyCRF(inner).marginals.detach()
    ours = st.ProjectiveTree(nodes).marginals(utility.flatten(1))
    members = _projective_members(nodes)
    exact = members[members[:, 1 * nodes + 2] == 0].mean(0)
    lost = int(theirs.isnan().sum())
    return (
        "torch-struct",
        f"`DependencyCRF.marginals`, {nodes - 1} words, one arc excluded by -inf",
        "enumerated",
        f"NaN for that arc ({lost} of {theirs.numel()})",
        worst(ours, exact[None]),
    )


def _projective_members(nodes):
    """All trees over 0..nodes-1 with root 0 in which what hangs on an arc's head fills its span."""

    def descends(heads, j, i):
        while j not in (0, i):
            j = heads[j]
        return j == i

    members = []
    for chosen in itertools.product(range(nodes), repeat=nodes - 1):
        heads = (0, *chosen)
        if any(len({*_walk(heads, j)}) < len([*_walk(heads, j)]) for j in range(1, nodes)):
            continue
        spans = (
            (h, j, k) for j, h in enumerate(heads) if j for k in range(min(h, j) + 1, max(h, j))
        )
        if all(descends(heads, k, h) for h, j, k in spans):
            x = torch.zeros(nodes, nodes)
            x[list(chosen), list(range(1, nodes))] = 1
            members.append(x.flatten())
    return torch.stack(members)


def _walk(heads, j):
    """j and the nodes above it; one comes twice if they go round."""
    for _ in heads:
        if j == 0:
            return
        yield j
        j = heads[j]


def masked_chain():
    import torch_struct

    length, states = 3, 2
    chain = st.LinearChain(length, states)
    utility = torch.zeros(1, chain.size)
    utility[0, states] = -torch.inf  # state 0 at step 1: 4 sequences are left
    edges = chain_edges(utility, length, states).requires_grad_()
    law = torch_struct.LinearChainCRF(edges)
    what = "`LinearChainCRF.entropy`, 4 equal sequences left, the others excluded by -inf"
    return (
        "torch-struct",
        what,
        numbers([np.log(4)]),
        numbers(law.entropy),
        numbers(chain.entropy(utility)),
    )


def masked_kl_gradient():
    logits = [0.0, 1.0, -torch.inf]
    theirs, ours = (torch.tensor(logits, requires_grad=True) for _ in range(2))
    other = torch.zeros(3)
    td.kl_divergence(
        td.OneHotCategorical(logits=theirs), td.OneHotCategorical(logits=other)
    ).backward()
    st.OneHot(3).kl(ours, other).backward()
    p = 1 / (1 + np.e)
    exact = p * (1 - p) * np.array([-1, 1, 0])  # of sum p log p with p = sigmoid
    what = "gradient of the KL of `OneHotCategorical`, logits 0, 1, -inf"
    return "torch", what, numbers(exact), numbers(theirs.grad), numbers(ours.grad)


def nothing_left():
    import entmax

    x = torch.tensor([[0.0, 1.0], [-torch.inf, -torch.inf]])
    theirs = attempt(lambda: entmax.sparsemax(x, dim=-1))
    ours = st.OneHot(2).relax(x, 1.0, "squared_norm")
    what = "`sparsemax` of the rows (0, 1) and (-inf, -inf)"
    theirs = theirs if isinstance(theirs, str) else numbers(theirs.flatten())
    return "entmax", what, "0, 1 for the first", theirs, numbers(ours.flatten())


# ---- low temperatures -------------------------------------------------------------------------------


def relaxed_log_prob():
    n, categories, temperature = 100_000, 5, torch.tensor(0.05)
    torch.manual_seed(0)
    theta = torch.randn(n, categories)
    law = td.RelaxedOneHotCategorical(temperature, logits=theta, validate_args=False)
    density = law.log_prob(law.sample())
    bad = int((~density.isfinite()).sum())
    ours = st.perturbation_log_prob("gumbel", theta, st.perturb("gumbel", theta, seed=0))
    good = int(ours.isfinite().all(-1).sum())
    return (
        "torch",
        f"`RelaxedOneHotCategorical.log_prob` of {n} of its own samples, temperature 0.05, "
        f"{categories} categories",
        "finite",
        f"{bad} not finite",
        f"no density of soft samples; that of the utilities they are made of: {n - good} not finite",
    )


def sinkhorn(method, temperature):
    import ot

    n = 20
    cost = np.random.default_rng(0).standard_normal((n, n))
    uniform = np.full(n, 1 / n)
    with np.errstate(all="ignore"):
        plan = n * ot.sinkhorn(uniform, uniform, cost, temperature, method=method)
    utility = -torch.from_numpy(cost).flatten()
    soft = st.Matching(n).relax(utility, temperature, "shannon_entropy").reshape(n, n)

    def sums(x):
        error = max(np.abs(x.sum(axis) - 1).max() for axis in (0, 1))
        return f"sums off by {error:.0e}"

    what = (
        f'`ot.sinkhorn(method="{method}")`, {n} x {n} normal costs, regularization {temperature}, '
        "float64, iterations as by default"
    )
    return "POT", what, "rows and columns sum to 1", sums(plan), sums(soft.numpy())


CASES = (
    nonprojective_marginals,
    nonprojective_log_partition,
    pyro_trees,
    pyro_log_partition,
    networkx_log_partition,
    masked_projective,
    masked_chain,
    masked_kl_gradient,
    nothing_left,
    relaxed_log_prob,
    lambda: sinkhorn("sinkhorn", 0.003),
    lambda: sinkhorn("sinkhorn_log", 0.003),
)


def rows():
    """The rows of the table, and the packages that are missing."""
    found, missing = [], set()
    for case in CASES:
        try:
            package, what, exact, theirs, ours = case()
        except ImportError as error:
            missing.add(error.name)
            continue
        found.append((f"{package} {version(package)}", what, exact, theirs, ours))
    return found, sorted(missing)


def main(arguments):
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    mpmath.mp.dps = 400
    found, missing = rows()
    lines = ["| package | what was run | exact | theirs | ours |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in found]
    if missing:
        lines += ["", f"Not run, as they were not installed: {', '.join(missing)}."]
    return replace(arguments, "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
