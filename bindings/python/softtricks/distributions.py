"""The distributions of `softtricks.torch.distributions`, which they are the same as."""

from .torch.distributions import *  # noqa: F403
from .torch.distributions import __all__  # noqa: F401
