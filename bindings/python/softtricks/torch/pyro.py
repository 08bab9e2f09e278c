"""The classes of `softtricks.torch.distributions` as Pyro wants them: with masks, events, plates.

    from softtricks.torch.pyro import KSubset
    x = pyro.sample("x", KSubset(utilities, k=2))
"""

try:
    from pyro.distributions.torch_distribution import TorchDistributionMixin
except ImportError as error:
    raise ImportError("softtricks.torch.pyro needs Pyro: pip install pyro-ppl") from error

from . import distributions

__all__ = [name for name in distributions.__all__ if name != "Member"]


def _for_pyro(cls):
    members = {"__module__": __name__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls, TorchDistributionMixin), members)


globals().update({name: _for_pyro(getattr(distributions, name)) for name in __all__})
