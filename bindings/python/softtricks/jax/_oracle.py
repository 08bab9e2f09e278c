"""softtricks.Oracle on JAX's arrays, with gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy

from .. import _oracle
from ._front import front

_MOST = 1024  # members of an instance


class Oracle(_oracle.Oracle):
    """Oracle(size, argmax, *, batched=True, exact=True, tolerance=1e-6, steps=1000, jittable=False) on
    JAX's arrays.

    A NumPy function runs on the host, through jax.pure_callback: it works under jit, vmap, grad and
    scan, must not call JAX, and what it raises arrives as JAX's runtime error with its text. relax has
    its exact gradient, once, which asks argmax nothing more.

    jittable  True: argmax is a function of JAX's arrays, which is traced: no callback. It then offers
              argmax, and the estimators that need no more; relax and active_set, whose active set runs
              on the host, raise ValueError.

    What stands below holds here with JAX's arrays.

    >>> import jax, jax.numpy as jnp
    >>> from softtricks.jax import Oracle
    >>> one = Oracle(3, lambda u: u == u.max(-1, keepdims=True))
    >>> u = jnp.array([0.25, 0.75, -1.0])
    >>> one.relax(u, temperature=1.0).tolist()
    [0.25, 0.75, 0.0]
    >>> jax.jit(jax.grad(lambda u: one.relax(u, temperature=1.0)[0]))(u).tolist()
    [0.5, -0.5, 0.0]
    """

    def __init__(
        self, size, argmax, *, batched=True, exact=True, tolerance=1e-6, steps=1000, jittable=False
    ):
        settings = {"batched": batched, "exact": exact, "tolerance": tolerance, "steps": steps}
        super().__init__(size, argmax, **settings)
        self.jittable = jittable
        if jittable and not self.batched:
            self.best = jax.vmap(argmax)

    def argmax(self, utility):
        utility = jax.lax.stop_gradient(self._checked(utility))
        if not self.jittable:
            return _on_host(self._argmax, utility, utility)
        rows = utility.reshape(-1, self.size)
        members = jnp.asarray(self.best(rows))
        if members.shape != rows.shape:
            raise ValueError(
                f"argmax: expected the function to return shape {[*rows.shape]}, not "
                f"{[*members.shape]}"
            )
        members = jnp.where((rows < jnp.inf).all(-1, keepdims=True), members, jnp.nan)
        return members.astype(utility.dtype).reshape(utility.shape)

    def relax(self, utility, temperature, regularizer="squared_norm"):
        return self._solve(utility, temperature, regularizer)[0]

    def active_set(self, utility, temperature, count, regularizer="squared_norm"):
        found = self._solve(jax.lax.stop_gradient(utility), temperature, regularizer)
        return tuple(_oracle._cut(x, count, a, jnp) for x, a in ((found[1], -2), (found[2], -1)))

    def _solve(self, utility, temperature, regularizer):
        if self.jittable:
            raise ValueError(
                "relax and active_set of an Oracle run its argmax on the host: not with jittable=True"
            )
        utility = self._checked(utility)
        return _project(self, utility / self._temperature(temperature, regularizer))

    def _checked(self, utility):
        utility = front.array("utility", utility)
        self._check_size(utility)
        return utility

    def _project_padded(self, utility):
        point, members, weights = self._project(utility)
        most = min(self.size + 1, _MOST)
        return point, _oracle._cut(members, most, -2), _oracle._cut(weights, most, -1)


def _on_host(function, results, *arrays, inner=(1,)):
    """function of NumPy arrays whose leading dimensions are one, for any leading dimensions; inner: how
    many dimensions of each array are its instance's own."""
    inner = (*inner, *[1] * (len(arrays) - len(inner)))

    def run(*arrays):
        arrays = [numpy.asarray(a) for a in arrays]
        leading = arrays[0].shape[: arrays[0].ndim - inner[0]]
        rows = [
            numpy.ascontiguousarray(a.reshape(-1, *a.shape[a.ndim - own :]))
            for a, own in zip(arrays, inner, strict=True)
        ]
        found = function(*rows)
        return jax.tree.map(lambda x: x.reshape(*leading, *x.shape[1:]), found)

    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), results)
    return jax.pure_callback(run, shapes, *arrays, vmap_method="broadcast_all")


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _project(oracle, utility):
    most = min(oracle.size + 1, _MOST)
    like = functools.partial(jax.ShapeDtypeStruct, dtype=utility.dtype)
    leading = utility.shape[:-1]
    shapes = (like(utility.shape), like((*leading, most, oracle.size)), like((*leading, most)))
    return _on_host(oracle._project_padded, shapes, utility)


def _forward(oracle, utility):
    found = _project(oracle, utility)
    return found, (utility, *found[1:])


def _backward(oracle, kept, cotangents):
    arrays = (*kept, cotangents[0])
    return (_on_host(_oracle.projection_vjp, kept[0], *arrays, inner=(1, 2, 1, 1)),)


_project.defvjp(_forward, _backward)
