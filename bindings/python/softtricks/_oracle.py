"""A set of the user's own, known by a Python function that finds its best member."""

import operator

import numpy

from ._native import core


class Oracle:
    """Any set of vectors with `size` entries, 0/1 or others, for which you have a solver.

    size      entries of a member
    argmax    utilities [batch, size] -> members [batch, size], the best one of each row: the x of
              largest u.x. NumPy arrays of float32 or float64, in and out. It must not ignore
              utilities of any sign, for soft samples ask it with others than those given. -inf excludes
              an entry; a row of NaN says that no member is left, and gives NaN in that row. What it
              raises reaches the caller as it is.
    batched   False: argmax takes a single row, [size] -> [size].
    exact     False: argmax may miss the best member. Soft samples then come from Frank-Wolfe with away
              steps, which stops at a squared distance of `tolerance` from the projection (of utility /
              temperature) as far as it can tell, or after `steps` steps; their gradients are those of
              the projection on the hull of the members it holds.

    Soft samples are Euclidean projections on the convex hull of the set (SparseMAP, Niculae et al.
    2018), made by an active set that asks argmax alone; all instances of a call ask at once. Up to
    1024 members an instance (64 for very large sizes).

    >>> import numpy
    >>> from softtricks import Oracle
    >>> pair = Oracle(2, lambda u: numpy.where(u.sum(-1, keepdims=True) > 0, 1.0, 0.0) + 0 * u)
    >>> pair.argmax(numpy.array([3.0, -1.0]))  # both or none
    array([1., 1.])
    >>> pair.relax(numpy.array([3.0, -2.0]), temperature=1.0)
    array([0.5, 0.5])
    """

    name = "oracle"
    verbs = ("argmax", "relax", "active_set")
    regularizers = ("squared_norm",)

    def __init__(self, size, argmax, *, batched=True, exact=True, tolerance=1e-6, steps=1000):
        try:
            self.size = operator.index(size)
        except TypeError:
            raise TypeError(f"size: expected an integer, not {size!r}") from None
        if self.size < 1:
            raise ValueError(f"size: expected at least 1, not {size}")
        if not callable(argmax):
            raise TypeError(f"argmax: expected a function, not {argmax!r}")
        if not tolerance >= 0:
            raise ValueError(f"tolerance: expected a number >= 0, not {tolerance!r}")
        if operator.index(steps) < 1:
            raise ValueError(f"steps: expected at least 1, not {steps}")
        self.best, self.batched, self.exact = argmax, batched, exact
        self.tolerance, self.steps = float(tolerance), operator.index(steps)

    def __repr__(self):
        return f"{type(self).__name__}({self.size}, {self.best!r})"

    def __getattr__(self, name):
        # Only what is not there gets here: the verbs of other structures among it.
        raise AttributeError(
            f"{name}: a solver of your own offers argmax, relax and active_set with "
            f'"squared_norm", and the estimators that need no more'
        )

    # ---- verbs ----------------------------------------------------------------------------------

    def argmax(self, utility):
        """The best member. utility [..., size] -> [..., size], the same type. No gradient."""
        return self._argmax(*self._rows(utility)).reshape(numpy.shape(utility))

    def relax(self, utility, temperature, regularizer="squared_norm"):
        """The soft sample: argmax over the convex hull of u . x - temperature * |x|^2 / 2.

        utility [..., size] -> [..., size]. temperature: a number > 0.
        """
        return self._solve(utility, temperature, regularizer)[0]

    def active_set(self, utility, temperature, count, regularizer="squared_norm"):
        """The members whose mixture the soft sample is, and their weights.

        utility [..., size] -> members [..., count, size] and weights [..., count], heaviest first; rows
        behind the last member are 0. Of more than `count` members the lightest are left out.
        """
        _, members, weights = self._solve(utility, temperature, regularizer)
        return _cut(members, count, -2), _cut(weights, count, -1)

    def _check_size(self, utility):
        if utility.ndim == 0 or utility.shape[-1] != self.size:
            raise ValueError(f"utility: expected shape [..., {self.size}], not {[*utility.shape]}")

    # ---- on arrays [batch, size] ------------------------------------------------------------------

    def _rows(self, utility):
        utility = numpy.asarray(utility)
        if utility.dtype not in (numpy.float32, numpy.float64):
            raise ValueError(f"utility: expected float32 or float64, not {utility.dtype}")
        self._check_size(utility)
        return (numpy.ascontiguousarray(utility.reshape(-1, self.size)),)

    def _argmax(self, utility):
        """The user's answers, checked. Rows with NaN or +inf are not asked about."""
        sound = (utility < numpy.inf).all(-1)
        if sound.all():
            return self._ask(utility)
        members = numpy.full_like(utility, numpy.nan)
        if sound.any():
            members[sound] = self._ask(utility[sound])
        return members

    def _ask(self, utility):
        if not len(utility):
            return utility
        if self.batched:
            members = numpy.asarray(self.best(utility))
        else:
            members = [numpy.asarray(self.best(row)) for row in utility]
            wrong = [m.shape for m in members if m.shape != (self.size,)]
            members = numpy.empty(wrong[0]) if wrong else numpy.stack(members)
        expected = utility.shape if self.batched else (len(utility), self.size)
        if members.shape != expected:
            shape = [*(expected if self.batched else expected[1:])]
            raise ValueError(
                f"argmax: expected the function to return shape {shape}, not {[*members.shape]}"
            )
        if members.dtype.kind not in "fiub":
            raise ValueError(f"argmax: expected the function to return numbers, not {members.dtype}")
        members = members.astype(utility.dtype)
        if not (numpy.isfinite(members) | numpy.isnan(members).all(-1, keepdims=True)).all():
            raise ValueError(
                "argmax: the function returned a number that is not finite; a row of NaN says that "
                "no member is left"
            )
        return numpy.ascontiguousarray(members)

    def _project(self, utility):
        """Points [batch, size], members [batch, count, size], weights [batch, count]."""
        search = core.projections(utility, self.exact, self.tolerance, self.steps)
        while len(questions := search.ask()):
            search.answer(self._ask(questions))
        return search.result()

    def _solve(self, utility, temperature, regularizer):
        (rows,) = self._rows(utility)
        found = self._project(rows / self._temperature(temperature, regularizer))
        leading = numpy.shape(utility)[:-1]
        return [x.reshape(*leading, *x.shape[1:]) for x in found]

    @staticmethod
    def _temperature(temperature, regularizer):
        if regularizer != "squared_norm":
            raise ValueError(
                f'regularizer: a solver of your own offers "squared_norm", not {regularizer!r}'
            )
        try:
            if isinstance(temperature, (bool, str)):
                raise TypeError
            number = float(temperature)
        except (RuntimeError, TypeError, ValueError):  # of arrays, too
            raise TypeError(f"temperature: expected a number, not {temperature!r}") from None
        if not 0 < number < numpy.inf:
            raise ValueError(f"temperature: expected a number > 0, not {temperature!r}")
        return number


def projection_vjp(utility, members, weights, cotangent):
    """Of `Oracle._project`; asks nobody."""
    arrays = map(numpy.ascontiguousarray, (utility, members, weights, cotangent))
    return core.projection_vjp(*arrays)


def _cut(x, count, axis, array=numpy):
    """The first `count` along an axis, and 0 behind the last."""
    if operator.index(count) < 1:
        raise ValueError(f"count: expected at least 1, not {count}")
    x = x[(..., slice(count), *[slice(None)] * (-1 - axis))]
    missing = [(0, 0)] * x.ndim
    missing[axis] = (0, count - x.shape[axis])
    return array.pad(x, missing)
