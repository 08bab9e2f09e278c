"""What a framework adds to the text that front ends share: the arrays' type, their checks, and how an
operator is called. NumPy, PyTorch and JAX each have one object of a class derived from `FrontEnd`.
"""

import importlib
import operator

from ._native import core


def need(framework, name, part="__version__"):
    """Fails where the framework is not installed, or too old to have that part, and says how to get it."""
    needs = f"softtricks.{framework} needs {name} or later: pip install 'softtricks[{framework}]'"
    try:
        module = importlib.import_module(framework)
    except ModuleNotFoundError as error:
        if error.name != framework:
            raise
        raise ImportError(needs) from None
    if not hasattr(module, part):
        raise ImportError(f"{needs} (this is {module.__version__})")


class FrontEnd:
    """The hooks of a framework, and checks of numbers, which are the same for all.

    Arrays have `shape`, `ndim` and `dtype`. A name that comes first is an argument's, for messages.
    """

    def __init__(self, registry):
        self.registry = registry
        self.perturbations = {law["name"]: law["parameters"] for law in registry["perturbations"]}

    # ---- hooks ----------------------------------------------------------------------------------

    def call(self, verb, *arguments):
        """Calls an operator, with its gradient where the framework has any; what the library refuses
        is a ValueError. Arguments are arrays, then numbers and names, and at the end (structure,
        shape, lengths, counts) or (perturbation, parameters)."""
        raise NotImplementedError

    def structure_size(self, name, shape):
        """How many entries the structure of that shape has; ValueError where there is none."""
        return core.structure_size(name, shape)

    def array(self, name, value):
        """The array of float32 or float64 that `value` is; anything else is an error."""
        raise NotImplementedError

    def like(self, name, value, first_name, first):
        """`value` as an array of any type beside the array `first`: in the same place, in its type."""
        raise NotImplementedError

    def integers(self, name, value, utility):
        """`value`, integers of any kind, as an array of int64 in the place of `utility`."""
        raise NotImplementedError

    def broadcast(self, first, second):
        """Both in their common shape; RuntimeError or ValueError where there is none."""
        raise NotImplementedError

    def expand(self, array, shape):
        """The array in that shape; RuntimeError or ValueError where it does not broadcast to it."""
        raise NotImplementedError

    def divide(self, utility, temperature):
        """utility / temperature, an array, differentiably in both; what is -inf stays so."""
        raise NotImplementedError

    def constant(self, array):
        """The array, through which no gradient flows."""
        return array

    def is_array(self, value):
        """Is it an array, rather than a number of Python's?"""
        return hasattr(value, "shape")

    def symbolic(self, value):
        """Does the number stand for others, so that it can't be looked at? (While it is traced.)"""
        return False

    def seed(self, value):
        """What names the random stream, as the operators take it."""
        return self.integer("seed", value)

    # ---- numbers --------------------------------------------------------------------------------

    def integer(self, name, value):
        """A seed, an offset, a count, the field of a structure."""
        if self.symbolic(value):
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

    def number(self, name, value):
        if self.symbolic(value):
            return value
        if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
            raise TypeError(f"{name}: expected a number, not {value!r}")
        return float(value)

    def broadcast_named(self, name, first, second):
        try:
            return self.broadcast(first, second)
        except (RuntimeError, ValueError):
            raise ValueError(
                f"{name}: expected a shape that broadcasts with {[*first.shape]}, "
                f"not {[*second.shape]}"
            ) from None

    def one_an_instance(self, name, given, utility):
        """lengths and counts: one integer an instance, or None."""
        if given is None:
            return None
        given = self.integers(name, given, utility)
        try:
            return self.expand(given, utility.shape[:-1])
        except (RuntimeError, ValueError):
            raise ValueError(
                f"{name}: expected one number an instance, {[*utility.shape[:-1]]} of them or what "
                f"broadcasts to that, not {[*given.shape]}"
            ) from None
