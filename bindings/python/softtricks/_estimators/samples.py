"""Estimators that return X, an array whose backward is the estimate."""

from .baselines import AdaptiveStep, FixedStep, LeaveOneOut
from .common import (
    INFINITY,
    chosen_baseline,
    finite,
    instances,
    leading,
    log_density,
    perturbed,
    positive,
    rows,
    with_gradient_of,
)


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
    given = instances(lengths, counts)
    utility = perturbed(f, theta, samples, seed, perturbation, parameters)
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
    given = instances(lengths, counts)
    utility = perturbed(f, theta, samples, seed, perturbation, parameters)
    soft = structure.relax(utility, temperature, regularizer, **given)
    return with_gradient_of(f, structure.argmax(f.stop(utility), **given), soft)


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
    draws, given = positive("draws", draws), instances(lengths, None)
    theta = leading(f, theta, samples)
    hard = structure.argmax(f.stop(f.perturb(law, theta, seed, parameters)), **given)
    where_to = f.stop(finite(f, theta))
    shape = (draws, *theta.shape[:-1], theta.shape[-1] + 1)
    noise = f.noise(law, f.zeros(where_to, shape), f.another(seed, rows(theta)), parameters)
    drawn = posterior(f, f.stop(theta), hard, noise, parameters.get("scale", 1.0))
    # The law's location moves them all: the derivative by theta is that of theta + noise.
    shift = f.where(theta == -INFINITY, 0.0, f.stop(drawn) - where_to)
    soft = structure.relax(theta + shift, temperature, regularizer, **given).mean(0)
    return with_gradient_of(f, hard, soft)


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
    given = instances(lengths, counts)
    x = f.sample(structure, f.stop(leading(f, theta, samples)), seed, given)
    return with_gradient_of(f, x, structure.marginals(theta, **given))


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
    baseline = chosen_baseline(baseline, LeaveOneOut(), samples)
    given = instances(lengths, counts)
    theta = leading(f, theta, positive("samples", samples))
    utility = f.stop(f.perturb(perturbation, theta, seed, parameters))
    members = structure.argmax(utility, **given)
    score = log_density(f, perturbation, theta, utility, parameters)
    surrogate = (score[..., None] * f.stop(baseline.centre(members))).mean(0)
    return with_gradient_of(f, members.mean(0), surrogate)


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
    given = instances(lengths, counts)
    theta = leading(f, theta, samples)
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
