"""Random utilities: draws, densities and divergences of perturbation laws, entry by entry."""

from ._library import registry
from ._structure import _broadcast, call, check_floating, check_number

perturbations = tuple(registry["perturbations"])


def perturb(perturbation, theta, *, seed, offset=0):
    """Random utilities of the law with parameters theta, which they follow differentiably (once).

    theta [..., size] -> the same shape and type; every entry is drawn independently. Row i
    (row-major over the leading dimensions) reads random stream offset + i of the seed, so that a
    draw depends neither on the batch it is part of nor on the number of threads.

    perturbation  one of `perturbations`; theta is the law's location, or the logarithm of its rate
                  for "exponential"
    seed, offset  integers
    """
    check_floating("theta", theta)
    seed, offset = check_number("seed", seed), check_number("offset", offset)
    return call("perturb", theta, seed, offset, perturbation)


def perturbation_log_prob(perturbation, theta, value):
    """log density of each entry of `value` under the law with parameters theta.

    theta and value broadcast against each other; the result has their common shape, entry by entry:
    sum it for the density of a vector. Differentiable once in both.
    """
    check_floating("theta", theta)
    check_floating("value", value)
    theta, value = _broadcast("value", theta, value)
    return call("perturbation_log_prob", theta, value, perturbation)


def perturbation_kl(perturbation, theta, theta0):
    """KL divergence of the law with parameters theta from the one with theta0, entry by entry.

    theta and theta0 broadcast against each other. Differentiable once in both.
    """
    check_floating("theta", theta)
    check_floating("theta0", theta0)
    theta, theta0 = _broadcast("theta0", theta, theta0)
    return call("perturbation_kl", theta, theta0, perturbation)
