"""Structures, relaxations and perturbations for PyTorch, with gradients.

>>> import torch
>>> from softtricks.torch import SpanningTree, perturb
>>> tree = SpanningTree(nodes=10)
>>> theta = torch.zeros(32, tree.size, requires_grad=True)  # 32 instances, 45 edges each
>>> utility = perturb("gumbel", theta, seed=0)
>>> hard = tree.argmax(utility)  # 32 trees, as 0 and 1
>>> soft = tree.relax(utility, temperature=0.5)  # the same trees, softened
>>> soft.square().sum().backward()  # reaches theta
>>> float(hard.sum(-1).max())
9.0

The structures are `structures`, classes by name, also found here by name; their methods are those of
`Structure`. The laws of random utilities are `perturbations`, by name, with their parameters.

The operators live in libsofttricks_torch.so. It is looked for under the path in the environment
variable SOFTTRICKS_TORCH_LIBRARY, beside this package, and in build/release of the source tree.
"""

from ._library import registry
from ._perturbation import (
    noise,
    perturb,
    perturbation_kl,
    perturbation_log_prob,
    perturbations,
    transform,
)
from ._structure import Structure, make_classes

structures = make_classes(__name__)
instruction_set = registry["instruction_set"]
globals().update(structures)

__all__ = [
    "Structure",
    "instruction_set",
    "noise",
    "perturb",
    "perturbation_kl",
    "perturbation_log_prob",
    "perturbations",
    "structures",
    "transform",
    *structures,
]
