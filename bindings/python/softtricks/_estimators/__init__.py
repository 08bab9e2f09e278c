"""Gradient estimators, written once for all frameworks: the first argument of each function, f, is
what a front end knows of its own (`Framework`).

They are compositions of the structures' verbs and of f.stop; where the backward is no derivative of
anything, `f.pull_back` states it.
"""

import functools
import inspect
import textwrap

from .baselines import (
    AdaptiveStep,
    BatchMean,
    FixedStep,
    Learned,
    LeaveOneOut,
    MovingAverage,
    NoBaseline,
)
from .common import Framework
from .losses import fenchel_young, perturbed_fenchel_young, score_function
from .samples import (
    exact_straight_through,
    gumbel_rao,
    implicit_mle,
    perturbed_argmax,
    relaxed,
    straight_through,
)

__all__ = ["Framework", "public"]

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
