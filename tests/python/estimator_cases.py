"""Problems small enough to enumerate, and exact gradients of E[loss(X)], for tests of estimators in
any framework. NumPy alone."""

import itertools

import numpy


def one_hot_law(theta, scale=1.0):
    """P(X = each member) for Gumbel utilities: a softmax; members [3, 3]."""
    weights = numpy.exp(theta / scale - (theta / scale).max())
    return weights / weights.sum()


def bits_law(theta):
    """For logistic utilities, in the order of BITS."""
    p = 1 / (1 + numpy.exp(-theta))
    return numpy.prod(numpy.where(BITS == 1, p, 1 - p), -1)


def best_pair_law(theta):
    """For Gumbel utilities: two draws without replacement; in the order of PAIRS."""
    w = numpy.exp(theta)
    total = w.sum()
    chance = lambda i, j: w[i] / total * w[j] / (total - w[i])  # noqa: E731
    return numpy.array([chance(i, j) + chance(j, i) for i, j in PLACES])


def gibbs_law(members):
    def law(theta):
        weights = numpy.exp(members @ theta)
        return weights / weights.sum()

    return law


BITS = numpy.array(list(itertools.product([0.0, 1.0], repeat=3)))
PLACES = list(itertools.combinations(range(4), 2))
PAIRS = numpy.array([[float(e in pair) for e in range(4)] for pair in PLACES])
UNITS = numpy.eye(3)

THETA = {3: numpy.array([0.3, -0.4, 0.1]), 4: numpy.array([0.3, -0.4, 0.6, 0.0])}
LINEAR = {3: numpy.array([0.7, -0.5, 1.1]), 4: numpy.array([0.7, -0.5, 1.1, 0.2])}
PULL = {3: numpy.array([1.0, -2.0, 0.5]), 4: numpy.array([1.0, -2.0, 0.5, 1.0])}


def loss(x, quadratic=0.0):
    """LINEAR.x + quadratic (PULL.x)^2, for arrays of any framework."""
    size = x.shape[-1]
    linear = sum(float(LINEAR[size][e]) * x[..., e] for e in range(size))
    along = sum(float(PULL[size][e]) * x[..., e] for e in range(size))
    return linear + quadratic * along * along


def slopes(function, theta, h=1e-5):
    """Central differences."""
    steps = numpy.eye(len(theta)) * h
    return numpy.array([(function(theta + s) - function(theta - s)) / (2 * h) for s in steps])


def exact_gradient(members, law, theta, quadratic=0.0):
    """Of E[loss(X)]."""
    return slopes(lambda t: law(t) @ loss(members, quadratic), theta)


def gradient_at_mean(members, law, theta, quadratic=0.0):
    """Of loss(E[X])."""
    return slopes(lambda t: loss(law(t) @ members, quadratic), theta)


def expect_mean(draws, expected, deviations=4.5):
    """t-test, entry by entry: the mean of draws [n, ...] is `expected`."""
    draws = numpy.asarray(draws, dtype=numpy.float64)
    error = draws.std(0, ddof=1) / len(draws) ** 0.5
    off = numpy.abs(draws.mean(0) - expected)
    assert (off <= deviations * error + 1e-6).all(), (draws.mean(0), expected, off / error)


def far_from(draws, other, deviations=10):
    """Could the test above have failed? The mean is clearly not `other`."""
    draws = numpy.asarray(draws, dtype=numpy.float64)
    error = draws.std(0, ddof=1) / len(draws) ** 0.5
    assert (numpy.abs(draws.mean(0) - other) / error).max() > deviations
