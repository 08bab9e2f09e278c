"""The Gibbs law over a structure as a distrax distribution (importing this module needs distrax).

>>> import jax, jax.numpy as jnp
>>> from softtricks.jax import KSubset
>>> from softtricks.jax.distrax import Gibbs
>>> law = Gibbs(KSubset(items=5, k=2), jnp.zeros((3, 5)))
>>> x, log_prob = law.sample_and_log_prob(seed=jax.random.key(0), sample_shape=(7,))
>>> x.shape, log_prob.shape
((7, 3, 5), (7, 3))
"""

import jax.numpy as jnp
from distrax import Distribution
from tensorflow_probability.substrates.jax.distributions import RegisterKL


class Gibbs(Distribution):
    """The Gibbs law p(x) ~ exp(u . x) over a structure's members, exactly.

    utility [*batch_shape, size]. Samples carry no gradient; all else but the mode does. log_prob of
    what is no member is -inf.
    """

    def __init__(self, structure, utility):
        super().__init__()
        self.structure, self.utility = structure, jnp.asarray(utility)

    @property
    def event_shape(self):
        return self.utility.shape[-1:]

    @property
    def batch_shape(self):
        return self.utility.shape[:-1]

    @property
    def dtype(self):
        return self.utility.dtype

    def _sample_n(self, key, n):
        return self.structure.sample(jnp.broadcast_to(self.utility, (n, *self.utility.shape)), key)

    def log_prob(self, value):
        return self.structure.log_prob(self.utility, value)

    def entropy(self):
        return self.structure.entropy(self.utility)

    def mean(self):
        return self.structure.marginals(self.utility)

    def variance(self):
        mean = self.mean()
        return mean * (1 - mean)

    def mode(self):
        return self.structure.argmax(self.utility)


@RegisterKL(Gibbs, Gibbs)
def _kl(p, q, name=None):
    if p.structure != q.structure:
        raise ValueError(f"kl_divergence: expected one structure, not {p.structure}, {q.structure}")
    return p.structure.kl(p.utility, q.utility)
