"""What JAX adds to the text that front ends share: arrays, keys, and calls of the primitive."""

import math

import jax
import jax.numpy as jnp
import numpy

from .._front import FrontEnd
from .._native import registry
from . import _library
from ._primitive import solve

_HALVES = (numpy.dtype(jnp.bfloat16), numpy.dtype(jnp.float16))
_FLOATS = (numpy.dtype(numpy.float32), numpy.dtype(numpy.float64), *_HALVES)

# What the library calls an operator's arrays beside utilities, or beside theta.
_ARRAYS = {
    "log_prob": ("member",),
    "cross_entropy": ("other",),
    "kl": ("other",),
    "transform": ("value",),
    "perturbation_log_prob": ("value",),
    "perturbation_kl": ("value",),
}
_LAW_VERBS = {
    "perturb": "sample",
    "noise": "noise",
    "transform": "transform",
    "perturbation_log_prob": "log_prob",
    "perturbation_kl": "kl",
}


class JaxFrontEnd(FrontEnd):
    def call(self, verb, *arguments):
        own_type = arguments[0].dtype
        half = own_type in _HALVES
        if half:
            arguments = [
                a.astype(jnp.float32) if getattr(a, "dtype", None) == own_type else a
                for a in arguments
            ]
        results = _perturb(verb, *arguments) if verb in _LAW_VERBS else _solve(verb, *arguments)
        if half:
            results = [result.astype(own_type) for result in results]
        return results[0] if len(results) == 1 else tuple(results)

    def array(self, name, value):
        value = _array(name, value)
        if value.dtype not in _FLOATS:
            raise ValueError(
                f"{name}: expected float32, float64, bfloat16 or float16, not {value.dtype}; "
                f"convert it, as in {name}.astype(jnp.float32)"
            )
        return value

    def like(self, name, value, first_name, first):
        return _array(name, value).astype(first.dtype)

    def integers(self, name, value, utility):
        value = jnp.asarray(value)
        if not jnp.issubdtype(value.dtype, jnp.integer):
            raise ValueError(f"{name}: expected integers, not {value.dtype}")
        return value.astype(jnp.int64 if jax.config.jax_enable_x64 else jnp.int32)

    def broadcast(self, first, second):
        return jnp.broadcast_arrays(first, second)

    def expand(self, array, shape):
        return jnp.broadcast_to(array, shape)

    def divide(self, utility, temperature):
        """Without 0 * inf in the gradient where an entry is excluded."""
        temperature = self.like("temperature", self.array("temperature", temperature), "", utility)
        if not self.symbolic(temperature) and not bool((temperature > 0).all()):
            raise ValueError("temperature: expected numbers > 0 in the array")
        utility, temperature = self.broadcast_named("temperature", utility, temperature)
        excluded = jnp.isinf(utility)
        scaled = jnp.where(excluded, 0, utility) / temperature
        return jnp.where(excluded, utility, scaled)

    def constant(self, array):
        return jax.lax.stop_gradient(array)

    def symbolic(self, value):
        return isinstance(value, jax.core.Tracer)

    def integer(self, name, value):
        if self.symbolic(value) and name != "offset":
            raise TypeError(
                f"{name}: expected an integer that is known while the function is traced; name it in "
                f"static_argnums or static_argnames of jax.jit"
            )
        return _words(value) if name == "offset" else super().integer(name, value)

    def number(self, name, value):
        if self.symbolic(value):
            raise TypeError(f"{name}: expected a number that is known while the function is traced")
        return super().number(name, value)

    def seed(self, value):
        """An integer, also a traced one, or a key of jax.random: two words of 32 bits."""
        kind = getattr(value, "dtype", None)
        if kind is None or (jnp.issubdtype(kind, jnp.integer) and jnp.ndim(value) == 0):
            return _words(value, "seed")
        typed = jnp.issubdtype(kind, jax.dtypes.prng_key)
        if jnp.ndim(value) != (0 if typed else 1) or not (typed or kind == jnp.uint32):
            raise ValueError(
                "seed: expected an integer, or one key of jax.random; for a key an instance, use jax.vmap"
            )
        return jax.random.bits(value, (2,), jnp.uint32)


def _array(name, value):
    if isinstance(value, jax.Array):
        return value
    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        raise TypeError(f"{name}: expected a jax.Array, not {type(value).__name__}")
    return jnp.asarray(value)


def _words(value, name="offset"):
    """A 64-bit integer as two words of 32, low first. No number of Python's has to become a constant
    of 64 bits, which JAX has only on demand."""
    if isinstance(value, jax.core.Tracer):
        if not jnp.issubdtype(value.dtype, jnp.integer) or value.ndim != 0:
            raise TypeError(f"{name}: expected an integer, not {value.dtype}{list(value.shape)}")
        high = jax.lax.shift_right_arithmetic(value, jnp.array(31, value.dtype))
        if value.dtype.itemsize == 8:
            high = jax.lax.shift_right_logical(value, jnp.array(32, value.dtype))
        elif jnp.issubdtype(value.dtype, jnp.unsignedinteger):
            high = jnp.zeros_like(value)
        return jnp.stack([value.astype(jnp.uint32), high.astype(jnp.uint32)])
    number = FrontEnd.integer(front, name, value) % 2**64
    return numpy.array([number % 2**32, number // 2**32], numpy.uint32)


def _stream(seed, offset):
    traced = any(isinstance(words, jax.Array) for words in (seed, offset))
    return (jnp if traced else numpy).concatenate([seed, offset])


def _solve(verb, utility, *arguments):
    """arguments: arrays and numbers of the verb, then structure, shape, lengths, counts."""
    *own, structure, shape, lengths, counts = arguments
    attributes = {"regularizer": "gibbs_entropy", "temperature": 1.0, "utility_range": math.inf}
    attributes |= {"structure": structure, "shape": shape, "members": 0}
    operands = {"utility": utility}
    if verb in ("k_best", "active_set"):
        attributes["members"] = own.pop(0)
    if verb in ("relax", "active_set"):
        temperature, attributes["regularizer"], utility_range = own
        attributes["temperature"] = temperature
        attributes["utility_range"] = math.inf if utility_range is None else utility_range
    elif verb == "sample":
        operands["stream"] = _stream(*own)
    operands |= zip(_ARRAYS.get(verb, ()), own, strict=False)
    operands |= {k: a for k, a in (("lengths", lengths), ("counts", counts)) if a is not None}
    _library.check_verb(
        verb, **attributes, counts=counts is not None, dtype=numpy.dtype(utility.dtype)
    )
    return solve(verb, _library.SOLVE, operands, sorted(attributes.items()))


def _perturb(verb, theta, *arguments):
    """arguments: arrays and numbers of the verb, then perturbation and its parameters."""
    *own, perturbation, parameters = arguments
    name, parameters = _LAW_VERBS[verb], tuple(parameters)
    _library.check_law(name, perturbation, parameters)
    operands = {"theta": theta}
    if verb in ("perturb", "noise"):
        operands["stream"] = _stream(*own)
    operands |= zip(_ARRAYS.get(verb, ()), own, strict=False)
    scalar = theta.ndim == 0  # vmap's dimensions are leading ones, so there must be one behind them
    if scalar:
        operands |= {k: a.reshape(1) for k, a in operands.items() if k != "stream"}
    attributes = {"perturbation": perturbation, "parameters": parameters}
    results = solve(name, _library.PERTURB, operands, sorted(attributes.items()))
    return [result.reshape(()) for result in results] if scalar else results


front = JaxFrontEnd(registry)
