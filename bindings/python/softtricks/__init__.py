"""Differentiable sampling and optimisation over combinatorial structures.

``softtricks.torch`` is the front end for PyTorch.
"""

__version__ = "0.1.0"
