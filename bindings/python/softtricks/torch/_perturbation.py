"""Random utilities: draws, densities and divergences of perturbation laws, entry by entry.

The laws' own parameters are named arguments, numbers: perturb("normal", theta, seed=0, scale=2.0).
"""

from ._library import registry
from ._structure import broadcast, call, check_device, check_floating, check_number, number

perturbations = {law["name"]: law["parameters"] for law in registry["perturbations"]}


def perturb(perturbation, theta, *, seed, offset=0, **parameters):
    """Random utilities of the law with parameters theta, which they follow differentiably (once).

    theta [..., size] -> the same shape and type; every entry is drawn independently. Row i
    (row-major over the leading dimensions) reads random stream offset + i of the seed, so that a
    draw depends neither on the batch it is part of nor on the number of threads.

    perturbation  one of `perturbations`, which also tells the law's own parameters and their
                  defaults; theta is the law's location, the logarithm of its rate for
                  "exponential", and for "negative_exponential" softplus(theta) is minus its mean
    seed, offset  integers
    """
    check_floating("theta", theta)
    seed, offset = check_number("seed", seed), check_number("offset", offset)
    return call("perturb", theta, seed, offset, *_law(perturbation, parameters))


def noise(perturbation, theta, *, seed, offset=0, **parameters):
    """The part of a draw that theta does not enter: what `perturb` of the same seed puts into
    `transform`. Several calls may share it.

    Of theta only shape, type and device are read. No gradient.
    """
    check_floating("theta", theta)
    seed, offset = check_number("seed", seed), check_number("offset", offset)
    return call("noise", theta.detach(), seed, offset, *_law(perturbation, parameters))


def transform(perturbation, theta, noise, **parameters):
    """Random utilities from theta and noise: perturb(law, theta, seed=s) is
    transform(law, theta, noise(law, theta, seed=s)), bit for bit.

    theta and noise broadcast against each other. Differentiable once in both.
    """
    theta, noise = _pair(theta, "noise", noise)
    return call("transform", theta, noise, *_law(perturbation, parameters))


def perturbation_log_prob(perturbation, theta, value, **parameters):
    """log density of each entry of `value` under the law with parameters theta.

    theta and value broadcast against each other; the result has their common shape, entry by entry:
    sum it for the density of a vector. Differentiable once in both.
    """
    theta, value = _pair(theta, "value", value)
    return call("perturbation_log_prob", theta, value, *_law(perturbation, parameters))


def perturbation_kl(perturbation, theta, theta0, **parameters):
    """KL divergence of the law with parameters theta from the one with theta0, entry by entry.

    theta and theta0 broadcast against each other. Differentiable once in both.
    """
    theta, theta0 = _pair(theta, "theta0", theta0)
    return call("perturbation_kl", theta, theta0, *_law(perturbation, parameters))


def _law(perturbation, given):
    """What operators call a law: its name, and all its parameters in order."""
    defaults = perturbations.get(perturbation, {})
    for name in given:
        if name not in defaults and perturbation in perturbations:
            accepted = ", ".join(defaults) or "none"
            raise TypeError(f"{name}: not a parameter of {perturbation!r}; accepted: {accepted}")
    values = [number(name, given.get(name, default)) for name, default in defaults.items()]
    return perturbation, values


def _pair(theta, name, other):
    check_floating("theta", theta)
    check_floating(name, other)
    check_device(name, other, "theta", theta)
    if other.dtype != theta.dtype:
        raise ValueError(f"{name}: expected the type of theta, {theta.dtype}, not {other.dtype}")
    return broadcast(name, theta, other)
