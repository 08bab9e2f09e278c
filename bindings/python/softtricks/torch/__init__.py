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

The operators live in libsofttricks_torch.so, found like the other native parts (softtricks/_native.py)
unless the environment variable SOFTTRICKS_TORCH_LIBRARY gives a path to another.
"""

from .. import _structure
from .._front import need as _need
from .._perturbation import Perturbations as _Perturbations

_need("torch", "PyTorch 2.10")

from ._front import front  # noqa: E402
from ._oracle import Oracle  # noqa: E402


class Structure(_structure.Structure):
    __doc__ = f"""{_structure.Structure.__doc__}
    Arrays are tensors. Half precision (float16, bfloat16) is computed in float32 and comes out as
    float32, under autocast and without it; its gradients are half again. Tensors of other devices than
    the CPU are solved on the CPU and sent back. Every method works under
    `torch.compile(fullgraph=True)`, also with a dynamic batch, and under `torch.func` (vmap, grad, jvp,
    jacrev, jacfwd, hessian). What can be differentiated in reverse can be in forward mode too.
    """

    _front = front


_laws = _Perturbations(front)
perturbations = front.perturbations
noise = _laws.noise
perturb = _laws.perturb
perturbation_kl = _laws.perturbation_kl
perturbation_log_prob = _laws.perturbation_log_prob
transform = _laws.transform

structures = _structure.make_classes(Structure, __name__)
instruction_set = front.registry["instruction_set"]
globals().update(structures)

from . import estimators  # noqa: E402, they know the structures

__all__ = [
    "Oracle",
    "Structure",
    "estimators",
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
