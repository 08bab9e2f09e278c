# Written by scripts/make_stubs.py.
from collections.abc import Sequence
from typing import Any, TypeAlias

from jax import Array
from numpy.typing import ArrayLike as NumpyLike

ArrayLike: TypeAlias = Array | NumpyLike
Integers: TypeAlias = Array | NumpyLike
Seed: TypeAlias = int | None

from ._oracle import Oracle as Oracle
from . import estimators as estimators

structures: dict[str, type[Structure]]
perturbations: dict[str, dict[str, float]]
instruction_set: str

class Structure:
    name: str
    fields: tuple[str, ...]
    verbs: tuple[str, ...]
    regularizers: tuple[str, ...]
    shape: tuple[int, ...]
    size: int
    def __init__(self, *fields: int, **named: int) -> None: ...
    def active_set(self, utility: ArrayLike, temperature: float | ArrayLike, count: int, regularizer: str = 'squared_norm', utility_range: float | None = None, *, lengths: Integers | None = None, counts: Integers | None = None) -> tuple[Array, Array]: ...
    def argmax(self, utility: ArrayLike, *, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...
    def cross_entropy(self, utility: ArrayLike, other: ArrayLike, *, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...
    def entropy(self, utility: ArrayLike, *, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...
    def k_best(self, utility: ArrayLike, count: int, *, lengths: Integers | None = None, counts: Integers | None = None) -> tuple[Array, Array]: ...
    def kl(self, utility: ArrayLike, other: ArrayLike, *, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...
    def log_partition(self, utility: ArrayLike, *, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...
    def log_prob(self, utility: ArrayLike, x: ArrayLike, *, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...
    def marginals(self, utility: ArrayLike, *, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...
    def relax(self, utility: ArrayLike, temperature: float | ArrayLike, regularizer: str = 'gibbs_entropy', utility_range: float | None = None, *, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...
    def sample(self, utility: ArrayLike, key: Array | None = None, *, seed: Seed = None, offset: int = 0, lengths: Integers | None = None, counts: Integers | None = None) -> Array: ...

class Arborescence(Structure):
    nodes: int
    root: int
    single_root: int
    def __init__(self, nodes: int, root: int = 0, single_root: int = 0) -> None: ...

class BitVector(Structure):
    bits: int
    def __init__(self, bits: int) -> None: ...

class CorrelatedKSubset(Structure):
    items: int
    k: int
    def __init__(self, items: int, k: int) -> None: ...

class DagPath(Structure):
    nodes: int
    def __init__(self, nodes: int) -> None: ...

class GridPath(Structure):
    rows: int
    columns: int
    def __init__(self, rows: int, columns: int) -> None: ...

class KSubset(Structure):
    items: int
    k: int
    def __init__(self, items: int, k: int) -> None: ...

class LinearChain(Structure):
    length: int
    states: int
    def __init__(self, length: int, states: int) -> None: ...

class Matching(Structure):
    pairs: int
    def __init__(self, pairs: int) -> None: ...

class OneHot(Structure):
    categories: int
    def __init__(self, categories: int) -> None: ...

class ProjectiveTree(Structure):
    nodes: int
    single_root: int
    def __init__(self, nodes: int, single_root: int = 0) -> None: ...

class RangeSubset(Structure):
    items: int
    least: int
    most: int
    def __init__(self, items: int, least: int, most: int) -> None: ...

class SpanningTree(Structure):
    nodes: int
    def __init__(self, nodes: int) -> None: ...

def noise(perturbation: str, theta: ArrayLike, key: Array | None = None, *, seed: Seed = None, offset: int = 0, **parameters: float) -> Array: ...
def perturb(perturbation: str, theta: ArrayLike, key: Array | None = None, *, seed: Seed = None, offset: int = 0, **parameters: float) -> Array: ...
def perturbation_kl(perturbation: str, theta: ArrayLike, theta0: ArrayLike, **parameters: float) -> Array: ...
def perturbation_log_prob(perturbation: str, theta: ArrayLike, value: ArrayLike, **parameters: float) -> Array: ...
def transform(perturbation: str, theta: ArrayLike, noise: ArrayLike, **parameters: float) -> Array: ...
