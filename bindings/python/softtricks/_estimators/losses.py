"""Estimators that take the loss as a function, or a target in place of one."""

from .baselines import LeaveOneOut, NoBaseline
from .common import (
    chosen_baseline,
    dot,
    instances,
    leading,
    log_density,
    perturbed,
    positive,
)


def score_function(
    f,
    structure,
    theta,
    loss,
    *,
    seed,
    perturbation="gumbel",
    samples=1,
    baseline=None,
    lengths=None,
    counts=None,
    **parameters,
):
    """The mean loss of hard samples, whose gradient by theta is the mean of
    (loss - baseline) grad log p: REINFORCE. The loss may be a black box.

    theta [..., size], loss: members [samples, ..., size] -> [samples, ...]; the result is [...].
    The loss's own parameters get their gradient, too.

    perturbation  p is the law of the utilities; None: the Gibbs law p(x) ~ exp(theta.x), X an exact
                  sample, for structures that have `sample` and `log_prob`.
    baseline      NoBaseline(), BatchMean(), LeaveOneOut(), MovingAverage() or Learned(prediction).
                  None is NoBaseline() for one sample, LeaveOneOut() for more.
    Estimates     the gradient of E[loss(X)].
    Scale         1, but 1 - 1/samples with BatchMean.
    Bias          none else.
    Cost          an argmax and a loss a sample; with the Gibbs law a sample and a log_prob.
    Limits        entries behind an instance's end get noise of mean 0.
    Source        [Williams 1992; baselines: Mnih and Gregor 2014, Kool et al. 2019]

    >>> value = score_function(tree, theta, lambda x: x[..., 0], seed=seed, samples=4)
    >>> tuple(value.shape)
    (2,)
    """
    baseline = chosen_baseline(baseline, NoBaseline() if samples == 1 else LeaveOneOut(), samples)
    given = instances(lengths, counts)
    theta = leading(f, theta, positive("samples", samples))
    if perturbation is None:
        if parameters:
            raise TypeError(f"{next(iter(parameters))}: not a parameter of the Gibbs law")
        members = f.sample(structure, f.stop(theta), seed, given)
        score = structure.log_prob(theta, members, **given)
    else:
        utility = f.stop(f.perturb(perturbation, theta, seed, parameters))
        members = structure.argmax(utility, **given)
        score = log_density(f, perturbation, theta, utility, parameters)
    losses = loss(members)
    if tuple(losses.shape) != tuple(score.shape):
        raise ValueError(
            f"loss: expected to return {[*score.shape]}, one number a member, "
            f"not {[*losses.shape]}"
        )
    surrogate = (score * f.stop(baseline.centre(f.stop(losses)))).mean(0)
    return losses.mean(0) + (surrogate - f.stop(surrogate))


def fenchel_young(
    f,
    structure,
    theta,
    target,
    *,
    temperature=1.0,
    regularizer="gibbs_entropy",
    lengths=None,
    counts=None,
):
    """The loss of theta against a member y that should have been chosen, without noise:
    max over the hull of (theta.x - t f(x)) - theta.y + t f(y), f the regularizer, t the temperature.

    theta, target [..., size] -> [...], at least 0 up to rounding. Convex in theta, 0 where the soft
    sample is y. y may be any point of the hull; for "gibbs_entropy", t f(y) is then left out.
    Differentiable twice. temperature: a number > 0.

    regularizer  "gibbs_entropy": -t log_prob(y) at theta / t, the loss of conditional random fields
                 [Lafferty et al. 2001]. "squared_norm": the SparseMAP loss [Niculae et al. 2018].
    Gradient     soft sample - y: exact.
    Cost         two relax; with "gibbs_entropy" a log_partition and marginals.
    Source       [Blondel et al. 2020]

    >>> y = tree.argmax(theta)
    >>> loss = fenchel_young(tree, theta, y, temperature=0.5)
    >>> bool(abs(loss + 0.5 * tree.log_prob(2 * theta, y)).max() < 1e-5)
    True
    """
    given, target = instances(lengths, counts), f.stop(target)
    if regularizer == "gibbs_entropy":
        scaled = theta / temperature
        return temperature * structure.log_partition(scaled, **given) - dot(f, theta, target)
    at = _regularizer(f, regularizer)
    theta = f.broadcast(theta, (f.stop(theta) + target).shape)

    def lead(theta, target):
        return structure.relax(theta, temperature, regularizer, **given) - target

    short = lead(f.stop(theta), target)
    value = dot(f, f.stop(theta), short) - temperature * (at(short + target) - at(target))
    # At the best point its own movement counts for nothing.
    pull = lambda g, *pair: (g[..., None] * lead(*pair),)  # noqa: E731
    return f.pull_back(value, (theta,), pull, [theta, target])


def perturbed_fenchel_young(
    f,
    structure,
    theta,
    target,
    *,
    seed,
    perturbation="gumbel",
    samples=1,
    lengths=None,
    counts=None,
    **parameters,
):
    """By how much a target y falls short of the best member under random utilities,
    E[max over x of U.x - U.y]: the loss of theta against y. Needs argmax alone.

    theta, target [..., size] -> [...]: the mean over `samples` of U.(X - y), each at least 0. y may
    be any point of the hull.

    Estimates  value and gradient, which is E[X] - y for U = theta + noise: unbiased.
    Scale      1.
    Cost       an argmax a sample.
    Source     [Berthet et al. 2020]

    >>> y = tree.argmax(theta)
    >>> bool((perturbed_fenchel_young(tree, theta, y, seed=seed) >= 0).all())
    True
    """
    given = instances(lengths, counts)
    samples = positive("samples", samples)
    utility = perturbed(f, theta, samples, seed, perturbation, parameters)
    lead = structure.argmax(f.stop(utility), **given) - f.stop(target)
    return dot(f, utility, lead).mean(0)


def _regularizer(f, name):
    def entropy(x):
        return (x * f.log(f.where(x > 0, x, 1.0))).sum(-1)

    known = {
        "squared_norm": lambda x: (x * x).sum(-1) / 2,
        "shannon_entropy": entropy,
        "binary_entropy": lambda x: entropy(x) + entropy(1 - x),
    }
    if name not in known:
        accepted = ", ".join(["gibbs_entropy", *known])
        raise ValueError(f"regularizer: expected one of {accepted}, not {name!r}")
    return known[name]
