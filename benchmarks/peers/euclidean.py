"""Euclidean relaxations (SparseMAP) of chains, trees and matchings."""

from functools import partial

import jax
import numpy as np
import torch
from jaxopt import projection
from softtricks.torch import Arborescence, LinearChain, Matching, ProjectiveTree

from . import arborescences, chains, lp_sparsemap, matchings
from .frameworks import jax_contender, torch_contender
from .work import Raw, Target, Work

BATCH = 64
FEW = 4  # instances for lp-sparsemap
NODES, PAIRS = 20, 16


def works():
    torch.manual_seed(0)
    offered = [(Arborescence, _arborescence), (ProjectiveTree, _projective_tree)]
    offered += [(LinearChain, _chain), (Matching, _matching)]
    return [make() for kind, make in offered if "squared_norm" in kind.regularizers]


def _work(name, structure, utility, cotangent, rivals, targets, **more):
    request = {"structure": structure.name, "shape": list(structure.shape)}
    return Work(
        f"Euclidean {name}",
        len(utility),
        torch_contender(
            "softtricks", lambda u: structure.relax(u, 1.0, "squared_norm"), utility, cotangent
        ),
        Raw(
            {**request, "regularizer": "squared_norm"},
            utility,
            cotangent,
            ["relax"],
            ["relax", "relax_vjp"],
        ),
        rivals,
        targets,
        **more,
    )


def _tree(name, structure, **more):
    utility, cotangent = (a[:BATCH] for a in arborescences.utilities(NODES))

    def own(flat):
        """[instance, modifier, head]"""
        return arborescences.roots_on_diagonal(flat[:FEW]).transpose(1, 2).contiguous().numpy()

    def reading(found):
        inner = found.reshape(FEW, NODES - 1, NODES - 1).swapaxes(1, 2)
        return arborescences.from_roots_on_diagonal(torch.from_numpy(inner))

    rival = lp_sparsemap.contender(structure.name, own(utility), own(cotangent), reading)
    return _work(
        name,
        structure,
        utility,
        cotangent,
        [rival],
        [Target("lp-sparsemap", 20, 20)],
        **more,
    )


def _arborescence():
    return _tree(f"arborescence, {NODES} nodes", Arborescence(NODES))


def _projective_tree():
    return _tree(
        f"projective tree, {NODES} nodes",
        ProjectiveTree(NODES, 1),
        note="The root has one child, as lp-sparsemap has it.",
    )


def _chain():
    utility, cotangent = (torch.randn(BATCH, chains.CHAIN.size) for _ in range(2))
    unary, pairs = (a[:FEW].numpy() for a in chains.parts(utility))
    own_cotangent = chains.parts(cotangent)[0][:FEW].numpy()
    rival = lp_sparsemap.contender(
        "chain", unary, own_cotangent, partial(np.reshape, shape=(FEW, -1)), comparable=False, pairs=pairs
    )
    return _work(
        f"chain, {chains.NAME}",
        chains.CHAIN,
        utility,
        cotangent,
        [rival],
        [Target("lp-sparsemap", 20, 20)],
        note="lp-sparsemap takes the norm of the states alone, ours that of all of x.",
    )


def _matching():
    utility, cotangent = matchings.utilities(PAIRS, BATCH)
    few = [matchings.square(a)[:FEW].numpy() for a in (utility, cotangent)]
    return _work(
        f"matching, {PAIRS} pairs",
        Matching(PAIRS),
        utility,
        cotangent,
        [
            jax_contender(
                "jaxopt projection_birkhoff",
                jax.vmap(projection.projection_birkhoff),
                matchings.square(utility),
                reading=matchings.flat,
            ),
            lp_sparsemap.contender("matching", *few, lambda found: found),
        ],
        [Target("jaxopt", 10), Target("lp-sparsemap", 20, 20)],
        tolerance=0.05,
        note="lp-sparsemap stops where rows and columns sum to 1 within about a hundredth, hence the "
        "difference. jaxopt 0.8.5 has no backward pass here: its gradient is 0 where differences of its "
        "result aren't.",
    )
