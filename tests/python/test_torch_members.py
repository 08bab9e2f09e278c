"""softtricks.torch: two laws side by side, verbs that list members, counts that instances differ in.
Numbers against enumeration; gradients against finite differences; operators' registrations."""

import itertools
import math

import pytest
import torch
from torch.autograd import gradcheck
from torch_support import CASES, LARGE, enumerate_gibbs, exclude_one, k_subset, log_weights, st

on_all_cases = pytest.mark.parametrize("case", CASES, ids=repr)
on_each_structure = pytest.mark.parametrize("case", LARGE, ids=repr)
OPS = torch.ops.softtricks


def close(got, expected, tolerance=1e-10):
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


# ---- two laws -------------------------------------------------------------------------------------


@on_all_cases
def test_kl_and_cross_entropy(case):
    s, utility, other = case.structure, case.utility(5), case.utility(5, seed=4)
    own, others = (log_weights(case.members, u).log_softmax(-1) for u in (utility, other))
    close(s.kl(utility, other), (own.exp() * (own - others)).sum(-1))
    close(s.cross_entropy(utility, other), -(own.exp() * others).sum(-1))
    close(s.kl(utility, utility), torch.zeros(5, dtype=torch.float64))
    close(s.cross_entropy(utility, utility), enumerate_gibbs(case.members, utility)[2])
    close(s.kl(utility, other[0]), s.kl(utility, other[0].expand(5, -1)))


@on_each_structure
def test_kl_where_one_law_excludes_an_entry(case):
    s, other = case.structure, case.utility(4, seed=4)
    utility, entry = exclude_one(case, case.utility(4))
    own = log_weights(case.members, utility).log_softmax(-1)
    others = log_weights(case.members, other).log_softmax(-1)
    expected = torch.where(own.isinf(), 0.0, own.exp() * (own - others)).sum(-1)
    close(s.kl(utility, other), expected)
    assert (s.kl(other, utility) == torch.inf).all()
    leaf = other.clone().requires_grad_()
    s.kl(utility, leaf).sum().backward()
    assert leaf.grad.isfinite().all()
    leaf = utility.clone().requires_grad_()
    s.kl(leaf, other).sum().backward()
    assert (leaf.grad[:, entry] == 0).all() and leaf.grad.isfinite().all()


@on_each_structure
def test_gradients_of_two_laws(case):
    s = case.structure
    pair = [case.utility(2, seed=seed).requires_grad_() for seed in (0, 4)]
    assert gradcheck(s.kl, pair)
    assert gradcheck(s.cross_entropy, pair)
    problem = (s.name, list(s.shape), None, None)
    for op in (OPS.kl, OPS.cross_entropy):
        torch.library.opcheck(op.default, (*pair, *problem))
    batched = torch.func.vmap(s.kl)(*pair)
    close(batched, s.kl(*pair))


# ---- members --------------------------------------------------------------------------------------

CHAIN = st.LinearChain(length=3, states=2)


def chain_members():
    """length x states numbers, then (length - 1) x states x states."""
    rows = []
    for path in itertools.product(range(2), repeat=3):
        x = torch.zeros(CHAIN.size, dtype=torch.float64)
        for t, state in enumerate(path):
            x[2 * t + state] = 1
        for t, (a, b) in enumerate(itertools.pairwise(path)):
            x[6 + 4 * t + 2 * a + b] = 1
        rows.append(x)
    return torch.stack(rows)


def test_k_best():
    members = chain_members()
    utility = torch.randn(2, 3, CHAIN.size, dtype=torch.float64, generator=torch.manual_seed(3))
    best, value = CHAIN.k_best(utility, 5)
    assert best.shape == (2, 3, 5, CHAIN.size) and value.shape == (2, 3, 5)
    scores, order = log_weights(members, utility).sort(-1, descending=True)
    close(value, scores[..., :5])
    close(best, members[order[..., :5]])
    close(best[..., 0, :], CHAIN.argmax(utility))
    best, value = CHAIN.k_best(utility, 10)
    assert (value[..., 8:] == -torch.inf).all() and (best[..., 8:, :] == 0).all()
    close(torch.func.vmap(lambda u: CHAIN.k_best(u, 2)[1])(utility), scores[..., :2])
    torch.library.opcheck(OPS.k_best.default, (utility, 4, "linear_chain", [3, 2], None, None))
    with pytest.raises(ValueError, match="k_best.*0"):
        CHAIN.k_best(utility, 0)


@on_each_structure
def test_active_set(case):
    s, utility = case.structure, case.utility(4)
    if "active_set" not in s.verbs:
        with pytest.raises(ValueError, match=f"{s.name} does not offer active_set"):
            s.active_set(utility, 1.0, 3)
        return
    members, weights = s.active_set(utility, 2.0, s.size + 1)
    assert (weights >= 0).all() and (weights.diff(dim=-1) <= 0).all()
    close(weights.sum(-1), torch.ones(4, dtype=torch.float64))
    close((weights.unsqueeze(-1) * members).sum(-2), s.relax(utility, 2.0, "squared_norm"))
    problem = (1, 2.0, "squared_norm", None, s.name, list(s.shape), None, None)
    torch.library.opcheck(OPS.active_set.default, (utility, *problem))


def test_listing_members_is_one_graph():
    @torch.compile(backend="aot_eager", fullgraph=True)
    def function(utility):
        return CHAIN.k_best(utility, 3)

    utility = torch.randn(4, CHAIN.size)
    for got, expected in zip(function(utility), CHAIN.k_best(utility, 3), strict=True):
        close(got, expected)


# ---- counts ---------------------------------------------------------------------------------------


def test_counts():
    s = st.KSubset(items=5, k=4)
    utility = torch.randn(6, 5, dtype=torch.float64, generator=torch.manual_seed(5))
    counts = torch.tensor([1, 4, 2, 2, 3, 1])
    marginals, hard = s.marginals(utility, counts=counts), s.argmax(utility, counts=counts)
    soft = s.relax(utility, 0.5, "squared_norm", counts=counts)
    for b, k in enumerate(counts.tolist()):
        members = k_subset(5, k).double()
        close(marginals[b], enumerate_gibbs(members, utility[b])[1])
        close(hard[b], st.KSubset(5, k).argmax(utility[b]))
        close(soft[b], st.KSubset(5, k).relax(utility[b], 0.5, "squared_norm"))
    assert (s.sample(utility, seed=1, counts=counts).sum(-1) == counts).all()
    close(s.marginals(utility, counts=2), st.KSubset(5, 2).marginals(utility))
    leaf = utility.clone().requires_grad_()
    assert gradcheck(lambda u: s.marginals(u, counts=counts), leaf)
    assert gradcheck(lambda u: s.relax(u, 0.5, "binary_entropy", counts=counts), leaf)
    log_prob = s.log_prob(utility, hard, counts=counts)
    assert log_prob.isfinite().all() and s.log_prob(utility, hard)[0] == -math.inf


def test_counts_are_checked():
    s, utility = st.KSubset(items=5, k=4), torch.zeros(2, 5)
    with pytest.raises(ValueError, match="counts.*4.*5.*instance 1"):
        s.argmax(utility, counts=[1, 5])
    with pytest.raises(ValueError, match="0.*instance 0"):
        s.argmax(utility, counts=[0, 1])
    with pytest.raises(ValueError, match="counts: expected integers"):
        s.argmax(utility, counts=[1.0, 2.0])
    with pytest.raises(ValueError, match="spanning_tree has no count"):
        st.SpanningTree(4).argmax(torch.zeros(6), counts=2)
