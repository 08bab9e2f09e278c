"""Structures, relaxations and perturbations for JAX, with gradients.

>>> import jax, jax.numpy as jnp
>>> from softtricks.jax import SpanningTree, perturb
>>> tree = SpanningTree(nodes=10)
>>> def loss(theta, key):
...     utility = perturb("gumbel", theta, key)
...     return jnp.square(tree.relax(utility, temperature=0.5)).sum()
>>> theta = jnp.zeros((32, tree.size))  # 32 instances, 45 edges each
>>> gradient = jax.jit(jax.grad(loss))(theta, jax.random.key(0))
>>> gradient.shape
(32, 45)
>>> print(tree.argmax(theta).sum(-1).max())
9.0

The structures are `structures`, classes by name, also found here by name; their methods are those of
`Structure`. The laws of random utilities are `perturbations`, by name, with their parameters.

Every verb is a custom call of XLA that runs on its threads, without a way back to Python. The handlers
live in libsofttricks_jax.so, found like the other native parts (softtricks/_native.py) unless the
environment variable SOFTTRICKS_JAX_LIBRARY gives a path to another.
"""

from .. import _structure
from .._front import need as _need
from .._perturbation import Perturbations as _Perturbations

_need("jax", "JAX 0.6", "ffi")

import jax as _jax  # noqa: E402

from ._front import front  # noqa: E402
from ._oracle import Oracle  # noqa: E402


def _one_of(key, seed):
    if (key is None) == (seed is None):
        raise TypeError("expected key, a key of jax.random, or seed, an integer: one of the two")
    return seed if key is None else key


class Structure(_structure.Structure):
    __doc__ = f"""{_structure.Structure.__doc__}
    Arrays are JAX's or NumPy's. bfloat16 and float16 are accepted, too: computed in float32, and cast
    back. Every method works under jit, vmap, scan and shard_map, forward and backward mode; a
    structure itself is static: a pytree without leaves, hashable. Lengths or counts out of range are
    found when the call runs, as JAX's runtime error.

    >>> import jax.numpy as jnp
    >>> from softtricks.jax import KSubset
    >>> print(KSubset(items=3, k=2).marginals(jnp.zeros(3)))
    [0.6666667 0.6666667 0.6666667]
    """

    _front = front

    def sample(self, utility, key=None, *, seed=None, offset=0, lengths=None, counts=None):
        """An exact draw from the Gibbs law p(x) ~ exp(u . x), one an instance.

        utility [..., size] -> 0 and 1, [..., size]. No gradient. `key` is a key of jax.random, typed
        or not; or `seed` an integer, which draws what other front ends draw for it. All instances of a
        call are independent draws: instance i (row-major over the leading dimensions) reads random
        stream offset + i. Under jax.vmap each element draws as it would by itself: with a key of its
        own independently of the others, with a common key the same.

        >>> import jax, jax.numpy as jnp
        >>> from softtricks.jax import KSubset
        >>> x = KSubset(items=5, k=2).sample(jnp.zeros((3, 5)), jax.random.key(0))
        >>> print(x.sum(-1))
        [2. 2. 2.]
        """
        return super().sample(
            utility, seed=_one_of(key, seed), offset=offset, lengths=lengths, counts=counts
        )


class _Laws(_Perturbations):
    def perturb(self, perturbation, theta, key=None, *, seed=None, offset=0, **parameters):
        """Random utilities of the law with parameters theta, which they follow differentiably (once).

        theta [..., size] -> the same shape and type; every entry is drawn independently. `key`, `seed`
        and `offset` are as in `Structure.sample`.

        perturbation  one of `perturbations`, which also tells the law's own parameters and their
                      defaults; theta is the law's location, the logarithm of its rate for
                      "exponential", and for "negative_exponential" softplus(theta) is minus its mean

        >>> import jax, jax.numpy as jnp
        >>> from softtricks.jax import perturb
        >>> perturb("normal", jnp.zeros((2, 3)), jax.random.key(0), scale=0.1).shape
        (2, 3)
        """
        seed = _one_of(key, seed)
        return super().perturb(perturbation, theta, seed=seed, offset=offset, **parameters)

    def noise(self, perturbation, theta, key=None, *, seed=None, offset=0, **parameters):
        """The part of a draw that theta does not enter: what `perturb` of the same key or seed puts
        into `transform`. Several calls may share it.

        Of theta only shape and type are read. No gradient.
        """
        seed = _one_of(key, seed)
        return super().noise(perturbation, theta, seed=seed, offset=offset, **parameters)


_laws = _Laws(front)
perturbations = front.perturbations
noise = _laws.noise
perturb = _laws.perturb
perturbation_kl = _laws.perturbation_kl
perturbation_log_prob = _laws.perturbation_log_prob
transform = _laws.transform

structures = _structure.make_classes(Structure, __name__)
for _class in structures.values():
    _jax.tree_util.register_static(_class)
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
