"""Gradient estimators, written once for all frameworks: the first argument of each function, f, is
what a front end knows of its own (see `public`).

They are compositions of the structures' verbs and of stop_gradient; where the backward is no
derivative of anything, `f.pull_back` states it.
"""

import functools
import inspect
import math
import operator
import textwrap

from ._baselines import (
    AdaptiveStep,
    Baseline,
    BatchMean,
    FixedStep,
    Learned,
    LeaveOneOut,
    MovingAverage,
    NoBaseline,
)
from ._perturbation import Perturbations

_INFINITY = math.inf


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


def public(f, module, setting, seed="seed"):
    """The functions and values of a front end, by name; f: its Framework.
    setting: the lines of an example that all docstrings' examples go on from.
    seed: what the front end calls the argument."""
    made = {cls.__name__: cls for cls in VALUES}
    for function in FUNCTIONS:
        made[function.__name__] = _bind(function, f, module, setting, seed)
    return made


def _bind(function, f, module, setting, seed):
    @functools.wraps(function)
    def bound(*arguments, **named):
        if seed in named:
            named["seed"] = named.pop(seed)
        return function(f, *arguments, **named)

    signature = inspect.signature(function)
    parameters = [
        p.replace(name=seed) if p.name == "seed" else p
        for p in list(signature.parameters.values())[1:]
    ]
    bound.__signature__ = signature.replace(parameters=parameters)
    text, mark, example = function.__doc__.replace("seed", seed).partition("    >>> ")
    bound.__doc__ = text + textwrap.indent(setting, "    ") + mark + example
    bound.__module__ = module
    del bound.__wrapped__
    return bound


# ---- X is a tensor whose backward is the estimator --------------------------------------------


def relaxed(
    f,
    structure,
    theta,
    *,
    seed,
    temperature,
    perturbation="gumbel",
    regularizer="gibbs_entropy",
    samples=None,
    lengths=None,
    counts=None,
    **parameters,
):
    """Soft samples, differentiated by reparametrisation.

    theta [..., size] -> [..., size] in [0, 1], or [samples, ..., size].

    Estimates  the gradient of E[loss(soft sample)], for that of E[loss(hard sample)].
    Scale      1 as the temperature falls, for losses that are continuous on the convex hull.
    Bias       that of the relaxation; vanishes in that limit, while the variance grows.
    Cost       a relax and its vjp a sample.
    Source     [Jang et al. 2017; Maddison et al. 2017; Paulus et al. 2020]

    >>> x = relaxed(tree, theta, seed=seed, temperature=0.5)
    >>> tuple(x.shape), bool((x.sum(-1) - 3 < 1e-4).all())  # 3 edges a tree of 4 nodes
    ((2, 6), True)
    """
    given = _instances(lengths, counts)
    utility = _perturbed(f, theta, samples, seed, perturbation, parameters)
    return structure.relax(utility, temperature, regularizer, **given)


def straight_through(
    f,
    structure,
    theta,
    *,
    seed,
    temperature,
    perturbation="gumbel",
    regularizer="gibbs_entropy",
    samples=None,
    lengths=None,
    counts=None,
    **parameters,
):
    """Hard samples, with the Jacobian of the soft ones of the same noise.

    theta [..., size] -> members [..., size], or [samples, ..., size].

    Estimates  the gradient of E[loss(hard sample)]; the value is unbiased.
    Scale      1 as the temperature falls, for losses linear in x.
    Bias       does not vanish at any temperature for other losses.
    Cost       an argmax, a relax and its vjp a sample.
    Source     [Bengio et al. 2013; Jang et al. 2017]

    >>> x = straight_through(tree, theta, seed=seed, temperature=0.5, samples=3)
    >>> tuple(x.shape), sorted(set(x.reshape(-1).tolist()))
    ((3, 2, 6), [0.0, 1.0])
    """
    given = _instances(lengths, counts)
    utility = _perturbed(f, theta, samples, seed, perturbation, parameters)
    soft = structure.relax(utility, temperature, regularizer, **given)
    return _with_gradient_of(f, structure.argmax(f.stop(utility), **given), soft)


def gumbel_rao(
    f,
    structure,
    theta,
    *,
    seed,
    temperature,
    perturbation=None,
    regularizer="gibbs_entropy",
    draws=10,
    samples=None,
    lengths=None,
    **parameters,
):
    """Hard samples, with the mean Jacobian of `draws` soft ones, whose utilities are drawn given the
    hard one: straight-through with the noise averaged out.

    theta [..., size] -> members [..., size], or [samples, ..., size]. For `OneHot` with "gumbel" and
    `BitVector` with "logistic" (the defaults), which can draw such utilities; others raise ValueError.

    Estimates  as straight_through, whose mean it has for any number of draws.
    Scale      that of straight_through.
    Bias       that of straight_through at this temperature; the variance is at most its variance and
               falls with draws, so lower temperatures are within reach.
    Cost       an argmax, and `draws` times a relax and its vjp a sample.
    Source     [Paulus et al. 2021]

    >>> x = gumbel_rao(OneHot(3), theta[:, :3], seed=seed, temperature=0.1, draws=100)
    >>> x.sum(-1).tolist()
    [1.0, 1.0]
    """
    law, posterior = _POSTERIORS.get(structure.name, (None, None))
    if law is None or perturbation not in (None, law):
        offered = " and ".join(f'{name} with "{by}"' for name, (by, _) in _POSTERIORS.items())
        raise ValueError(f"gumbel_rao: offered for {offered}, not {structure!r}, {perturbation!r}")
    draws, given = _positive("draws", draws), _instances(lengths, None)
    theta = _leading(f, theta, samples)
    hard = structure.argmax(f.stop(f.perturb(law, theta, seed, parameters)), **given)
    where_to = f.stop(_finite(f, theta))
    shape = (draws, *theta.shape[:-1], theta.shape[-1] + 1)
    noise = f.noise(law, f.zeros(where_to, shape), f.another(seed, _rows(theta)), parameters)
    drawn = posterior(f, f.stop(theta), hard, noise, parameters.get("scale", 1.0))
    # The law's location moves them all: the derivative by theta is that of theta + noise.
    shift = f.where(theta == -_INFINITY, 0.0, f.stop(drawn) - where_to)
    soft = structure.relax(theta + shift, temperature, regularizer, **given).mean(0)
    return _with_gradient_of(f, hard, soft)


def exact_straight_through(
    f, structure, theta, *, seed, samples=None, lengths=None, counts=None
):
    """Exact samples of the Gibbs law p(x) ~ exp(theta.x), with the Jacobian of its mean: SIMPLE, for
    every structure that has `sample` and `marginals`.

    theta [..., size] -> members [..., size], or [samples, ..., size]. No perturbation, no temperature.

    Estimates  the gradient of E[loss(X)] under the Gibbs law; the value is unbiased.
    Scale      1 for losses linear in x: no bias, and no variance either.
    Bias       the mean is covariance(X) E[slope(X)] for other losses: for quadratic ones the gradient
               of loss(E[X]).
    Cost       a sample each; marginals and their vjp once for all samples of a datum.
    Source     [Ahmed et al. 2023, who call it SIMPLE, for k-subsets]

    >>> x = exact_straight_through(tree, theta, seed=seed)
    >>> x.sum(-1).tolist()
    [3.0, 3.0]
    """
    given = _instances(lengths, counts)
    x = f.sample(structure, f.stop(_leading(f, theta, samples)), seed, given)
    return _with_gradient_of(f, x, structure.marginals(theta, **given))


def perturbed_argmax(
    f,
    structure,
    theta,
    *,
    seed,
    perturbation="gumbel",
    samples=2,
    baseline=None,
    lengths=None,
    counts=None,
    **parameters,
):
    """The mean of hard samples as a layer, differentiated through the score of the utilities:
    backward, the mean of (X_s.slope - baseline) grad log p(U_s; theta). Needs argmax alone.

    theta [..., size] -> [..., size] in the convex hull.

    baseline   of the entries of X: LeaveOneOut() unless told otherwise, which needs two samples.
               Learned(structure.argmax(theta)) is a control variate for one sample as well.
    Estimates  the gradient of loss(E[X]); for losses linear in x that of E[loss(X)] as well.
    Scale      1.
    Bias       of order 1 / samples, that of the value included; none for losses linear in x.
    Cost       an argmax a sample, and one gradient of the loss.
    Source     [Berthet et al. 2020]

    >>> x = perturbed_argmax(tree, theta, seed=seed, samples=100)
    >>> tuple(x.shape), bool(abs(x.sum(-1) - 3).max() < 1e-4)
    ((2, 6), True)
    """
    baseline = _baseline(baseline, LeaveOneOut(), samples)
    given = _instances(lengths, counts)
    theta = _leading(f, theta, _positive("samples", samples))
    utility = f.stop(f.perturb(perturbation, theta, seed, parameters))
    members = structure.argmax(utility, **given)
    score = _log_density(f, perturbation, theta, utility, parameters)
    surrogate = (score[..., None] * f.stop(baseline.centre(members))).mean(0)
    return _with_gradient_of(f, members.mean(0), surrogate)


def implicit_mle(
    f,
    structure,
    theta,
    *,
    seed,
    perturbation="gumbel",
    step=1.0,
    central=False,
    changed=None,
    samples=None,
    lengths=None,
    counts=None,
    **parameters,
):
    """Hard samples, whose backward is their change as the utilities move against the slope of the
    loss at the same noise: (argmax(U) - argmax(U - step slope)) / step. Needs argmax alone.

    theta [..., size] -> members [..., size], or [samples, ..., size].

    step       a number > 0 or FixedStep, or AdaptiveStep.
    central    (argmax(U + step slope) - argmax(U - step slope)) / (2 step) instead.
    changed    None, or a scalar tensor whose gradient becomes the mean number of entries that the
               move changed in a hard sample, for AdaptiveStep.learn.
    Estimates  the gradient of E[loss(hard sample)]; the value is unbiased.
    Scale      1 as the step vanishes, for losses linear in x. The paper does not divide by the step:
               its gradients are `step` times these.
    Bias       a finite difference's: of order step, step^2 if central. Other losses are seen through
               their slope at the hard sample alone, which leaves a bias at any step. The variance
               grows as 1 / step.
    Cost       two argmax a sample, three if central.
    Source     [Niepert et al. 2021; adaptive steps: Minervini et al. 2023]

    >>> x = implicit_mle(tree, theta, seed=seed, step=AdaptiveStep())
    >>> x.sum(-1).tolist()
    [3.0, 3.0]
    """
    if not isinstance(step, (FixedStep, AdaptiveStep)):
        step = FixedStep(step)
    given = _instances(lengths, counts)
    theta = _leading(f, theta, samples)
    utility = f.perturb(perturbation, theta, seed, parameters)
    hard = structure.argmax(f.stop(utility), **given)

    def pull(slope, utility, theta, hard, *relative):
        of_step = AdaptiveStep(*relative) if relative else step
        length = of_step.length(theta, slope, f.where)
        ahead = structure.argmax(utility - length * slope, **given)
        behind = structure.argmax(utility + length * slope, **given) if central else hard
        width = (2 * length if central else length) + 0 * slope
        change = f.where(width == 0, 0.0, (behind - ahead) / f.where(width == 0, 1.0, width))
        moved = (behind != ahead).sum(-1) * 1.0
        return change, moved.mean() + f.zeros(utility, ())

    tensors = [f.stop(x) for x in (utility, theta, hard)]
    if isinstance(step, AdaptiveStep):
        tensors.append(f.stop(f.zeros(utility, ()) + step.relative))
    changed = f.zeros(utility, ()) if changed is None else changed
    return f.pull_back(hard, (utility, changed), pull, tensors)


# ---- losses -----------------------------------------------------------------------------------


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
    baseline = _baseline(baseline, NoBaseline() if samples == 1 else LeaveOneOut(), samples)
    given = _instances(lengths, counts)
    theta = _leading(f, theta, _positive("samples", samples))
    if perturbation is None:
        if parameters:
            raise TypeError(f"{next(iter(parameters))}: not a parameter of the Gibbs law")
        members = f.sample(structure, f.stop(theta), seed, given)
        score = structure.log_prob(theta, members, **given)
    else:
        utility = f.stop(f.perturb(perturbation, theta, seed, parameters))
        members = structure.argmax(utility, **given)
        score = _log_density(f, perturbation, theta, utility, parameters)
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
    given, target = _instances(lengths, counts), f.stop(target)
    if regularizer == "gibbs_entropy":
        scaled = theta / temperature
        return temperature * structure.log_partition(scaled, **given) - _dot(f, theta, target)
    at = _regularizer(f, regularizer)
    theta = f.broadcast(theta, (f.stop(theta) + target).shape)

    def lead(theta, target):
        return structure.relax(theta, temperature, regularizer, **given) - target

    short = lead(f.stop(theta), target)
    value = _dot(f, f.stop(theta), short) - temperature * (at(short + target) - at(target))
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
    given = _instances(lengths, counts)
    samples = _positive("samples", samples)
    utility = _perturbed(f, theta, samples, seed, perturbation, parameters)
    lead = structure.argmax(f.stop(utility), **given) - f.stop(target)
    return _dot(f, utility, lead).mean(0)


FUNCTIONS = [
    relaxed,
    straight_through,
    gumbel_rao,
    exact_straight_through,
    perturbed_argmax,
    implicit_mle,
    score_function,
    fenchel_young,
    perturbed_fenchel_young,
]
VALUES = [
    NoBaseline,
    MovingAverage,
    BatchMean,
    LeaveOneOut,
    Learned,
    FixedStep,
    AdaptiveStep,
]

# ---- what they share --------------------------------------------------------------------------


def _with_gradient_of(f, value, differentiable):
    """value, exactly, with the gradient of the other, which broadcasts to its shape."""
    return f.stop(value) + (differentiable - f.stop(differentiable))


def _leading(f, theta, samples):
    if samples is None:
        return theta
    return f.broadcast(theta, (_positive("samples", samples), *theta.shape))


def _perturbed(f, theta, samples, seed, perturbation, parameters):
    return f.perturb(perturbation, _leading(f, theta, samples), seed, parameters)


def _instances(lengths, counts):
    """What verbs are told of instances that differ: structures of the user's know nothing of it."""
    given = {"lengths": lengths, "counts": counts}
    return {name: value for name, value in given.items() if value is not None}


def _positive(name, value):
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, not {value!r}") from None
    if number < 1:
        raise ValueError(f"{name}: expected at least 1, not {value}")
    return number


def _baseline(given, default, samples):
    baseline = default if given is None else given
    if not isinstance(baseline, Baseline):
        raise TypeError(f"baseline: expected one such as LeaveOneOut(), not {given!r}")
    if samples < baseline.least_samples:
        raise ValueError(f"samples: {baseline!r} needs at least {baseline.least_samples}")
    return baseline


def _rows(theta):
    return math.prod(theta.shape[:-1])


def _finite(f, utility):
    return f.where(utility == -_INFINITY, 0.0, utility)


def _dot(f, utility, x):
    """u.x, where an excluded entry counts only if x holds it."""
    return (f.where(x == 0, 0.0, utility) * x).sum(-1)


def _log_density(f, perturbation, theta, utility, parameters):
    """log p(utility; theta), [...]; an excluded entry has none."""
    excluded = utility == -_INFINITY
    theta, utility = (f.where(excluded, 0.0, x) for x in (theta, utility))
    entries = f.log_prob(perturbation, theta, utility, parameters)
    return f.where(excluded, 0.0, entries).sum(-1)


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


# Utilities given their hard sample, [draws, ..., size], from noise [draws, ..., size + 1].
# docs/mathematics.md, "Gumbel-Rao", has the derivations.


def _given_best(f, theta, x, noise, scale):
    """Gumbel utilities, given which one is best: the others are exponential numbers past its own."""
    theta = theta / scale
    best = f.log_of_sum(theta) + noise[..., -1:]
    below = best - f.softplus(best - noise[..., :-1] - theta)
    return scale * f.where(x == 1, best, below)


def _given_signs(f, theta, x, noise, scale):
    """Logistic utilities, given their signs: inverse distribution functions."""
    side, noise = 2 * x - 1, noise[..., :-1]
    return side * scale * (
        f.softplus(noise) + f.softplus(side * theta / scale - f.softplus(-noise))
    )


_POSTERIORS = {"one_hot": ("gumbel", _given_best), "bit_vector": ("logistic", _given_signs)}
