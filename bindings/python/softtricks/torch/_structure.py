"""The class behind every structure. The registry of the library names the structures; nothing here
does."""

import inspect
import operator

import torch

from . import _rules
from ._library import registry


def call(name, *arguments):
    """Calls an operator; what the library refuses comes out as a ValueError."""
    if torch.compiler.is_compiling():
        return _rules.call(name, *arguments)
    try:
        return _rules.call(name, *arguments)
    except RuntimeError as error:
        message = str(error)
        if isinstance(error, NotImplementedError) or not message.startswith("softtricks: "):
            raise
        raise ValueError(message.removeprefix("softtricks: ")) from None


def check_floating(name, tensor):
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a torch.Tensor, not {type(tensor).__name__}")
    if tensor.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"{name}: expected float32 or float64, not {str(tensor.dtype).removeprefix('torch.')}; "
            f"convert it, as in {name}.to(torch.float32)"
        )


def check_device(name, tensor, first_name, first):
    if tensor.device != first.device:
        raise ValueError(
            f"{name}: expected on {first.device}, the device of {first_name}, not on "
            f"{tensor.device}; move one of them, as in {name}.to({first_name}.device)"
        )


def check_number(name, value):
    """A seed, an offset, the field of a structure. An int stays as it is: under torch.compile it may
    stand for any number, and a conversion would fix it."""
    if torch.compiler.is_compiling():
        return value
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, not {value!r}") from None
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{name}: expected an integer of 64 bits, not {value}")
    return number


class Structure:
    """A finite set X of 0/1 vectors with `size` entries, and what can be computed on it.

    Utilities u are float32 or float64 tensors [..., size]: any leading dimensions, any strides. An
    entry is excluded by the utility -inf, and then gets exactly 0. Wherever `lengths` is accepted it
    holds the actual sizes of smaller instances: integers that broadcast to [...], at least 1 and at
    most the structure's own first field. Entries behind an instance's end are ignored and come out
    as 0. `counts`, for k-subsets, holds the k of instances that differ in it, at most the structure's.

    An instance with a NaN utility, or with no member of finite utility, gives NaN in its own place
    and disturbs no other (`log_partition` gives -inf where no member is feasible). Any other
    misuse raises ValueError or TypeError with a message that names the argument and says what is
    accepted. Tensors of other devices than the CPU are solved on the CPU and sent back.

    Every method works under `torch.compile(fullgraph=True)`, also with a dynamic batch, and under
    `torch.func` (vmap, grad, jacrev); forward-mode derivatives are not offered.
    """

    name: str
    fields: tuple[str, ...]
    verbs: tuple[str, ...]
    regularizers: tuple[str, ...]

    def __init__(self, *arguments, **named):
        bound = type(self).__signature__.bind(*arguments, **named)
        bound.apply_defaults()
        shape = tuple(check_number(field, value) for field, value in bound.arguments.items())
        values = {"shape": shape, **dict(zip(self.fields, shape, strict=True))}
        values["size"] = call("structure_size", self.name, list(shape))
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def __setattr__(self, key, value):
        raise AttributeError(f"{type(self).__name__} can't be changed: make another one")

    def __eq__(self, other):
        return type(self) is type(other) and self.shape == other.shape

    def __hash__(self):
        return hash((self.name, self.shape))

    def __reduce__(self):
        return type(self), self.shape

    def __repr__(self):
        pairs = ", ".join(f"{f}={n}" for f, n in zip(self.fields, self.shape, strict=True))
        return f"{type(self).__name__}({pairs})"

    # ---- verbs ----------------------------------------------------------------------------------

    def argmax(self, utility, *, lengths=None, counts=None):
        """The best member, argmax over X of u . x.

        utility [..., size] -> 0 and 1, [..., size], the same type. No gradient. Ties go to the same
        member every time.
        """
        return call("argmax", utility.detach(), *self._problem(utility, lengths, counts))

    def log_partition(self, utility, *, lengths=None, counts=None):
        """log of the sum of exp(u . x) over the members.

        utility [..., size] -> [...]. Differentiable twice: the gradient is `marginals`.
        """
        return call("log_partition", utility, *self._problem(utility, lengths, counts))

    def marginals(self, utility, *, lengths=None, counts=None):
        """The mean of x under the Gibbs law p(x) ~ exp(u . x).

        utility [..., size] -> [..., size], in [0, 1]. Differentiable once.
        """
        return call("marginals", utility, *self._problem(utility, lengths, counts))

    def sample(self, utility, *, seed, offset=0, lengths=None, counts=None):
        """An exact draw from the Gibbs law p(x) ~ exp(u . x), one an instance.

        utility [..., size] -> 0 and 1, [..., size]. No gradient. Instance i (row-major over the
        leading dimensions) reads random stream offset + i of the seed, so that a draw depends
        neither on the batch it is part of nor on the number of threads. seed, offset: integers.
        """
        problem = self._problem(utility, lengths, counts)
        seed, offset = check_number("seed", seed), check_number("offset", offset)
        return call("sample", utility.detach(), seed, offset, *problem)

    def log_prob(self, utility, x, *, lengths=None, counts=None):
        """log p(x) of members x under the Gibbs law p(x) ~ exp(u . x); -inf for other vectors.

        utility and x, broadcast against each other, [..., size] -> [...]. Differentiable twice in
        the utility; x is discrete and gets no gradient.
        """
        utility, x = self._both("x", utility, x)
        x = x.detach()
        return call("log_prob", utility, x, *self._problem(utility, lengths, counts))

    def entropy(self, utility, *, lengths=None, counts=None):
        """Entropy of the Gibbs law in nats.

        utility [..., size] -> [...]. Differentiable once.
        """
        return call("entropy", utility, *self._problem(utility, lengths, counts))

    def cross_entropy(self, utility, other, *, lengths=None, counts=None):
        """-E[log p(x; other)] in nats, x drawn from the Gibbs law of `utility`.

        utility and other, broadcast against each other, [..., size] -> [...]; inf where x may be a
        member that `other` excludes. Differentiable once in both.
        """
        utility, other = self._both("other", utility, other)
        return call("cross_entropy", utility, other, *self._problem(utility, lengths, counts))

    def kl(self, utility, other, *, lengths=None, counts=None):
        """KL divergence of the Gibbs law of `utility` from that of `other`, in nats.

        utility and other, broadcast against each other, [..., size] -> [...], at least 0; inf where
        the first law may draw a member that `other` excludes. Differentiable once in both.
        """
        utility, other = self._both("other", utility, other)
        return call("kl", utility, other, *self._problem(utility, lengths, counts))

    def k_best(self, utility, count, *, lengths=None, counts=None):
        """The `count` best members, best first, and their u . x.

        utility [..., size] -> 0 and 1, [..., count, size], and [..., count]. Where an instance has
        fewer members, the last rows are 0 and their u . x is -inf. No gradient.
        """
        count = check_number("count", count)
        return call("k_best", utility.detach(), count, *self._problem(utility, lengths, counts))

    def active_set(
        self,
        utility,
        temperature,
        count,
        regularizer="squared_norm",
        utility_range=None,
        *,
        lengths=None,
        counts=None,
    ):
        """The members whose mixture the sparse soft sample of `relax` is, and their weights.

        utility [..., size] -> 0 and 1, [..., count, size], and [..., count], heaviest first; rows
        behind the last member are 0. Of more than `count` members the lightest are left out, so the
        weights then sum to less than 1. temperature: a number > 0. No gradient.
        """
        count, temperature = check_number("count", count), number("temperature", temperature)
        if utility_range is not None:
            utility_range = number("utility_range", utility_range)
        problem = self._problem(utility, lengths, counts)
        relaxation = (temperature, regularizer, utility_range)
        return call("active_set", utility.detach(), count, *relaxation, *problem)

    def relax(
        self,
        utility,
        temperature,
        regularizer="gibbs_entropy",
        utility_range=None,
        *,
        lengths=None,
        counts=None,
    ):
        """The soft sample: argmax over the convex hull of X of u . x - temperature * regularizer(x).

        utility [..., size] -> [..., size], in [0, 1]. Differentiable once. With random utilities
        (`perturb`) this is a relaxed sample, and `argmax` of the same utilities the hard one.

        temperature    a number > 0, or a tensor of such that broadcasts with utility, [..., 1] for
                       one an instance, which gets a gradient. Towards 0 the soft sample becomes
                       `argmax`. torch.compile compiles anew for each number, but not for a tensor.
        regularizer    one of `regularizers` of this structure. "gibbs_entropy" makes the soft
                       sample the `marginals` of utility / temperature, "squared_norm" the
                       Euclidean projection of utility / temperature on the hull.
        utility_range  a number of nats > 0, or None. Utilities / temperature are first floored at
                       their maximum minus it, which keeps gradients alive when utilities grow
                       apart; a floored utility hands its gradient to the largest one. This is
                       another relaxation, not an approximation of the one without.

        Stochastic softmax tricks: Paulus, Choi, Tarlow, Krause and Maddison, NeurIPS 2020.
        """
        self._check(utility)
        if _is_tensor(temperature):
            utility, temperature = _divide(utility, temperature), 1.0
        else:
            temperature = number("temperature", temperature)
        if utility_range is not None:
            utility_range = number("utility_range", utility_range)
        problem = self._problem(utility, lengths, counts)
        return call("relax", utility, temperature, regularizer, utility_range, *problem)

    # ---- arguments ------------------------------------------------------------------------------

    def _check(self, utility):
        check_floating("utility", utility)
        if utility.dim() == 0 or utility.shape[-1] != self.size:
            raise ValueError(
                f"utility: expected shape [..., {self.size}] for {self}, not {[*utility.shape]}"
            )

    def _both(self, name, utility, other):
        """Utilities and what is shaped like them, broadcast."""
        if not isinstance(other, torch.Tensor):
            raise TypeError(f"{name}: expected a torch.Tensor, not {type(other).__name__}")
        self._check(utility)
        check_device(name, other, "utility", utility)
        if other.dim() == 0 or other.shape[-1] != self.size:
            raise ValueError(
                f"{name}: expected shape [..., {self.size}] for {self}, not {[*other.shape]}"
            )
        return broadcast(name, utility, other.to(utility.dtype))

    def _problem(self, utility, lengths, counts):
        """The arguments that all operators end with."""
        self._check(utility)
        integers = (_integers("lengths", lengths, utility), _integers("counts", counts, utility))
        return self.name, self.shape, *integers


def _integers(name, given, utility):
    """One integer an instance, or None."""
    if given is None:
        return None
    given = torch.as_tensor(given, device=None if _is_tensor(given) else utility.device)
    check_device(name, given, "utility", utility)
    if given.is_floating_point() or given.is_complex() or given.dtype is torch.bool:
        raise ValueError(f"{name}: expected integers, not {given.dtype}")
    try:
        return given.to(torch.int64).expand(utility.shape[:-1])
    except RuntimeError:
        raise ValueError(
            f"{name}: expected one number an instance, {[*utility.shape[:-1]]} of them or what "
            f"broadcasts to that, not {[*given.shape]}"
        ) from None


def _is_tensor(value):
    return isinstance(value, torch.Tensor)


def number(name, value):
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"{name}: expected a number, not {value!r}")
    return value if isinstance(value, torch.SymFloat) else float(value)


def _divide(utility, temperature):
    """utility / temperature, without 0 * inf in the gradient where an entry is excluded."""
    check_floating("temperature", temperature)
    check_device("temperature", temperature, "utility", utility)
    temperature = temperature.to(utility.dtype)
    if not (torch.compiler.is_compiling() or _rules.transforming()):
        if not bool((temperature > 0).all()):
            raise ValueError("temperature: expected numbers > 0 in the tensor")
    utility, temperature = broadcast("temperature", utility, temperature)
    excluded = utility.isinf()
    scaled = torch.where(excluded, 0.0, utility) / temperature
    return torch.where(excluded, utility, scaled)


def broadcast(name, first, second):
    try:
        return torch.broadcast_tensors(first, second)
    except RuntimeError:
        raise ValueError(
            f"{name}: expected a shape that broadcasts with {[*first.shape]}, "
            f"not {[*second.shape]}"
        ) from None


def make_class(info, module):
    """A structure's class, from what the registry says of it."""
    parameters = [
        inspect.Parameter(
            field,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            annotation=int,
            default=inspect.Parameter.empty if default is None else default,
        )
        for field, default in zip(info["fields"], info["defaults"], strict=True)
    ]
    class_name = "".join(word.capitalize() for word in info["name"].split("_"))
    signature = ", ".join(
        p.name if p.default is inspect.Parameter.empty else f"{p.name}={p.default}"
        for p in parameters
    )
    return type(
        class_name,
        (Structure,),
        {
            "__module__": module,
            "__doc__": f"{class_name}({signature}): the structure {info['name']}. See `Structure`.",
            "__signature__": inspect.Signature(parameters),
            "name": info["name"],
            "fields": tuple(info["fields"]),
            "verbs": tuple(info["verbs"]),
            "regularizers": tuple(info["regularizers"]),
        },
    )


def make_classes(module):
    made = [make_class(info, module) for info in registry["structures"]]
    return {c.__name__: c for c in made}
