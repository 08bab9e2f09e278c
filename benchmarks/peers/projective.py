"""Projective trees of dependencies: the best one, marginals."""

from functools import partial

import torch
from softtricks.torch import ProjectiveTree

from . import optional
from .arborescences import (
    BATCH,
    flat,
    from_roots_on_diagonal,
    roots_on_diagonal,
    square,
    utilities,
)
from .frameworks import torch_contender, torch_gradient_contender
from .work import Raw, Target, Work

NODES = 20
TREE = ProjectiveTree(NODES)
REQUEST = {"structure": "projective_tree", "shape": [NODES, 0]}

torch_struct = optional.package("torch_struct", "torch-struct")


def works():
    torch.manual_seed(0)
    utility, cotangent = utilities(NODES)
    return [_marginals(utility, cotangent), _argmax(utility, cotangent)]


def _marginals(utility, cotangent):
    return Work(
        f"projective-tree marginals, {NODES} nodes",
        BATCH,
        torch_contender("softtricks", TREE.marginals, utility, cotangent),
        Raw(REQUEST, utility, cotangent, ["marginals"], ["marginals", "marginals_vjp"]),
        [
            torch_gradient_contender(
                "PyTorch, spans by width",
                partial(_spans, torch.logsumexp),
                square(utility),
                square(cotangent),
                reading=flat,
            ),
            _torch_struct("LogSemiring", utility, cotangent),
        ],
        [Target("torch-struct", 30, 30)],
    )


def _argmax(utility, cotangent):
    potential = partial(_spans, torch.amax)
    best = torch_gradient_contender(
        "PyTorch, spans by width", potential, square(utility), square(cotangent), reading=flat
    )
    return Work(
        f"projective-tree argmax, {NODES} nodes",
        BATCH,
        torch_contender("softtricks", TREE.argmax, utility),
        Raw(REQUEST, utility, cotangent, ["argmax"]),
        [best, _torch_struct("MaxSemiring", utility)],
        [Target("torch-struct", 30)],
    )


def _torch_struct(semiring, utility, cotangent=None):
    """PyTorch 2.15 refuses what it does to potentials that need no gradient, so ours always do."""
    if not torch_struct:
        return None
    tree = torch_struct.DepTree(getattr(torch_struct, semiring))

    def run(arcs):
        with torch.enable_grad():
            return tree.marginals(arcs if arcs.requires_grad else arcs.clone().requires_grad_())

    own = [a if a is None else roots_on_diagonal(a) for a in (utility, cotangent)]
    return torch_contender("torch-struct", run, *own, reading=from_roots_on_diagonal)


def _spans(total, utility):
    """Eisner's program on [batch, head, modifier], all spans of a width at once. total(terms, axis)
    is the sum of the semiring, or its maximum; the gradient gives marginals, or the best tree."""
    nodes = utility.shape[-1]
    zero = utility.new_zeros(utility.shape[:2])
    # [width][batch, first word]: what covers a span, headed by its first word or by its last; `arcs`
    # end with the arc between the two.
    right, left, arcs_right, arcs_left = [zero], [zero], [None], [None]
    for width in range(1, nodes):
        count = nodes - width

        def joined(halves, count=count):
            """Of (first, second, where the second begins relative to the first)."""
            terms = [a[:, :count] + b[:, at : at + count] for a, b, at in halves]
            return total(torch.stack(terms), 0)

        inside = joined([(right[k], left[width - 1 - k], k + 1) for k in range(width)])
        arcs_right.append(inside + utility.diagonal(width, 1, 2))
        arcs_left.append(inside + utility.diagonal(-width, 1, 2))
        right.append(
            joined([(arcs_right[k], right[width - k], k) for k in range(1, width + 1)])
        )
        left.append(joined([(left[k], arcs_left[width - k], k) for k in range(width)]))
    return right[-1][:, 0]
