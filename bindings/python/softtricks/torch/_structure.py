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
    as 0.

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

    def argmax(self, utility, *, lengths=None):
        """The best member, argmax over X of u . x.

        utility [..., size] -> 0 and 1, [..., size], the same type. No gradient. Ties go to the same
        member every time.
        """
        return call("argmax", utility.detach(), *self._problem(utility, lengths))

    def log_partition(self, utility, *, lengths=None):
        """log of the sum of exp(u . x) over the members.

        utility [..., size] -> [...]. Differentiable twice: the gradient is `marginals`.
        """
        return call("log_partition", utility, *self._problem(utility, lengths))

    def marginals(self, utility, *, lengths=None):
        """The mean of x under the Gibbs law p(x) ~ exp(u . x).

        utility [..., size] -> [..., size], in [0, 1]. Differentiable once.
        """
        return call("marginals", utility, *self._problem(utility, lengths))

    def sample(self, utility, *, seed, offset=0, lengths=None):
        """An exact draw from the Gibbs law p(x) ~ exp(u . x), one an instance.

        utility [..., size] -> 0 and 1, [..., size]. No gradient. Instance i (row-major over the
        leading dimensions) reads random stream offset + i of the seed, so that a draw depends
        neither on the batch it is part of nor on the number of threads. seed, offset: integers.
        """
        problem = self._problem(utility, lengths)
        seed, offset = check_number("seed", seed), check_number("offset", offset)
        return call("sample", utility.detach(), seed, offset, *problem)

    def log_prob(self, utility, x, *, lengths=None):
        """log p(x) of members x under the Gibbs law p(x) ~ exp(u . x); -inf for other vectors.

        utility and x, broadcast against each other, [..., size] -> [...]. Differentiable twice in
        the utility; x is discrete and gets no gradient.
        """
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"x: expected a torch.Tensor, not {type(x).__name__}")
        self._check(utility)
        check_device("x", x, "utility", utility)
        if x.dim() == 0 or x.shape[-1] != self.size:
            raise ValueError(f"x: expected shape [..., {self.size}] for {self}, not {[*x.shape]}")
        utility, x = broadcast("x", utility, x.detach().to(utility.dtype))
        return call("log_prob", utility, x, *self._problem(utility, lengths))

    def entropy(self, utility, *, lengths=None):
        """Entropy of the Gibbs law in nats.

        utility [..., size] -> [...]. Differentiable once.
        """
        return call("entropy", utility, *self._problem(utility, lengths))

    def relax(
        self,
        utility,
        temperature,
        regularizer="gibbs_entropy",
        utility_range=None,
        *,
        lengths=None,
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
            temperature = _number("temperature", temperature)
        if utility_range is not None:
            utility_range = _number("utility_range", utility_range)
        problem = self._problem(utility, lengths)
        return call("relax", utility, temperature, regularizer, utility_range, *problem)

    # ---- arguments ------------------------------------------------------------------------------

    def _check(self, utility):
        check_floating("utility", utility)
        if utility.dim() == 0 or utility.shape[-1] != self.size:
            raise ValueError(
                f"utility: expected shape [..., {self.size}] for {self}, not {[*utility.shape]}"
            )

    def _problem(self, utility, lengths):
        """The arguments that all operators end with."""
        self._check(utility)
        if lengths is None:
            return self.name, self.shape, None
        lengths = torch.as_tensor(lengths, device=None if _is_tensor(lengths) else utility.device)
        check_device("lengths", lengths, "utility", utility)
        if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype is torch.bool:
            raise ValueError(f"lengths: expected integers, not {lengths.dtype}")
        try:
            lengths = lengths.to(torch.int64).expand(utility.shape[:-1])
        except RuntimeError:
            raise ValueError(
                f"lengths: expected one number an instance, {[*utility.shape[:-1]]} of them or what "
                f"broadcasts to that, not {[*lengths.shape]}"
            ) from None
        return self.name, self.shape, lengths


def _is_tensor(value):
    return isinstance(value, torch.Tensor)


def _number(name, value):
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
