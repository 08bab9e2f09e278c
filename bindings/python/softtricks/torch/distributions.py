"""Distributions over the members of structures, as torch.distributions has them.

For every structure, here `SpanningTree`, there are

- `SpanningTree(utilities)`: the Gibbs law p(x) ~ exp(u . x), with exact samples, log_prob, entropy,
  mean, mode and KL divergence;
- `PerturbedSpanningTree(theta)`: the law of the best member for random utilities around theta, a
  stochastic argmax trick;
- `RelaxedSpanningTree(temperature, theta)`: soft samples, with gradients, a stochastic softmax trick;
- `StraightThroughSpanningTree(temperature, theta)`: the hard ones, with the gradients of the soft;
- `ExactStraightThroughSpanningTree(utilities)`: exact samples of the Gibbs law, with the gradients of
  its marginals.

They are `Gibbs`, `Perturbed`, `Relaxed`, `StraightThrough` and `ExactStraightThrough` of that structure.
A structure's own fields are named arguments; the first may be left out where the number of utilities
tells it: KSubset(utilities, k=3).

Every draw takes its seed from torch's generator, so that torch.manual_seed repeats it. For
torch.compile(fullgraph=True) take `Gibbs(structure, utilities, validate_args=False)` and its kin: to find
the structure that utilities belong to is a break in the graph.

>>> import torch
>>> from softtricks.torch import distributions
>>> _ = torch.manual_seed(0)
>>> utilities = torch.zeros(32, 45, requires_grad=True)  # 32 graphs of 10 nodes
>>> law = distributions.SpanningTree(utilities)
>>> law.structure, law.batch_shape, law.event_shape
(SpanningTree(nodes=10), torch.Size([32]), torch.Size([45]))
>>> round(law.entropy()[0].item(), 3)  # log of 10 ** 8 trees, all alike
18.421
>>> trees = law.sample((7,))
>>> law.log_prob(trees).shape
torch.Size([7, 32])
>>> distributions.RelaxedSpanningTree(0.5, utilities).rsample().square().sum().backward()
"""

import contextlib
import functools
import inspect

import torch
from torch.distributions import Distribution, constraints, register_kl

from .._enumerate import members
from .._estimators.common import with_gradient_of
from . import _laws, _rules, perturb, structures
from ._front import front
from .estimators import _framework


class Member(constraints.Constraint):
    """Is a vector a member of the structure? Only a member x is the best one for utilities 2 x - 1."""

    is_discrete = True
    event_dim = 1

    def __init__(self, structure, lengths=None, counts=None):
        self.structure, self.lengths, self.counts = structure, lengths, counts

    def check(self, value):
        value = value.detach()
        value = value if value.is_floating_point() else value.float()
        best = self.structure.argmax(2 * value - 1, lengths=self.lengths, counts=self.counts)
        return (best == value).all(-1)

    def __repr__(self):
        return f"Member({self.structure})"


_hull_box = constraints.independent(constraints.unit_interval, 1)


class _Utilities(constraints.Constraint):
    """No NaN; -inf excludes an entry. (torch's own real_vector refuses empty batches.)"""

    event_dim = 1

    def check(self, value):
        return ~value.isnan().any(-1)


class _OfStructure(Distribution):
    """What all laws here share: a structure, and one vector of utilities an instance.

    lengths, counts: of instances that differ in them, as for the structure's own methods.
    """

    arg_constraints = {"utilities": _Utilities()}

    def __init__(self, structure, utilities, lengths=None, counts=None, validate_args=None):
        self.structure = structure
        self.utilities = front.array("utilities", utilities)
        structure._check_size("utilities", self.utilities)
        self.lengths = front.one_an_instance("lengths", lengths, self.utilities)
        self.counts = front.one_an_instance("counts", counts, self.utilities)
        batch_shape, event_shape = self.utilities.shape[:-1], self.utilities.shape[-1:]
        super().__init__(batch_shape, event_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = type(self).__new__(type(self)) if _instance is None else _instance
        new.__dict__.update(self.__dict__)
        batch_shape = torch.Size(batch_shape)
        new.utilities = self.utilities.expand(batch_shape + self.event_shape)
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return Member(self.structure, self.lengths, self.counts)

    def __repr__(self):
        return f"{type(self).__name__}({self.structure}, utilities: {[*self.utilities.shape]})"

    @property
    def _instances(self):
        return {"lengths": self.lengths, "counts": self.counts}

    def _repeated(self, sample_shape):
        return self.utilities.expand(self._extended_shape(sample_shape))


class Gibbs(_OfStructure):
    """The Gibbs law p(x) ~ exp(u . x) over the members of a structure; utilities u [..., size].

    Exact samples and probabilities; all but samples and mode are differentiable in the utilities.
    """

    has_rsample = False
    has_enumerate_support = True

    def sample(self, sample_shape=(), generator=None):
        """Exact draws, independent of each other, [sample_shape, ..., size].

        `generator` takes the place of torch's own, that torch.manual_seed sets.
        """
        utilities = self._repeated(sample_shape)
        return self.structure.sample(utilities, seed=_seed(generator), **self._instances)

    def log_prob(self, value):
        """log p(x) [sample_shape, ...] of members x; ValueError for what is no member, but -inf with
        validate_args=False."""
        if self._validate_args:
            self._validate_sample(value)
        return self.structure.log_prob(self.utilities, value, **self._instances)

    def entropy(self):
        """In nats, [...]."""
        return self.structure.entropy(self.utilities, **self._instances)

    @property
    def mean(self):
        """The marginals: the chance of each entry to be 1."""
        return self.structure.marginals(self.utilities, **self._instances)

    @property
    def variance(self):
        mean = self.mean
        return mean * (1 - mean)

    @property
    def mode(self):
        """The best member."""
        return self.structure.argmax(self.utilities, **self._instances)

    def enumerate_support(self, expand=True):
        """All members, [count, ..., size]; NotImplementedError where there are more than 65536, and
        for instances of different lengths or counts."""
        if self.lengths is not None or self.counts is not None:
            raise NotImplementedError("enumerate_support: instances with lengths or counts differ")
        kind = {"dtype": self.utilities.dtype, "device": self.utilities.device}
        support = torch.from_numpy(members(self.structure)).to(**kind)
        support = support.view(-1, *[1] * len(self.batch_shape), self.structure.size)
        return support.expand(-1, *self.batch_shape, -1) if expand else support


class ExactStraightThrough(Gibbs):
    """The Gibbs law with rsample: forward an exact sample, backward the gradient of the marginals.

    A biased estimator, exact for linear functions of x. For k-subsets this is SIMPLE
    [Ahmed et al. 2023].
    """

    has_rsample = True

    def rsample(self, sample_shape=(), generator=None):
        hard, soft = self.sample(sample_shape, generator), self._soft(sample_shape)
        return with_gradient_of(_framework, hard, soft)

    def _soft(self, sample_shape):
        return self.mean.expand(self._extended_shape(sample_shape))


class Perturbed(_OfStructure):
    """The law of argmax over X of U . x with random utilities U around theta: a stochastic argmax trick.

    perturbation: a law of U, one of softtricks.torch.perturbations; its own parameters are further
    named arguments. (A name that is also the structure's, as the k of "sum_of_gamma" is for subsets, needs
    this class: Perturbed(KSubset(9, k=3), theta, perturbation="sum_of_gamma", k=3).) The probabilities of
    members are not offered: they have no closed form.
    """

    has_rsample = False

    def __init__(self, structure, theta, *, perturbation="gumbel", lengths=None, counts=None,
                 validate_args=None, **parameters):
        self.perturbation, self.parameters = perturbation, parameters
        _laws._check(perturbation, parameters)
        super().__init__(structure, theta, lengths, counts, validate_args)

    @property
    def theta(self):
        """What the random utilities lie around, [..., size]."""
        return self.utilities

    def sample(self, sample_shape=(), generator=None):
        """Hard samples: argmax of random utilities, [sample_shape, ..., size]."""
        with torch.no_grad():
            return self._hard(self.utility_sample(sample_shape, generator))

    def utility_sample(self, sample_shape=(), generator=None):
        """Random utilities U [sample_shape, ..., size], differentiable in theta."""
        theta = self._repeated(sample_shape)
        return perturb(self.perturbation, theta, seed=_seed(generator), **self.parameters)

    def log_prob(self, value):
        raise NotImplementedError(
            "the law of the argmax of random utilities has no closed form; for a law with "
            "probabilities take the Gibbs law of the same structure"
        )

    def _hard(self, utility):
        return self.structure.argmax(utility, **self._instances)


class Relaxed(Perturbed):
    """Soft samples: argmax over the convex hull of X of U . x - temperature f(x), U random around theta.

    temperature: a number or a tensor of one an instance, which broadcasts with theta's batch and gets a
    gradient. perturbation, regularizer, utility_range: see the structure's `relax`. There is no density: soft samples are not members, and sparse ones lie on faces. `support` is the box [0, 1].
    [Paulus et al. 2020]
    """

    has_rsample = True
    arg_constraints = {"temperature": constraints.positive, **_OfStructure.arg_constraints}

    def __init__(self, structure, temperature, theta, *, regularizer="gibbs_entropy",
                 utility_range=None, **others):
        theta = front.array("theta", theta)
        self.temperature = torch.as_tensor(temperature, dtype=theta.dtype, device=theta.device)
        if isinstance(temperature, (int, float)):
            self._divisor = temperature  # quicker as it is
        else:
            self._divisor = self.temperature.unsqueeze(-1)
            theta = front.broadcast_named("temperature", theta, self._divisor)[0]
        self.regularizer, self.utility_range = regularizer, utility_range
        super().__init__(structure, theta, **others)

    @constraints.dependent_property(is_discrete=False, event_dim=1)
    def support(self):
        return _hull_box

    def sample(self, sample_shape=(), generator=None):
        """Soft samples without gradient."""
        with torch.no_grad():
            return self.rsample(sample_shape, generator)

    def rsample(self, sample_shape=(), generator=None):
        """Soft samples [sample_shape, ..., size], differentiable in theta and temperature."""
        return self._relaxed(self.utility_sample(sample_shape, generator))

    def hard_and_soft(self, sample_shape=(), generator=None):
        """A hard sample and its relaxation, from the same random utilities."""
        utility = self.utility_sample(sample_shape, generator)
        return self._hard(utility), self._relaxed(utility)

    def log_prob(self, value):
        raise NotImplementedError(
            "soft samples have no density that is known: use the Gibbs law's log_prob of hard ones, "
            "or the density of the utilities (softtricks.torch.perturbation_log_prob)"
        )

    def _relaxed(self, utility):
        relaxation = (self._divisor, self.regularizer, self.utility_range)
        return self.structure.relax(utility, *relaxation, **self._instances)


class StraightThrough(Relaxed):
    """Hard samples whose gradient is that of the soft sample for the same random utilities.

    A biased estimator. [Jang et al. 2017; Paulus et al. 2020]
    """

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return Member(self.structure, self.lengths, self.counts)

    def rsample(self, sample_shape=(), generator=None):
        return with_gradient_of(_framework, *self.hard_and_soft(sample_shape, generator))


def _seed(generator):
    transformed = not torch.compiler.is_compiling() and _rules.transforming()
    # One seed for all elements of a vmap: the operators' own rules tell them apart.
    with torch._C._DisableFuncTorch() if transformed else contextlib.nullcontext():
        return int(torch.randint(-(2**63), 2**63 - 1, (), generator=generator))


@register_kl(Gibbs, Gibbs)
def _kl_of_gibbs_laws(p, q):
    if p.structure != q.structure:
        raise ValueError(f"kl_divergence: expected laws of one structure, not {p} and {q}")
    utilities = torch.broadcast_tensors(p.utilities, q.utilities)
    arguments = {}
    for name in ("lengths", "counts"):
        of_p, of_q = getattr(p, name), getattr(q, name)
        if (of_p is None) != (of_q is None) or (of_p is not None and not torch.equal(of_p, of_q)):
            raise ValueError(f"kl_divergence: expected laws with the same {name}")
        arguments[name] = of_p
    return p.structure.kl(*utilities, **arguments)


# ---- a class for each structure -----------------------------------------------------------------


@torch.compiler.disable  # it tries shapes that may not exist
@functools.lru_cache(1024)
def _shaped(cls, size, /, **fields):
    """The structure with these fields; the first, if left out, as `size` utilities tell it."""
    first = cls.fields[0]
    if first in fields:
        return cls(**fields)

    def size_of(value):
        try:
            return cls(**{first: value}, **fields).size
        except ValueError:
            return 0  # too small for the other fields

    below, enough = 0, 1
    while size_of(enough) < size and enough < 2**30:
        below, enough = enough, 2 * enough
    while enough - below > 1:
        middle = (below + enough) // 2
        below, enough = (middle, enough) if size_of(middle) < size else (below, middle)
    if size_of(enough) != size:
        given = ", ".join(f"{name}={value}" for name, value in fields.items()) or "all others default"
        raise ValueError(f"utilities: no {first} of {cls.__name__} makes {size} of them ({given})")
    return cls(**{first: enough}, **fields)


def _of(law, cls, prefix, leading):
    """The class of a law for one structure."""
    name = prefix + cls.__name__

    def __init__(self, *arguments, **named):
        for argument, value in zip(leading, arguments, strict=False):
            if argument in named:
                raise TypeError(f"{name}: {argument} was given twice")
            named[argument] = value
        missing = [argument for argument in leading if argument not in named]
        if missing or len(arguments) > len(leading):
            raise TypeError(f"{name}: expected {', '.join(leading)}, then named arguments only")
        fields = {field: named.pop(field) for field in cls.fields if field in named}
        first = [named.pop(argument) for argument in leading]
        utilities = front.array(leading[-1], first[-1])
        if utilities.ndim == 0:
            raise ValueError(f"{leading[-1]}: expected shape [..., size], not []")
        law.__init__(self, _shaped(cls, utilities.shape[-1], **fields), *first, **named)

    signature = _signature(law, cls, leading)
    doc = f"{name}{signature}: `{law.__name__}` of {cls.__name__}."
    members = {"__init__": __init__, "__signature__": signature, "__doc__": doc}
    return type(name, (law,), {"__module__": __name__, **members})


def _signature(law, cls, leading):
    """The law's own, with the structure's fields in the place of the structure."""
    named = inspect.Parameter.KEYWORD_ONLY
    fields = [field.replace(kind=named) for field in cls.__signature__.parameters.values()]
    fields[0] = fields[0].replace(default=None)
    of_law = {}
    for base in reversed(law.__mro__[: law.__mro__.index(Distribution)]):
        of_law.update(inspect.signature(base.__init__).parameters)
    first = [of_law[name].replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in leading]
    taken = {"self", "structure", "utilities", "others", "parameters", *leading, *cls.fields}
    rest = [p.replace(kind=named) for name, p in of_law.items() if name not in taken]
    ends = [of_law["parameters"]] if "parameters" in of_law else []
    return inspect.Signature([*first, *fields, *rest, *ends])


_LAWS = {
    "": (Gibbs, ("utilities",)),
    "Perturbed": (Perturbed, ("theta",)),
    "Relaxed": (Relaxed, ("temperature", "theta")),
    "StraightThrough": (StraightThrough, ("temperature", "theta")),
    "ExactStraightThrough": (ExactStraightThrough, ("utilities",)),
}
_made = [
    _of(law, cls, prefix, leading)
    for cls in structures.values()
    for prefix, (law, leading) in _LAWS.items()
]
globals().update({made.__name__: made for made in _made})

__all__ = [
    "ExactStraightThrough",
    "Gibbs",
    "Member",
    "Perturbed",
    "Relaxed",
    "StraightThrough",
    *(made.__name__ for made in _made),
]
