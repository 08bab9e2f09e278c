"""softtricks.Oracle: a set known by a Python function, held against the built-in structures, against
enumeration, and against finite differences."""

import itertools
import pickle

import numpy
import pytest
import torch
import torch_support  # noqa: F401, sets the path
from torch_support import spanning_tree

import softtricks
import softtricks.torch as st
from softtricks.torch import estimators as se

MEMBERS = spanning_tree(4).double().numpy()
TREE = st.SpanningTree(4)


def best_of(members, asked=None):
    """The solver: the best of all members."""

    def argmax(utility):
        if asked is not None:
            asked.append(utility.shape)
        finite = numpy.where(members[:, None] == 0, 0, utility)  # 0 * -inf
        return members[(members[:, None] * finite).sum(-1).argmax(0)]

    return argmax


ORACLE = softtricks.Oracle(6, best_of(MEMBERS))
TENSORS = st.Oracle(6, best_of(MEMBERS))


def utilities(*leading, dtype=numpy.float64):
    return numpy.random.default_rng(0).normal(size=(*leading, 6)).astype(dtype) * 2


@pytest.mark.parametrize("dtype, tolerance", [(numpy.float32, 1e-5), (numpy.float64, 1e-12)])
@pytest.mark.parametrize("leading", [(), (1,), (40,), (2, 3), (0,)])
def test_agrees_with_the_built_in_structure(leading, dtype, tolerance):
    u = utilities(*leading, dtype=dtype)
    t = torch.from_numpy(u)
    assert numpy.array_equal(ORACLE.argmax(u), TREE.argmax(t).numpy())
    soft = TREE.relax(t, 0.5, "squared_norm").numpy()
    got = ORACLE.relax(u, 0.5)
    assert got.shape == u.shape and got.dtype == dtype
    numpy.testing.assert_allclose(got, soft, atol=tolerance)
    numpy.testing.assert_allclose(TENSORS.relax(t, 0.5).numpy(), soft, atol=tolerance)


def test_active_set_is_what_the_soft_sample_is_made_of():
    u = utilities(20)
    members, weights = ORACLE.active_set(u, 0.5, 7)
    soft = ORACLE.relax(u, 0.5)
    numpy.testing.assert_allclose((weights[..., None] * members).sum(-2), soft, atol=1e-12)
    assert (numpy.diff(weights) <= 0).all()
    numpy.testing.assert_allclose(weights.sum(-1), 1)
    for row, weight in zip(members.reshape(-1, 6), weights.reshape(-1), strict=True):
        assert (row == MEMBERS).all(-1).any() if weight > 0 else not row.any()
    few, lightest = ORACLE.active_set(u, 0.5, 1)
    assert few.shape == (20, 1, 6) and (lightest[:, 0] == weights[:, 0]).all()


def test_gradient():
    """Exact: that of the built-in structure, and finite differences."""
    u = torch.from_numpy(utilities(5)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: TENSORS.relax(v, 0.5), u)
    asked = []
    counting = st.Oracle(6, best_of(MEMBERS, asked))
    x = counting.relax(u, 0.5)
    before = len(asked)
    x.square().sum().backward()
    assert len(asked) == before, "the gradient asks nothing"
    expected, = torch.autograd.grad(TREE.relax(u, 0.5, "squared_norm").square().sum(), u)
    torch.testing.assert_close(u.grad, expected)


def test_all_instances_ask_at_once():
    asked = []
    softtricks.Oracle(6, best_of(MEMBERS, asked)).relax(utilities(500), 0.3)
    assert asked[0] == (500, 6) and len(asked) < 20


def test_one_at_a_time():
    one = softtricks.Oracle(6, lambda u: best_of(MEMBERS)(u[None])[0], batched=False)
    u = utilities(2, 3)
    assert numpy.array_equal(one.argmax(u), ORACLE.argmax(u))
    numpy.testing.assert_allclose(one.relax(u, 0.5), ORACLE.relax(u, 0.5))


def test_members_that_are_not_binary():
    """The projection on a square of side 2, clipped entry by entry."""
    square = softtricks.Oracle(2, lambda u: numpy.where(u > 0, 1.0, -1.0))
    u = numpy.array([[0.25, -3.0], [0.5, 0.75]])
    numpy.testing.assert_allclose(square.relax(u, 1.0), u.clip(-1, 1), atol=1e-12)


def test_frank_wolfe_takes_a_solver_that_may_miss():
    """To a distance of sqrt(tolerance) with an exact solver; with one that misses the best by some
    amount, to the root of that."""
    u = utilities(20)
    exact = ORACLE.relax(u, 0.5)
    slow = softtricks.Oracle(6, best_of(MEMBERS), exact=False, tolerance=1e-8, steps=5000)
    assert numpy.linalg.norm(slow.relax(u, 0.5) - exact, axis=-1).max() <= 1e-4
    rough = numpy.random.default_rng(1)

    def misses(utility):
        return best_of(MEMBERS)(utility + 0.01 * rough.uniform(-1, 1, utility.shape))

    near = softtricks.Oracle(6, misses, exact=False, tolerance=1e-3)
    assert numpy.linalg.norm(near.relax(u, 0.5) - exact, axis=-1).max() <= (1e-3 + 0.12) ** 0.5
    members, weights = slow.active_set(u, 0.5, 50)
    assert (numpy.diff(weights) <= 0).all()
    v = torch.from_numpy(u).requires_grad_()
    st.Oracle(6, best_of(MEMBERS), exact=False, tolerance=1e-12, steps=5000).relax(v, 0.5)[
        :, 0
    ].sum().backward()
    assert v.grad.isfinite().all()


# ---- estimators ---------------------------------------------------------------------------------


def test_everything_that_needs_argmax_alone_is_that_of_the_structure():
    u = torch.from_numpy(utilities(30))
    target = torch.from_numpy(MEMBERS[3])
    weight = torch.arange(6.0).double()
    for estimate in (
        lambda s, t: se.implicit_mle(s, t, seed=1, samples=2, central=True) @ weight,
        lambda s, t: se.implicit_mle(s, t, seed=1, step=se.AdaptiveStep()) @ weight,
        lambda s, t: se.perturbed_argmax(s, t, seed=1, samples=5) @ weight,
        lambda s, t: se.score_function(s, t, lambda x: x @ weight, seed=1, samples=3),
        lambda s, t: se.perturbed_fenchel_young(s, t, target, seed=1, samples=3),
        lambda s, t: se.relaxed(s, t, seed=1, temperature=0.5, regularizer="squared_norm") @ weight,
        lambda s, t: se.straight_through(
            s, t, seed=1, temperature=0.5, regularizer="squared_norm"
        ) @ weight,
        lambda s, t: se.fenchel_young(s, t, target, regularizer="squared_norm"),
    ):
        found = []
        for structure in (TENSORS, TREE):
            theta = u.clone().requires_grad_()
            value = estimate(structure, theta)
            value.sum().backward()
            found.append((value.detach(), theta.grad))
        torch.testing.assert_close(*found)


def test_transforms():
    u = torch.from_numpy(utilities(4))
    loss = lambda s: lambda t: s.relax(t, 0.5, "squared_norm").square().sum()  # noqa: E731
    got = torch.func.vmap(torch.func.grad(loss(TENSORS)))(u)
    torch.testing.assert_close(got, torch.func.vmap(torch.func.grad(loss(TREE)))(u))
    jacobian = torch.func.jacrev(lambda t: TENSORS.relax(t, 0.5))(u[0])
    torch.testing.assert_close(jacobian, jacobian.T, atol=1e-10, rtol=0)
    hard = torch.func.vmap(TENSORS.argmax)(u)
    assert torch.equal(hard, TREE.argmax(u))
    compiled = torch.compile(lambda t: TENSORS.relax(2 * t, 0.5) + 1, backend="aot_eager")
    torch.testing.assert_close(compiled(u), TENSORS.relax(2 * u, 0.5) + 1)


# ---- what may go wrong --------------------------------------------------------------------------


class Broken(Exception):
    pass


@pytest.mark.parametrize("front_end", [softtricks.Oracle, st.Oracle])
def test_errors_of_the_function_reach_the_caller(front_end):
    calls = itertools.count()

    def argmax(utility):
        if next(calls) >= 2:
            raise Broken("in the third call")
        return best_of(MEMBERS)(utility)

    u = utilities(3) if front_end is softtricks.Oracle else torch.from_numpy(utilities(3))
    with pytest.raises(Broken, match="in the third call"):
        front_end(6, argmax).relax(u, 0.1)
    numpy.testing.assert_allclose(ORACLE.relax(utilities(3), 0.1).sum(-1), 3)  # all is well after


@pytest.mark.parametrize(
    "returned, match",
    [
        (lambda u: u[:, :3], r"shape \[4, 6\], not \[4, 3\]"),
        (lambda u: u[0], r"shape \[4, 6\], not \[6\]"),
        (lambda u: numpy.where(u > 0, numpy.inf, 0), "not finite"),
        (lambda u: u.astype(str), "numbers"),
    ],
)
def test_wrong_answers(returned, match):
    wrong = softtricks.Oracle(6, returned)
    for verb in (wrong.argmax, lambda u: wrong.relax(u, 1.0)):
        with pytest.raises(ValueError, match=match):
            verb(utilities(4))


def test_nan_stays_in_its_row():
    """NaN or inf given, and what the function says has no member."""
    u = utilities(5)
    u[1, 2], u[2, 0] = numpy.nan, numpy.inf
    u[3] = -numpy.inf

    def argmax(utility):
        members = best_of(MEMBERS)(utility)
        members[(utility == -numpy.inf).all(-1)] = numpy.nan
        return members

    oracle = softtricks.Oracle(6, argmax)
    for x in (oracle.argmax(u), oracle.relax(u, 1.0)):
        assert numpy.isnan(x[[1, 2, 3]]).all()
        assert not numpy.isnan(x[[0, 4]]).any()
    t = torch.from_numpy(u).requires_grad_()
    st.Oracle(6, argmax).relax(t, 1.0)[:, 0].sum().backward()
    assert t.grad[[1, 2, 3]].isnan().all() and t.grad[[0, 4]].isfinite().all()


def test_excluded_entries_are_zero():
    u = utilities(5)
    u[:, 1] = -numpy.inf
    assert (ORACLE.relax(u, 1.0)[:, 1] == 0).all()
    expected = TREE.relax(torch.from_numpy(u), 1.0, "squared_norm").numpy()
    numpy.testing.assert_allclose(ORACLE.relax(u, 1.0), expected, atol=1e-12)


@pytest.mark.parametrize(
    "error, match, call",
    [
        (TypeError, "size", lambda: softtricks.Oracle(2.5, max)),
        (ValueError, "size", lambda: softtricks.Oracle(0, max)),
        (TypeError, "argmax", lambda: softtricks.Oracle(2, 3)),
        (ValueError, "utility", lambda: ORACLE.argmax(numpy.zeros(5))),
        (ValueError, "float32", lambda: ORACLE.argmax(numpy.zeros(6, int))),
        (ValueError, "temperature", lambda: ORACLE.relax(utilities(1), 0.0)),
        (ValueError, "squared_norm", lambda: ORACLE.relax(utilities(1), 1.0, "gibbs_entropy")),
        (ValueError, "count", lambda: ORACLE.active_set(utilities(1), 1.0, 0)),
        (AttributeError, "offers argmax, relax", lambda: ORACLE.log_partition(utilities(1))),
        (AttributeError, "marginals", lambda: TENSORS.marginals(torch.zeros(6))),
        (AttributeError, "offers", lambda: se.exact_straight_through(
            TENSORS, torch.zeros(6), seed=0)),
        (ValueError, "gumbel_rao", lambda: se.gumbel_rao(
            TENSORS, torch.zeros(6), seed=0, temperature=1.0)),
    ],
)  # fmt: skip
def test_misuse(error, match, call):
    with pytest.raises(error, match=match):
        call()


def module_level(utility):
    return numpy.ones_like(utility)


def test_pickles():
    again = pickle.loads(pickle.dumps(softtricks.Oracle(3, module_level, exact=False)))
    assert again.size == 3 and not again.exact and again.best is module_level


def test_docstrings():
    import doctest

    from softtricks import _oracle
    from softtricks.torch import _oracle as _torch_oracle

    for module in (_oracle, _torch_oracle):
        result = doctest.testmod(module)
        assert result.attempted and not result.failed


def test_the_example_learns():
    """Values under which the knapsack holds the items that were wanted."""
    import os
    import subprocess
    import sys
    from pathlib import Path

    program = Path(__file__).resolve().parents[2] / "docs/examples/oracle.py"
    environment = {**os.environ, "PYTHONPATH": str(Path(softtricks.__file__).parents[1])}
    shown = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert shown[0] == "hard [1.0, 0.0, 0.0, 1.0]"
    assert shown[2].endswith("of [1.0, 0.0, 0.0, 1.0]")
