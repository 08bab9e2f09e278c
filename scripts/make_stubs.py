#!/usr/bin/env python3
"""Writes the type stubs of the front ends, whose classes are made when they are imported.

    scripts/make_stubs.py [MODULE...]     beside each front end named, or all three: __init__.pyi, and
                                          estimators.pyi where it has estimators

Types come from the names of arguments, which mean the same in every verb; an unknown name is an error.
"""

import importlib
import inspect
import sys
from pathlib import Path

# Of each front end: imports and what its arrays are. Array comes out, ArrayLike goes in.
PREAMBLES = {
    "softtricks": '''from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy
from numpy.typing import ArrayLike as NumpyLike
from numpy.typing import NDArray

class _Lends(Protocol):
    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...

Array: TypeAlias = NDArray[Any]
ArrayLike: TypeAlias = NumpyLike | _Lends
Integers: TypeAlias = NumpyLike | _Lends
Seed: TypeAlias = int | numpy.random.Generator

__version__: str
''',
    "softtricks.torch": '''from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from torch import Tensor

Array: TypeAlias = Tensor
ArrayLike: TypeAlias = Tensor
Integers: TypeAlias = Tensor | Sequence[int] | int
Seed: TypeAlias = int
''',
    "softtricks.jax": '''from collections.abc import Callable
from typing import Any, TypeAlias

from jax import Array as Array
from numpy.typing import ArrayLike as NumpyLike

ArrayLike: TypeAlias = Array | NumpyLike
Integers: TypeAlias = Array | NumpyLike
Seed: TypeAlias = int | None
''',
}

ESTIMATORS = '''# Written by scripts/make_stubs.py.
from collections.abc import Callable
from typing import Any

from . import Array, ArrayLike, Integers, Oracle, Seed, Structure
'''
ARRAYS = ["utility", "x", "other", "soft", "cotangent", "theta", "theta0", "value", "noise"]
TYPES = {
    **dict.fromkeys(ARRAYS, "ArrayLike"),
    **dict.fromkeys(["lengths", "counts"], "Integers | None"),
    **dict.fromkeys(["offset", "count"], "int"),
    **dict.fromkeys(["perturbation", "regularizer"], "str"),
    "seed": "Seed",
    "key": "Array | None",
    "temperature": "float | ArrayLike",
    "utility_range": "float | None",
    "parameters": "float",
    "structure": "Structure | Oracle",
    "target": "ArrayLike",
    "changed": "ArrayLike | None",
    "samples": "int | None",
    "baseline": "Any",
    "step": "Any",
    "loss": "Callable[[Array], Array]",
    **dict.fromkeys(["size", "steps", "draws"], "int"),
    **dict.fromkeys(["batched", "exact", "central", "jittable"], "bool"),
    "tolerance": "float",
    "argmax": "Callable[[Any], Any]",
}
PAIR = "tuple[Array, Array]"
RETURNS = {
    **dict.fromkeys(["k_best", "active_set", "transform_vjp"], PAIR),
    **dict.fromkeys(["perturbation_log_prob_vjp", "perturbation_kl_vjp"], PAIR),
    "get_num_threads": "int",
    "set_num_threads": "None",
}


def parameter(p):
    if p.name == "self":
        return "self"
    stars = {p.VAR_KEYWORD: "**", p.VAR_POSITIONAL: "*"}.get(p.kind, "")
    default = "" if p.default is p.empty else f" = {p.default!r}"
    return f"{stars}{p.name}: {TYPES[p.name]}{default}"


def function(name, value, indent=""):
    parts, keyword_only = [], False
    for p in inspect.signature(value).parameters.values():
        if p.kind is p.KEYWORD_ONLY and not keyword_only:
            parts.append("*")
            keyword_only = True
        parts.append(parameter(p))
    return f"{indent}def {name}({', '.join(parts)}) -> {RETURNS.get(name, 'Array')}: ...\n"


def base_class(cls):
    text = '''class Structure:
    name: str
    fields: tuple[str, ...]
    verbs: tuple[str, ...]
    regularizers: tuple[str, ...]
    shape: tuple[int, ...]
    size: int
    def __init__(self, *fields: int, **named: int) -> None: ...
'''
    for name in sorted(set(dir(cls)) - set(dir(object))):
        if not name.startswith("_") and inspect.isfunction(getattr(cls, name)):
            text += function(name, getattr(cls, name), "    ")
    return text


def oracle(cls):
    init = function("__init__", cls.__init__, "    ").replace("-> Array", "-> None")
    verbs = "".join(function(verb, getattr(cls, verb), "    ") for verb in cls.verbs)
    verbs = verbs.replace("temperature: float | ArrayLike", "temperature: float")
    return f"class {cls.__name__}:\n    size: int\n{init}{verbs}"


def structure(cls):
    parameters = inspect.signature(cls).parameters.values()
    fields = "".join(f"    {p.name}: int\n" for p in parameters)
    defaults = ["" if p.default is p.empty else f" = {p.default}" for p in parameters]
    own = ", ".join(f"{p.name}: int{d}" for p, d in zip(parameters, defaults, strict=True))
    return f"class {cls.__name__}(Structure):\n{fields}    def __init__(self, {own}) -> None: ...\n"


def stub(module):
    """The text of a front end's stub."""
    functions, classes, imports = [], [], []
    for name in sorted(module.__all__):
        value = getattr(module, name)
        if name in module.structures:
            classes.append(structure(value))
        elif name == "Oracle":
            classes.append(oracle(value))
        elif inspect.isroutine(value):
            functions.append(function(name, value))
        elif inspect.ismodule(value):
            imports.append(f"from . import {name} as {name}\n")
    values = '''structures: dict[str, type[Structure]]
perturbations: dict[str, dict[str, float]]
instruction_set: str
'''
    body = "\n".join([base_class(module.Structure), *classes, "".join(functions)])
    head = "# Written by scripts/make_stubs.py.\n" + PREAMBLES[module.__name__]
    return f"{head}\n{''.join(imports)}\n{values}\n{body}"


def estimators_stub(module):
    """The text of the stub of a front end's estimators."""
    values = [name for name in module.__all__ if inspect.isclass(getattr(module, name))]
    functions = [name for name in module.__all__ if name not in values]
    classes = "\n".join(plain_class(getattr(module, name)) for name in values)
    text = "".join(function(name, getattr(module, name)) for name in functions)
    # None is the Gibbs law, or the law that a structure goes with.
    text = text.replace("perturbation: str =", "perturbation: str | None =")
    text = text.replace("key: Array | None,", "key: Array | int,")
    return f"{ESTIMATORS}\n{classes}\n{text}"


def plain_class(cls):
    """A dataclass whose methods make others of it."""
    fields = [f"{p.name}: Any{'' if p.default is p.empty else f' = {p.default!r}'}"
              for p in inspect.signature(cls).parameters.values()]  # fmt: skip
    text = f"class {cls.__name__}:\n    def __init__({', '.join(['self', *fields])}) -> None: ...\n"
    for name in inspect.signature(cls).parameters:
        text += f"    {name}: Any\n"
    for name in sorted(set(dir(cls)) - {*dir(object), *inspect.signature(cls).parameters}):
        value = getattr(cls, name)
        if inspect.isfunction(value) and not name.startswith("_"):
            given = ", ".join(f"{p}: Any" for p in list(inspect.signature(value).parameters)[1:])
            text += f"    def {name}(self, {given}) -> Any: ...\n"
        elif isinstance(value, property):
            text += f"    @property\n    def {name}(self) -> Any: ...\n"
    return text


def stubs(module):
    """Stub files and their texts."""
    yield place(module), stub(module)
    if hasattr(module, "estimators"):
        yield place(module.estimators), estimators_stub(module.estimators)


def place(module):
    return Path(module.__file__).with_suffix(".pyi")


def main(names):
    for name in names or PREAMBLES:
        module = importlib.import_module(name)
        for path, text in stubs(module):
            path.write_text(text)
            print(path)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bindings" / "python"))
    main(sys.argv[1:])
