"""What NumPy adds to the text that front ends share: arrays, calls of the library, and the products with
derivatives that other frameworks take by themselves."""

import numpy

from . import _structure
from ._front import FrontEnd
from ._native import core, registry
from ._perturbation import Perturbations

_FLOATS = (numpy.dtype(numpy.float32), numpy.dtype(numpy.float64))

# What an operator takes after its first array, by the names it has in _core.
_RELAXATION = ("temperature", "regularizer", "utility_range")
_TAKES = {
    "argmax": (),
    "log_partition": (),
    "marginals": (),
    "marginals_vjp": ("cotangent",),
    "sample": ("seed", "offset"),
    "log_prob": ("member",),
    "entropy": (),
    "cross_entropy": ("other",),
    "kl": ("other",),
    "k_best": ("count",),
    "active_set": ("count", *_RELAXATION),
    "relax": _RELAXATION,
    "relax_vjp": ("member", "cotangent", *_RELAXATION),
}
_LAW_VERBS = {
    "perturb": ("sample", ("seed", "offset")),
    "noise": ("noise", ("seed", "offset")),
    "perturb_vjp": ("sample_vjp", ("value", "cotangent")),
    "transform": ("transform", ("value",)),
    "transform_vjp": ("transform_vjp", ("value", "cotangent")),
    "perturbation_log_prob": ("log_prob", ("value",)),
    "perturbation_log_prob_vjp": ("log_prob_vjp", ("value", "cotangent")),
    "perturbation_kl": ("kl", ("value",)),
    "perturbation_kl_vjp": ("kl_vjp", ("value", "cotangent")),
}


class NumpyFrontEnd(FrontEnd):
    def call(self, verb, *arguments):
        if verb in _TAKES:
            return self._solve(verb, *arguments)
        return self._perturb(*_LAW_VERBS[verb], *arguments)

    def _solve(self, verb, utility, *arguments):
        *own, structure, shape, lengths, counts = arguments
        takes = {
            name: _packed(value) if isinstance(value, numpy.ndarray) else value
            for name, value in zip(_TAKES[verb], own, strict=True)
        }
        leading, result, value = utility.shape[:-1], self.registry["results"][verb], None
        if result == "entries":
            out = numpy.empty(utility.shape, utility.dtype)
        elif result == "number":
            out = numpy.empty(leading, utility.dtype)
        else:
            count = takes["count"]
            if not 1 <= count <= 2**30:
                raise ValueError(f"{verb}: count must be at least 1, got {count}")
            out = numpy.empty((*leading, count, utility.shape[-1]), utility.dtype)
            value = numpy.empty((*leading, count), utility.dtype)
        batch = utility.size // utility.shape[-1]
        core.solve(
            verb,
            structure,
            shape,
            batch,
            _packed(utility),
            out,
            value,
            None if lengths is None else _packed(lengths),
            None if counts is None else _packed(counts),
            **takes,
        )
        return out if value is None else (out, value)

    def _perturb(self, verb, takes, theta, *arguments):
        *own, perturbation, parameters = arguments
        out, value = numpy.empty(theta.shape, theta.dtype), None
        if verb.endswith("_vjp") and verb != "sample_vjp":
            value = numpy.empty(theta.shape, theta.dtype)
        size = theta.shape[-1] if theta.ndim else 1
        takes = {
            name: _packed(given) if isinstance(given, numpy.ndarray) else given
            for name, given in zip(takes, own, strict=True)
        }
        core.perturb(verb, perturbation, parameters, size, _packed(theta), out, value, **takes)
        return out if value is None else (out, value)

    def array(self, name, value):
        value = _as_array(name, value)
        if value.dtype not in _FLOATS:
            raise ValueError(
                f"{name}: expected float32 or float64, not {value.dtype}; convert it, as in "
                f"{name}.astype(numpy.float32)"
            )
        return value

    def like(self, name, value, first_name, first):
        value = _as_array(name, value)
        if value.dtype.kind not in "fiub":
            raise ValueError(f"{name}: expected numbers, not {value.dtype}")
        return value.astype(first.dtype, copy=False)

    def integers(self, name, value, utility):
        value = _as_array(name, value)
        if value.dtype.kind not in "iu":
            raise ValueError(f"{name}: expected integers, not {value.dtype}")
        return value.astype(numpy.int64, copy=False)

    def broadcast(self, first, second):
        if first.shape == second.shape:
            return first, second
        return numpy.broadcast_arrays(first, second)

    def expand(self, array, shape):
        return numpy.broadcast_to(array, shape)

    def divide(self, utility, temperature):
        temperature = self.like("temperature", temperature, "utility", utility)
        if not (temperature > 0).all():
            raise ValueError("temperature: expected numbers > 0 in the array")
        return numpy.divide(*self.broadcast_named("temperature", utility, temperature))

    def is_array(self, value):
        if isinstance(value, (float, int, numpy.generic)):
            return False
        return isinstance(value, (list, tuple)) or hasattr(value, "__array__") or hasattr(value, "__dlpack__")

    def seed(self, value):
        if isinstance(value, numpy.random.Generator):
            return int(value.integers(-(2**63), 2**63))
        return self.integer("seed", value)


def _as_array(name, value):
    """A NumPy array over the memory of `value`, copied only where it is none (lists, numbers)."""
    if type(value) is numpy.ndarray:
        return value
    try:
        if hasattr(value, "__dlpack__") and not isinstance(value, numpy.ndarray):
            return numpy.from_dlpack(value)
        value = numpy.asarray(value)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: can't be read as a NumPy array: {error}") from None
    if value.dtype == object:
        raise TypeError(f"{name}: expected an array of numbers, not {type(value.item(0)).__name__}")
    return value


def _packed(array):
    """The array itself where it is contiguous, else a copy that is."""
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else array.copy(order="C")


front = NumpyFrontEnd(registry)


class Structure(_structure.Structure):
    __doc__ = f"""{_structure.Structure.__doc__}
    Here arrays are NumPy's, or whatever has `__dlpack__` or `__array__`, such as tensors of PyTorch on
    the CPU; contiguous ones are read where they lie. Results are new NumPy arrays, of no dimensions
    where a number comes out. A seed may also be a `numpy.random.Generator`, from which one is drawn.
    Other Python threads run while a call computes, on `get_num_threads()` threads of its own.
    """

    _front = front

    def marginals_vjp(self, utility, cotangent, *, lengths=None, counts=None):
        """The gradient of sum(cotangent * marginals(utility)): the covariance of x under the Gibbs
        law times the cotangent.

        utility and cotangent, broadcast against each other, [..., size] -> [..., size].

        >>> softtricks.OneHot(categories=2).marginals_vjp([0.0, 0.0], [1.0, 0.0])
        array([ 0.25, -0.25])
        """
        pair = self._both("cotangent", utility, cotangent)
        return self._solve("marginals_vjp", pair, lengths, counts)

    def relax_vjp(
        self,
        utility,
        soft,
        cotangent,
        temperature,
        regularizer="gibbs_entropy",
        utility_range=None,
        *,
        lengths=None,
        counts=None,
    ):
        """The gradient of sum(cotangent * relax(utility, temperature, ...)) by the utilities.

        utility, soft (what `relax` gave for the same arguments) and cotangent: [..., size] of one
        shape -> [..., size]. The other arguments are those of `relax`.

        >>> pick, u = softtricks.OneHot(categories=2), [0.0, 0.0]
        >>> pick.relax_vjp(u, pick.relax(u, 0.5), [1.0, 0.0], 0.5)
        array([ 0.5, -0.5])
        """
        utility, scale = self._utility(utility), 1.0
        if self._front.is_array(temperature):
            scale = self._front.like("temperature", temperature, "utility", utility)
            temperature = 1.0
            utility = self._front.divide(utility, scale)
        utility, soft = self._both("soft", utility, soft)
        utility, cotangent = self._both("cotangent", utility, cotangent)
        soft = self._front.expand(soft, utility.shape)
        relaxation = self._relaxation(temperature, regularizer, utility_range)
        arguments = (utility, soft, cotangent, *relaxation)
        gradient = self._solve("relax_vjp", arguments, lengths, counts)
        return gradient if isinstance(scale, float) else gradient / scale


class NumpyPerturbations(Perturbations):
    def perturb_vjp(self, perturbation, theta, value, cotangent, **parameters):
        """The gradient of sum(cotangent * value) by theta, at value = perturb(perturbation, theta, ...).

        theta, value and cotangent: one shape and type, which the result has, too.

        >>> softtricks.perturb_vjp("gumbel", [0.0, 1.0], [0.5, 0.5], [1.0, 2.0])
        array([1., 2.])
        """
        return self._vjp("perturb_vjp", perturbation, theta, "value", value, cotangent, parameters)

    def transform_vjp(self, perturbation, theta, noise, cotangent, **parameters):
        """The gradients of sum(cotangent * transform(perturbation, theta, noise)) by theta and noise.

        >>> softtricks.transform_vjp("gumbel", [0.0], [1.0], [2.0])
        (array([2.]), array([2.]))
        """
        name = "transform_vjp"
        return self._vjp(name, perturbation, theta, "noise", noise, cotangent, parameters)

    def perturbation_log_prob_vjp(self, perturbation, theta, value, cotangent, **parameters):
        """The gradients of sum(cotangent * perturbation_log_prob(perturbation, theta, value)) by theta
        and value.

        >>> softtricks.perturbation_log_prob_vjp("normal", [0.0], [1.0], [1.0])
        (array([1.]), array([-1.]))
        """
        name = "perturbation_log_prob_vjp"
        return self._vjp(name, perturbation, theta, "value", value, cotangent, parameters)

    def perturbation_kl_vjp(self, perturbation, theta, theta0, cotangent, **parameters):
        """The gradients of sum(cotangent * perturbation_kl(perturbation, theta, theta0)) by theta and
        theta0.

        >>> softtricks.perturbation_kl_vjp("normal", [0.0], [1.0], [1.0])
        (array([-1.]), array([1.]))
        """
        name = "perturbation_kl_vjp"
        return self._vjp(name, perturbation, theta, "theta0", theta0, cotangent, parameters)

    def _vjp(self, verb, perturbation, theta, name, other, cotangent, parameters):
        theta = self._front.array("theta", theta)
        pair = []
        for label, given in ((name, other), ("cotangent", cotangent)):
            given = self._front.like(label, given, "theta", theta)
            if given.shape != theta.shape:
                raise ValueError(
                    f"{label}: expected the shape of theta, {[*theta.shape]}, not {[*given.shape]}"
                )
            pair.append(given)
        return self._front.call(verb, theta, *pair, *self._law(perturbation, parameters))


laws = NumpyPerturbations(front)


def get_num_threads():
    """How many threads a call of NumPy's front end may use: as many as there are cores, unless set.

    >>> softtricks.get_num_threads() >= 1
    True
    """
    return core.get_num_threads()


def set_num_threads(count):
    """Sets that number, at least 1, for all calls from now on. Results don't depend on it.

    >>> softtricks.set_num_threads(1)
    >>> softtricks.get_num_threads()
    1
    """
    count = front.integer("count", count)
    if not 1 <= count <= 1024:
        raise ValueError(f"count: expected a number of threads from 1 to 1024, not {count}")
    core.set_num_threads(count)
