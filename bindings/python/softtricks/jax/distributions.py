"""Laws over structures as NumPyro distributions (importing this module needs NumPyro).

    Gibbs(structure, utility)                        p(x) ~ exp(u . x), exactly
    Relaxed(structure, temperature, theta)           soft samples, reparameterised; no log_prob
    StraightThrough(structure, temperature, theta)   hard samples with the gradient of soft ones

Leading dimensions of the utilities are the batch shape, the last one is the event shape.

>>> import jax, jax.numpy as jnp
>>> from softtricks.jax import KSubset
>>> from softtricks.jax.distributions import Gibbs
>>> law = Gibbs(KSubset(items=5, k=2), jnp.zeros((3, 5)))
>>> law.batch_shape, law.event_shape
((3,), (5,))
>>> x = law.sample(jax.random.key(0), (7,))
>>> x.shape, law.log_prob(x).shape
((7, 3, 5), (7, 3))
"""

import jax.numpy as jnp
from numpyro.distributions import Distribution, constraints
from numpyro.distributions.kl import kl_divergence
from numpyro.distributions.util import validate_sample

from .._enumerate import members
from .._estimators.common import with_gradient_of
from . import perturb
from .estimators import _framework

_MOST_ENTRIES = 16  # of structures whose members are enumerated: there can't be too many


class Member(constraints.Constraint):
    """Is a vector a member of the structure? Only a member x is the best one for utilities 2 x - 1."""

    event_dim = 1
    is_discrete = True

    def __init__(self, structure):
        self.structure = structure

    def __call__(self, x):
        x = jnp.asarray(x)
        x = x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(float)
        return (self.structure.argmax(2 * x - 1) == x).all(-1)

    def __repr__(self):
        return f"Member({self.structure})"

    def feasible_like(self, prototype):
        return self.structure.argmax(jnp.zeros_like(prototype))

    def eq(self, other, static=False):
        return isinstance(other, Member) and self.structure == other.structure

    def tree_flatten(self):
        return (), ((), {"structure": self.structure})


class Gibbs(Distribution):
    """The Gibbs law p(x) ~ exp(u . x) over a structure's members, exactly.

    utility [*batch_shape, size]. Samples carry no gradient (there is no `rsample` in NumPyro:
    `reparametrized_params` is empty); log_prob and entropy do. A structure that can't be summed over
    (large matchings) says so as ValueError.
    """

    arg_constraints = {"utility": constraints.real_vector}
    reparametrized_params = []
    pytree_data_fields = ("utility",)
    pytree_aux_fields = ("structure",)

    def __init__(self, structure, utility, *, validate_args=None):
        self.structure, self.utility = structure, jnp.asarray(utility)
        shape = self.utility.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def support(self):
        return Member(self.structure)

    @property
    def has_enumerate_support(self):
        return self.structure.size <= _MOST_ENTRIES

    def sample(self, key, sample_shape=()):
        shape = (*sample_shape, *self.batch_shape, *self.event_shape)
        return self.structure.sample(jnp.broadcast_to(self.utility, shape), key)

    @validate_sample
    def log_prob(self, value):
        return self.structure.log_prob(self.utility, value)

    def entropy(self):
        return self.structure.entropy(self.utility)

    @property
    def mean(self):
        return self.structure.marginals(self.utility)

    @property
    def variance(self):
        return self.mean * (1 - self.mean)

    @property
    def mode(self):
        return self.structure.argmax(self.utility)

    def enumerate_support(self, expand=True):
        """All members, [count, *batch_shape, size], of structures with at most 16 entries."""
        if not self.has_enumerate_support:
            raise NotImplementedError(
                f"enumerate_support: offered for at most {_MOST_ENTRIES} entries, "
                f"{self.structure} has {self.structure.size}"
            )
        support = jnp.asarray(members(self.structure), self.utility.dtype)
        count, size = support.shape
        support = support.reshape(count, *[1] * len(self.batch_shape), size)
        return jnp.broadcast_to(support, (count, *self.batch_shape, size)) if expand else support


@kl_divergence.register(Gibbs, Gibbs)
def _(p, q):
    if p.structure != q.structure:
        raise ValueError(f"kl_divergence: expected one structure, not {p.structure}, {q.structure}")
    return p.structure.kl(p.utility, q.utility)


class Relaxed(Distribution):
    """Soft samples: structure.relax(perturb(perturbation, theta), temperature, regularizer).

    theta [*batch_shape, size]; temperature as for `relax`; further named arguments are the
    perturbation's parameters. Gradients reach theta and an array temperature. The density is not
    offered: in a model, use `.mask(False)` and account for the perturbation (`perturbation_kl`).
    """

    arg_constraints = {"theta": constraints.real_vector}
    support = constraints.independent(constraints.unit_interval, 1)
    reparametrized_params = ["theta", "temperature"]
    pytree_data_fields = ("theta", "temperature")
    pytree_aux_fields = ("structure", "perturbation", "regularizer", "parameters")

    def __init__(
        self,
        structure,
        temperature,
        theta,
        *,
        perturbation="gumbel",
        regularizer="gibbs_entropy",
        validate_args=None,
        **parameters,
    ):
        self.structure, self.temperature, self.theta = structure, temperature, jnp.asarray(theta)
        self.perturbation, self.regularizer = perturbation, regularizer
        self.parameters = tuple(sorted(parameters.items()))
        shape = self.theta.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def utility(self, key, sample_shape=()):
        """The random utilities of which `sample` with the same key is made."""
        shape = (*sample_shape, *self.batch_shape, *self.event_shape)
        theta = jnp.broadcast_to(self.theta, shape)
        return perturb(self.perturbation, theta, key, **dict(self.parameters))

    def _soft(self, utility):
        return self.structure.relax(utility, self.temperature, self.regularizer)

    def sample(self, key, sample_shape=()):
        return self._soft(self.utility(key, sample_shape))

    def log_prob(self, value):
        raise NotImplementedError(
            "log_prob: relaxed samples have no density in closed form; use .mask(False) in a model"
        )


class StraightThrough(Relaxed):
    """Members, argmax of the random utilities, whose gradient is that of the soft sample."""

    @property
    def support(self):
        return Member(self.structure)

    def sample(self, key, sample_shape=()):
        utility = self.utility(key, sample_shape)
        soft = self._soft(utility)
        return with_gradient_of(_framework, self.structure.argmax(utility), soft)
