"""The same numbers as torch-struct on chains and dependency trees, projective and not, at utilities of
ordinary size (docs/where_others_break.py has the others). 1e-9 in float64; its matrix-tree marginals
hold a constant of 1e-5, which is taken out here by the function's own argument."""

import functools

import peer_layouts
import pytest
import torch
from peer_layouts import (
    chain_edges,
    chain_from_edges,
    from_roots_on_diagonal,
    roots_on_diagonal,
    utilities,
)
from torch_support import st

torch_struct = pytest.importorskip("torch_struct")

LENGTH, STATES, NODES, BATCH = 6, 3, 6, 4
close = functools.partial(peer_layouts.close, tolerance=1e-9)


def crf(kind, potentials, **options):
    """PyTorch 2.15 refuses what it does to potentials that need no gradient."""
    return kind(potentials.clone().requires_grad_(), **options)


def test_linear_chain():
    s = st.LinearChain(LENGTH, STATES)
    utility, other = utilities(BATCH, s.size), utilities(BATCH, s.size, seed=1)
    laws = [
        crf(torch_struct.LinearChainCRF, chain_edges(u, LENGTH, STATES)) for u in (utility, other)
    ]
    close(s.log_partition(utility), laws[0].partition)
    close(s.marginals(utility), chain_from_edges(laws[0].marginals))
    close(s.argmax(utility), chain_from_edges(laws[0].argmax))
    close(s.entropy(utility), laws[0].entropy)
    close(s.log_prob(utility, s.argmax(utility)), laws[0].log_prob(laws[0].argmax))
    close(s.kl(utility, other), laws[0].kl(laws[1]))
    best = [chain_from_edges(x) for x in laws[0].topk(4)]
    close(s.k_best(utility, 4)[0], torch.stack(best, 1))


def test_linear_chain_with_lengths():
    s = st.LinearChain(LENGTH, STATES)
    utility, lengths = utilities(BATCH, s.size), torch.tensor([6, 3, 2, 5])
    law = crf(torch_struct.LinearChainCRF, chain_edges(utility, LENGTH, STATES), lengths=lengths)
    close(s.log_partition(utility, lengths=lengths), law.partition)
    close(s.marginals(utility, lengths=lengths), chain_from_edges(law.marginals))


@pytest.mark.parametrize("single_root", [0, 1])
def test_projective_trees(single_root):
    s = st.ProjectiveTree(NODES, single_root)
    utility = utilities(BATCH, s.size)
    inner = roots_on_diagonal(utility, NODES)
    law = crf(torch_struct.DependencyCRF, inner, multiroot=not single_root)
    close(s.log_partition(utility), law.partition)
    close(s.marginals(utility), from_roots_on_diagonal(law.marginals.detach()))
    close(s.argmax(utility), from_roots_on_diagonal(law.argmax.detach()))
    close(s.entropy(utility), law.entropy)


@pytest.mark.parametrize("single_root", [0, 1])
def test_dependency_trees(single_root):
    s = st.Arborescence(NODES, 0, single_root)
    utility = utilities(BATCH, s.size)
    inner = roots_on_diagonal(utility, NODES)
    marginals = torch_struct.deptree.deptree_nonproj(inner, not single_root, eps=0.0)
    close(s.marginals(utility), from_roots_on_diagonal(marginals))
    close(
        s.log_partition(utility), torch_struct.deptree.deptree_part(inner, not single_root, eps=0.0)
    )
    law = torch_struct.NonProjectiveDependencyCRF(inner, multiroot=not single_root)
    close(s.marginals(utility), from_roots_on_diagonal(law.marginals), tolerance=1e-3)
