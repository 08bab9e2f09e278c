"""What score-function estimators subtract from losses, and how far implicit MLE moves: small values
that never change. Those that learn return what they have become."""

import sys
from dataclasses import dataclass, replace


def _constant(value):
    """Without gradient, whatever it is."""
    if hasattr(value, "detach"):
        return value.detach()
    jax = sys.modules.get("jax")
    return jax.lax.stop_gradient(value) if jax else value


class Baseline:
    """centre(losses) gives the differences of losses [samples, ...] from the baseline, which the
    estimator takes for constants."""

    least_samples = 1

    def centre(self, losses):
        raise NotImplementedError


@dataclass(frozen=True)
class NoBaseline(Baseline):
    """Nothing: unbiased.

    >>> NoBaseline()
    NoBaseline()
    """

    def centre(self, losses):
        return losses


@dataclass(frozen=True)
class BatchMean(Baseline):
    """Mean of the samples of a datum, each one's own included: with n of them it scales the expected
    gradient by 1 - 1/n, and so gives 0 for one.

    >>> BatchMean()
    BatchMean()
    """

    def centre(self, losses):
        return losses - losses.mean(0)


@dataclass(frozen=True)
class LeaveOneOut(Baseline):
    """Mean of the other samples of the datum: unbiased; needs at least two. [Kool et al. 2019]

    >>> LeaveOneOut()
    LeaveOneOut()
    """

    least_samples = 2

    def centre(self, losses):
        samples = losses.shape[0]
        return (losses - losses.mean(0)) * (samples / (samples - 1))


@dataclass(frozen=True)
class MovingAverage(Baseline):
    """Mean of past losses, exponentially forgotten and corrected for its start at 0: independent of
    the samples at hand, so unbiased. keep: in [0, 1), what is left of the past at each update.

    It does not change by itself: `baseline = baseline.learn(value)` after each estimate.

    >>> average = MovingAverage(keep=0.5).learn(4.0).learn(1.0)
    >>> average.mean
    2.0
    """

    keep: float = 0.99
    total: float = 0.0
    weight: float = 0.0

    @property
    def mean(self):
        """What is subtracted: 0 before anything is learnt."""
        return self.total / (self.weight + (self.weight == 0))

    def centre(self, losses):
        return losses - self.mean

    def learn(self, value):
        """The average with one more value, any shape, of which the mean counts."""
        value = _constant(value.mean() if hasattr(value, "mean") else value)
        total, weight = (
            self.keep * old + (1 - self.keep) * new
            for old, new in ((self.total, value), (self.weight, 1.0))
        )
        return replace(self, total=total, weight=weight)


@dataclass(frozen=True, eq=False)
class Learned(Baseline):
    """A prediction of the loss by a model of the caller's, [...] as the value or what broadcasts to
    it: unbiased as long as it has not seen the samples. [Mnih and Gregor 2014, NVIL]

    The prediction gets no gradient from the estimator. `training_loss` is what trains the model.

    >>> float(Learned(0.5).training_loss(2.5))
    2.0
    """

    prediction: object

    def centre(self, losses):
        return losses - self.prediction

    def training_loss(self, value):
        """Half the squared difference of the prediction from the estimator's value, [...]."""
        difference = self.prediction - _constant(value)
        return difference * difference / 2


@dataclass(frozen=True)
class FixedStep:
    """Utilities are moved by `factor` > 0 times the slope of the loss.

    >>> FixedStep(0.5)
    FixedStep(factor=0.5)
    """

    factor: float = 1.0

    def __post_init__(self):
        if isinstance(self.factor, (int, float)) and not self.factor > 0:
            raise ValueError(f"factor: expected a number > 0, not {self.factor!r}")

    def length(self, theta, slope, where):
        return self.factor


@dataclass(frozen=True)
class AdaptiveStep:
    """Utilities are moved by relative * sqrt(|theta|^2 + size) in all, whatever the slope's size.

    `relative` grows by `rate` while the running mean of changed entries of a hard sample is below
    `target`, and shrinks otherwise: short steps, which are unbiased, until too many gradients are 0.
    [Minervini et al. 2023, who take |theta| for the root: that stays at 0 if it starts there]

    It does not change by itself: `step = step.learn(changed)` with the mean number of entries that
    a move has changed in a hard sample, which `implicit_mle` hands out as the gradient of its
    argument `changed`.

    >>> step = AdaptiveStep(relative=1.0, rate=0.25, keep=0.5).learn(4.0)
    >>> step.relative, step.changed_mean
    (0.75, 2.5)
    """

    relative: float = 1.0
    changed_mean: float = 1.0
    rate: float = 1e-4
    keep: float = 0.9
    target: float = 1.0

    def length(self, theta, slope, where):
        present = theta != -float("inf")
        kept, moved = where(present, theta, 0.0), where(present, slope, 0.0)
        norm = (moved * moved).sum(-1)[..., None]
        utilities = (kept * kept).sum(-1)[..., None] + present.sum(-1)[..., None]
        still = norm == 0
        return where(still, 0.0, self.relative * (utilities / where(still, 1.0, norm)) ** 0.5)

    def learn(self, changed):
        """The step after a move that has changed so many entries of an instance, in the mean."""
        changed_mean = self.keep * self.changed_mean + (1 - self.keep) * changed
        longer = changed_mean < self.target
        relative = self.relative + self.rate * (2 * longer - 1)
        return replace(self, relative=relative * (relative > 0), changed_mean=changed_mean)
