"""Finds and loads libsofttricks_jax.so: registers its handlers with XLA, and asks what it refuses."""

import ctypes
import functools

import jax
import numpy

from .._native import find_library

SOLVE, PERTURB = "softtricks_solve", "softtricks_perturb"  # the handlers


def _load():
    loaded = ctypes.CDLL(str(find_library("libsofttricks_jax.so", "SOFTTRICKS_JAX_LIBRARY")))
    text, whole, real = ctypes.c_char_p, ctypes.c_int64, ctypes.c_double
    wholes, reals = ctypes.POINTER(whole), ctypes.POINTER(real)
    flag = ctypes.c_bool
    for name, arguments in {
        "refuses": (text, text, wholes, whole, text, real, real, whole, flag, flag),
        "law_refuses": (text, text, reals, whole),
    }.items():
        function = getattr(loaded, f"softtricks_{name}")
        function.argtypes, function.restype = arguments, text
    for target in (SOLVE, PERTURB):
        handler = jax.ffi.pycapsule(getattr(loaded, target))
        jax.ffi.register_ffi_target(target, handler, platform="cpu")
    return loaded


_library = _load()


def _integers(numbers):
    return (ctypes.c_int64 * len(numbers))(*numbers)


def _demand(complaint):
    if complaint is not None:
        raise ValueError(complaint.decode())


@functools.lru_cache(maxsize=4096)
def check_verb(
    verb, structure, shape, regularizer, temperature, utility_range, members, counts, dtype
):
    """ValueError where the library would refuse a call whatever its numbers are."""
    _demand(
        _library.softtricks_refuses(
            verb.encode(), structure.encode(), _integers(shape), len(shape),
            regularizer.encode(), temperature, utility_range, members, counts,
            dtype == numpy.float64,
        )
    )  # fmt: skip


@functools.lru_cache(maxsize=4096)
def check_law(verb, perturbation, parameters):
    """ValueError where the library would refuse a call of a perturbation."""
    numbers = (ctypes.c_double * len(parameters))(*parameters)
    _demand(
        _library.softtricks_law_refuses(
            verb.encode(), str(perturbation).encode(), numbers, len(parameters)
        )
    )
