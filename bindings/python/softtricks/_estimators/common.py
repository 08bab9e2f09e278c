"""What estimators share: the hooks of a framework, the noise, and checks of arguments."""

import math
import operator

from .._perturbation import Perturbations
from .baselines import Baseline

INFINITY = math.inf


class Framework:
    """What the functions below need of a framework. A front end adds where(condition, a, b), log(x),
    softplus(x), and:

    zeros(like, shape)   of the type of `like`
    log_of_sum(x)        log of the sum of exp(x) over the last dimension, which stays as 1
    pull_back(value, wrt, pull, saved)
                         value, whose gradients by the tuple wrt are pull(g, *saved); these can be
                         differentiated by `saved`
    """

    def __init__(self, front):
        self.stop, self.broadcast = front.constant, front.expand
        self.laws = Perturbations(front)

    # A stream is a seed, or a pair (seed, offset): see `another`.
    def perturb(self, law, theta, seed, parameters):
        return self.laws.perturb(law, theta, **_stream(seed), **parameters)

    def noise(self, law, theta, seed, parameters):
        return self.laws.noise(law, theta, **_stream(seed), **parameters)

    def sample(self, structure, theta, seed, instances):
        return structure.sample(theta, **_stream(seed), **instances)

    def log_prob(self, law, theta, value, parameters):
        return self.laws.perturbation_log_prob(law, theta, value, **parameters)

    def another(self, seed, rows):
        """A stream independent of the seed's leading `rows` rows."""
        return seed, rows


def _stream(seed):
    seed, offset = seed if isinstance(seed, tuple) else (seed, 0)
    return {"seed": seed, "offset": offset}


def with_gradient_of(f, value, differentiable):
    """value, exactly, with the gradient of the other, which broadcasts to its shape."""
    return f.stop(value) + (differentiable - f.stop(differentiable))


def leading(f, theta, samples):
    if samples is None:
        return theta
    return f.broadcast(theta, (positive("samples", samples), *theta.shape))


def perturbed(f, theta, samples, seed, perturbation, parameters):
    return f.perturb(perturbation, leading(f, theta, samples), seed, parameters)


def instances(lengths, counts):
    """What verbs are told of instances that differ: structures of the user's know nothing of it."""
    given = {"lengths": lengths, "counts": counts}
    return {name: value for name, value in given.items() if value is not None}


def positive(name, value):
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, not {value!r}") from None
    if number < 1:
        raise ValueError(f"{name}: expected at least 1, not {value}")
    return number


def chosen_baseline(given, default, samples):
    baseline = default if given is None else given
    if not isinstance(baseline, Baseline):
        raise TypeError(f"baseline: expected one such as LeaveOneOut(), not {given!r}")
    if samples < baseline.least_samples:
        raise ValueError(f"samples: {baseline!r} needs at least {baseline.least_samples}")
    return baseline


def rows(theta):
    return math.prod(theta.shape[:-1])


def finite(f, utility):
    return f.where(utility == -INFINITY, 0.0, utility)


def dot(f, utility, x):
    """u.x, where an excluded entry counts only if x holds it."""
    return (f.where(x == 0, 0.0, utility) * x).sum(-1)


def log_density(f, perturbation, theta, utility, parameters):
    """log p(utility; theta), [...]; an excluded entry has none."""
    excluded = utility == -INFINITY
    theta, utility = (f.where(excluded, 0.0, x) for x in (theta, utility))
    entries = f.log_prob(perturbation, theta, utility, parameters)
    return f.where(excluded, 0.0, entries).sum(-1)
