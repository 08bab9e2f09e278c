"""Random utilities: draws, densities and divergences of perturbation laws, entry by entry.

The laws' own parameters are named arguments, numbers: perturb("normal", theta, seed=0, scale=2.0).
"""


class Perturbations:
    """The functions of a front end; it offers them as its module's own."""

    def __init__(self, front):
        self._front = front

    def perturb(self, perturbation, theta, *, seed, offset=0, **parameters):
        """Random utilities of the law with parameters theta, which they follow differentiably (once).

        theta [..., size] -> the same shape and type; every entry is drawn independently. Row i
        (row-major over the leading dimensions) reads random stream offset + i of the seed, so that a
        draw depends neither on the batch it is part of nor on the number of threads.

        perturbation  one of `perturbations`, which also tells the law's own parameters and their
                      defaults; theta is the law's location, the logarithm of its rate for
                      "exponential", and for "negative_exponential" softplus(theta) is minus its mean
        seed, offset  integers

        >>> utility = softtricks.perturb("normal", numpy.zeros((2, 3)), seed=0, scale=2.0)
        >>> last = softtricks.perturb("normal", numpy.zeros(3), seed=0, offset=1, scale=2.0)
        >>> utility.shape, bool((utility[1] == last).all())
        ((2, 3), True)
        """
        return self._draw("perturb", perturbation, theta, seed, offset, parameters)

    def noise(self, perturbation, theta, *, seed, offset=0, **parameters):
        """The part of a draw that theta does not enter: what `perturb` of the same seed puts into
        `transform`. Several calls may share it.

        Of theta only shape, type and device are read. No gradient.

        >>> softtricks.noise("gumbel", numpy.zeros(3, numpy.float32), seed=0).dtype
        dtype('float32')
        """
        return self._draw("noise", perturbation, theta, seed, offset, parameters, constant=True)

    def transform(self, perturbation, theta, noise, **parameters):
        """Random utilities from theta and noise: perturb(law, theta, seed=s) is
        transform(law, theta, noise(law, theta, seed=s)), bit for bit.

        theta and noise broadcast against each other. Differentiable once in both.

        >>> softtricks.transform("gumbel", [1.0, 2.0], [0.5, 0.5])
        array([1.5, 2.5])
        """
        return self._pair("transform", perturbation, theta, "noise", noise, parameters)

    def perturbation_log_prob(self, perturbation, theta, value, **parameters):
        """log density of each entry of `value` under the law with parameters theta.

        theta and value broadcast against each other; the result has their common shape, entry by
        entry: sum it for the density of a vector. Differentiable once in both.

        >>> softtricks.perturbation_log_prob("gumbel", [0.0], [0.0])
        array([-1.])
        """
        return self._pair("perturbation_log_prob", perturbation, theta, "value", value, parameters)

    def perturbation_kl(self, perturbation, theta, theta0, **parameters):
        """KL divergence of the law with parameters theta from the one with theta0, entry by entry.

        theta and theta0 broadcast against each other. Differentiable once in both.

        >>> softtricks.perturbation_kl("normal", [0.0], [2.0])
        array([2.])
        """
        return self._pair("perturbation_kl", perturbation, theta, "theta0", theta0, parameters)

    def _draw(self, verb, perturbation, theta, seed, offset, parameters, constant=False):
        front = self._front
        theta = front.array("theta", theta)
        stream = (front.seed(seed), front.integer("offset", offset))
        theta = front.constant(theta) if constant else theta
        return front.call(verb, theta, *stream, *self._law(perturbation, parameters))

    def _pair(self, verb, perturbation, theta, name, other, parameters):
        front = self._front
        theta, given = front.array("theta", theta), front.array(name, other)
        other = front.like(name, given, "theta", theta)
        if given.dtype != theta.dtype:
            raise ValueError(f"{name}: expected the type of theta, {theta.dtype}, not {given.dtype}")
        pair = front.broadcast_named(name, theta, other)
        return front.call(verb, *pair, *self._law(perturbation, parameters))

    def _check(self, perturbation, given):
        """Fails unless there is such a law, and it has parameters of the names given; the defaults of
        all it has."""
        laws = self._front.perturbations
        if perturbation not in laws:
            raise ValueError(f"perturbation: {perturbation!r} is not one of {', '.join(laws)}")
        for name in given:
            if name not in laws[perturbation]:
                accepted = ", ".join(laws[perturbation]) or "none"
                raise TypeError(
                    f"{name}: not a parameter of {perturbation!r}; accepted: {accepted}"
                )
        return laws[perturbation]

    def _law(self, perturbation, given):
        """What operators call a law: its name, and all its parameters in order."""
        defaults = self._check(perturbation, given)
        values = [
            self._front.number(name, given.get(name, default)) for name, default in defaults.items()
        ]
        return perturbation, values
