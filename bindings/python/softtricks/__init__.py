"""Differentiable sampling and optimisation over combinatorial structures, on NumPy arrays.

>>> import numpy
>>> import softtricks
>>> tree = softtricks.SpanningTree(nodes=10)
>>> theta = numpy.zeros((32, tree.size))  # 32 instances, 45 edges each
>>> utility = softtricks.perturb("gumbel", theta, seed=0)
>>> hard = tree.argmax(utility)  # 32 trees, as 0 and 1
>>> soft = tree.relax(utility, temperature=0.5)  # the same trees, softened
>>> gradient = tree.relax_vjp(utility, soft, 2 * soft, temperature=0.5)  # of the sum of soft ** 2
>>> float(hard.sum(-1).max())
9.0

The structures are `structures`, classes by name, also found here by name; their methods are those of
`Structure`. The laws of random utilities are `perturbations`, by name, with their parameters.
``softtricks.torch`` and ``softtricks.jax`` are the same for those frameworks, with gradients.
"""

from . import _structure
from ._native import core as _core
from ._numpy import Structure, front, get_num_threads, laws, set_num_threads
from ._oracle import Oracle

__version__ = _core.version
perturbations = front.perturbations
noise = laws.noise
perturb = laws.perturb
perturb_vjp = laws.perturb_vjp
perturbation_kl = laws.perturbation_kl
perturbation_kl_vjp = laws.perturbation_kl_vjp
perturbation_log_prob = laws.perturbation_log_prob
perturbation_log_prob_vjp = laws.perturbation_log_prob_vjp
transform = laws.transform
transform_vjp = laws.transform_vjp

structures = _structure.make_classes(Structure, __name__)
instruction_set = front.registry["instruction_set"]
globals().update(structures)

__all__ = [
    "Oracle",
    "Structure",
    "get_num_threads",
    "instruction_set",
    "noise",
    "perturb",
    "perturb_vjp",
    "perturbation_kl",
    "perturbation_kl_vjp",
    "perturbation_log_prob",
    "perturbation_log_prob_vjp",
    "perturbations",
    "set_num_threads",
    "structures",
    "transform",
    "transform_vjp",
    *structures,
]
