"""A row of the comparison: one piece of work and everybody who does it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

Run = Callable[[], object]  # does the work once on prepared arrays, and hands back the result


def _unchanged(part):
    return part


@dataclass(frozen=True)
class Contender:
    """One way to do the work. `both` is the forward and the backward pass together."""

    name: str
    forward: Run
    both: Run | None = None
    threads: int | None = None  # the most it can use; None: any number
    instances: int | None = None  # is slow and does the first so many only; None: all
    reading: Callable = _unchanged  # of its result, and of its gradient, in our layout
    comparable: bool = True  # False: solves another problem of the same size


@dataclass(frozen=True)
class Raw:
    """The same work by softtricks' C++ library alone: what its program softtricks-bench is asked."""

    request: dict
    utility: torch.Tensor
    cotangent: torch.Tensor
    forward: list[str]  # verbs
    both: list[str] | None = None
    others: dict[str, torch.Tensor] = field(default_factory=dict)  # "member", "other"


@dataclass(frozen=True)
class Target:
    """How many times faster than the best of those whose name begins with `rivals` ("": of all) we
    want to be; `both` is for forward and backward together, None where no target is set."""

    rivals: str
    forward: float
    both: float | None = None


@dataclass(frozen=True)
class Work:
    name: str
    batch: int
    ours: Contender
    raw: Raw
    rivals: list[Contender | None]  # None: not installed, see optional.py
    targets: list[Target]
    tolerance: float | None = 0.01  # between our result and a rival's; None: results are random
    note: str = ""
