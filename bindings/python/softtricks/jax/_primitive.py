"""The one primitive of JAX behind every verb: its shapes, its batching, how it becomes a custom call of
XLA, and its derivatives. One rule a verb, none a structure.

Derivatives are given forward, as tangents. What is not plain arithmetic in them, the covariance or
the Jacobian of a relaxation times a tangent, is a verb itself, linear in its cotangent, whose
transpose is again a verb; so backward mode and second derivatives follow from the same rules.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from .._native import registry
from ._library import PERTURB, SOLVE


@dataclasses.dataclass(frozen=True)
class Verb:
    """What of a call is known when it is traced."""

    name: str  # the library's
    handler: str
    result: str  # "entries", "number", "members" (and a number each), or "pair" of entries
    operands: tuple[str, ...]
    attributes: tuple  # pairs of name and value, as the handler reads them

    def get(self, name):
        return dict(self.attributes)[name]


_PERTURBATION_PAIRS = {f"{name}_vjp": "pair" for name in ("transform", "log_prob", "kl")}


def solve(name, handler, operands, attributes):
    """Calls a verb. operands: arrays by name, utility or theta first; attributes: pairs. Returns its
    results, one or two."""
    verb = _verb(name, handler, tuple(operands), tuple(attributes))
    return _primitive.bind(*_equally_varying(operands.values()), verb=verb)


@functools.lru_cache(maxsize=4096)
def _verb(name, handler, operands, attributes):
    results = registry["results"] if handler == SOLVE else _PERTURBATION_PAIRS
    return Verb(name, handler, results.get(name, "entries"), operands, attributes)


def _again(verb, name, operands, **replaced):
    """Another verb of the same structure or law, instance by instance the same problem."""
    kept = {key: operands[key] for key in ("lengths", "counts") if key in operands}
    return solve(name, verb.handler, {**replaced, **kept}, verb.attributes)


_primitive = Primitive("softtricks")
_primitive.multiple_results = True


@functools.lru_cache(maxsize=4096)
def _compiled(verb):
    return jax.jit(lambda *operands: _primitive.bind(*operands, verb=verb))


@_primitive.def_impl
def _run(*operands, verb):
    return _compiled(verb)(*operands)


def _varying(aval):
    """The axes of a shard_map along which devices hold different values."""
    manual = getattr(aval, "mat", None)
    return getattr(aval, "vma", frozenset()) if manual is None else manual.varying


def _equally_varying(operands):
    """Inside shard_map all operands must vary along the same axes."""
    operands = list(operands)
    if len(operands) == 1:
        return operands
    axes = [_varying(jax.typeof(operand)) for operand in operands]
    union = frozenset().union(*axes)
    for i, own in enumerate(axes):
        missing = tuple(union - own)
        if missing and hasattr(jax.lax, "pcast"):
            operands[i] = jax.lax.pcast(operands[i], missing, to="varying")
        elif missing:
            operands[i] = jax.lax.pvary(operands[i], missing)
    return operands


@_primitive.def_abstract_eval
def _shapes(first, *_, verb):
    leading = first.shape[:-1]
    if verb.result == "number":
        shapes = [leading]
    elif verb.result == "members":
        members = (*leading, int(verb.get("members")))
        shapes = [(*members, first.shape[-1]), members]
    else:
        shapes = [first.shape] * (2 if verb.result == "pair" else 1)
    return [_like(first, shape) for shape in shapes]


def _like(first, shape):
    """An array of another shape beside the first one: leading dimensions may be sharded, no others."""
    spec = tuple(first.sharding.spec)[: first.ndim - 1]
    spec = jax.sharding.PartitionSpec(*spec, *[None] * (len(shape) - len(spec)))
    sharding = jax.sharding.NamedSharding(first.sharding.mesh, spec)
    return first.update(shape=shape, weak_type=False, sharding=sharding)


def _batch(operands, dims, *, verb):
    (size,) = {o.shape[d] for o, d in zip(operands, dims, strict=True) if d is not None}
    moved = [
        jnp.broadcast_to(o, (size, *o.shape)) if d is None else jnp.moveaxis(o, d, 0)
        for o, d in zip(operands, dims, strict=True)
    ]
    results = _primitive.bind(*_equally_varying(moved), verb=verb)
    return results, [0] * len(results)


batching.primitive_batchers[_primitive] = _batch


# ---- custom calls -----------------------------------------------------------------------------


def _lower(context, *operands, verb):
    name = verb.name
    if name == "relax_jvp":
        if math.isfinite(verb.get("utility_range")):
            raise NotImplementedError(
                "softtricks: relax with a utility_range has no forward-mode derivative, only "
                "backward mode (jax.grad, jax.vjp, jax.jacrev)"
            )
        name = "relax_vjp"  # the Jacobian is symmetric
    attributes = dict(verb.attributes, verb=name, operands=",".join(verb.operands))
    call = jax.ffi.ffi_lowering(verb.handler)
    return call(context, *operands, **{k: _attribute(v) for k, v in attributes.items()})


def _attribute(value):
    """As XLA's handlers decode it."""
    if isinstance(value, tuple):
        return numpy.array(value, numpy.int64 if any(type(v) is int for v in value) else float)
    kinds = {bool: bool, int: numpy.int64, float: numpy.float64, str: str}
    return kinds[type(value)](value)


def _no_handler(context, *operands, verb):
    raise NotImplementedError(
        "softtricks.jax has kernels for the CPU only: put arrays there, as in "
        'jax.device_put(u, jax.devices("cpu")[0]), or trace under '
        'jax.default_device(jax.devices("cpu")[0])'
    )


mlir.register_lowering(_primitive, _no_handler)
mlir.register_lowering(_primitive, _lower, platform="cpu")


# ---- derivatives ------------------------------------------------------------------------------
# A rule gets the tangents by operand's name (those that are not zero), the result, the verb and the
# operands by name, and returns the tangent of the result.

_tangent_rules = {}


def _tangent_of(*names, handler=SOLVE):
    def register(rule):
        for name in names:
            _tangent_rules[handler, name] = rule
        return rule

    return register


def _jvp(primals, tangents, *, verb):
    results = _primitive.bind(*_equally_varying(primals), verb=verb)
    given = {
        name: tangent
        for name, tangent in zip(verb.operands, tangents, strict=True)
        if type(tangent) is not ad.Zero and tangent.dtype != jax.dtypes.float0
    }
    if not given:
        return results, [ad.Zero.from_primal_value(result) for result in results]
    rule = _tangent_rules.get((verb.handler, verb.name))
    if rule is None:
        raise NotImplementedError(f"softtricks: {verb.name} can't be differentiated (again)")
    operands = dict(zip(verb.operands, primals, strict=True))
    return results, [rule(given, results[0], verb, operands)]


ad.primitive_jvps[_primitive] = _jvp


def _covariance_times(verb, operands, tangent, utility=None):
    utility = operands["utility"] if utility is None else utility
    return _again(verb, "marginals_vjp", operands, utility=utility, cotangent=tangent)[0]


def _marginals(verb, operands, utility):
    return _again(verb, "marginals", operands, utility=utility)[0]


def _zero_where_excluded(utility, x):
    # An excluded entry is 0 in every member: its covariance is 0, and 0 * inf must not be NaN.
    return jnp.where(jnp.isinf(utility), 0, x)


def _dot(a, b):
    return jnp.sum(a * b, axis=-1)


@_tangent_of("log_partition")
def _(tangents, result, verb, operands):
    return _dot(_marginals(verb, operands, operands["utility"]), tangents["utility"])


@_tangent_of("marginals")
def _(tangents, result, verb, operands):
    return _covariance_times(verb, operands, tangents["utility"])


@_tangent_of("log_prob")
def _(tangents, result, verb, operands):
    slope = operands["member"] - _marginals(verb, operands, operands["utility"])
    return _dot(slope, tangents["utility"])


@_tangent_of("entropy")
def _(tangents, result, verb, operands):
    utility = operands["utility"]
    slope = _covariance_times(verb, operands, -_zero_where_excluded(utility, utility))
    return _dot(slope, tangents["utility"])


@_tangent_of("cross_entropy", "kl")
def _(tangents, result, verb, operands):
    """Of A(other) - other . marginals(utility), and of that less the entropy of utility."""
    utility, other = operands["utility"], operands["other"]
    total = 0
    if "utility" in tangents:
        slope = utility - other if verb.name == "kl" else -other
        slope = _covariance_times(verb, operands, _zero_where_excluded(utility, slope))
        total = total + _dot(slope, tangents["utility"])
    if "other" in tangents:
        slope = _marginals(verb, operands, other) - _marginals(verb, operands, utility)
        total = total + _dot(slope, tangents["other"])
    return total


@_tangent_of("relax")
def _(tangents, soft, verb, operands):
    arrays = {"member": soft, "cotangent": tangents["utility"]}
    return _again(verb, "relax_jvp", operands, utility=operands["utility"], **arrays)[0]


_TRANSPOSES = {
    "marginals_vjp": "marginals_vjp",
    "relax_vjp": "relax_jvp",
    "relax_jvp": "relax_vjp",
}


@_tangent_of(*_TRANSPOSES)
def _(tangents, result, verb, operands):
    if set(tangents) != {"cotangent"}:
        raise NotImplementedError(
            "softtricks: third derivatives of log_partition and second derivatives of marginals, "
            "entropy and relax are not offered"
        )
    return solve(verb.name, verb.handler, {**operands, **tangents}, verb.attributes)[0]


def _transpose(cotangents, *operands, verb):
    place = verb.operands.index("cotangent")
    (cotangent,) = cotangents
    answers = [None] * len(operands)
    if type(cotangent) is not ad.Zero:
        given = {**dict(zip(verb.operands, operands, strict=True)), "cotangent": cotangent}
        answers[place] = solve(_TRANSPOSES[verb.name], verb.handler, given, verb.attributes)[0]
    return answers


ad.primitive_transposes[_primitive] = _transpose


def entrywise(name, reads_result=False):
    """Registers a perturbation's verb, whose slopes its vjp tells: those for cotangents of 1."""

    @_tangent_of(name, handler=PERTURB)
    def _(tangents, result, verb, operands):
        given = {**operands, "value": result} if reads_result else operands
        arrays = {key: given[key] for key in ("theta", "value")}
        ones = jnp.ones_like(given["theta"])
        slopes = _again(verb, f"{name}_vjp", {}, **arrays, cotangent=ones)
        slopes = dict(zip(("theta", "value"), slopes, strict=False))
        return sum(slopes[key] * tangent for key, tangent in tangents.items())


entrywise("sample", reads_result=True)
for _name in ("transform", "log_prob", "kl"):
    entrywise(_name)
