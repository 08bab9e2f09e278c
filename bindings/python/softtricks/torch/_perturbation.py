"""Random utilities: draws, densities and divergences of perturbation laws, entry by entry."""

from ._library import registry
from ._structure import broadcast, call, check_device, check_floating, check_number

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
    theta, value = _pair(theta, "value", value)
    return call("perturbation_log_prob", theta, value, perturbation)


def perturbation_kl(perturbation, theta, theta0):
    """KL divergence of the law with parameters theta from the one with theta0, entry by entry.

    theta and theta0 broadcast against each other. Differentiable once in both.
    """
    theta, theta0 = _pair(theta, "theta0", theta0)
    return call("perturbation_kl", theta, theta0, perturbation)


def _pair(theta, name, other):
    check_floating("theta", theta)
    check_floating(name, other)
    check_device(name, other, "theta", theta)
    if other.dtype != theta.dtype:
        raise ValueError(f"{name}: expected the type of theta, {theta.dtype}, not {other.dtype}")
    return broadcast(name, theta, other)
