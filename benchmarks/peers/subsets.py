"""k of n items: the k best, marginals, and soft choices."""

import jax
import jax.numpy as jnp
import torch
from jaxopt import projection
from softtricks.torch import KSubset

from .frameworks import jax_contender, torch_contender, torch_gradient_contender
from .work import Raw, Target, Work

LARGE, SMALL = (350, 10), (64, 8)
BATCH = {LARGE: 256, SMALL: 1024}
NONE = -50.0  # the logarithm of hardly anything: unlike -inf it has second derivatives


def works():
    torch.manual_seed(0)
    rows = []
    for make in (_argmax, _marginals, _euclidean):
        rows += [make(shape, *_arrays(shape)) for shape in (LARGE, SMALL)]
    return [*rows, _binary_entropy(SMALL, *_arrays(SMALL))]


def _arrays(shape):
    return torch.randn(BATCH[shape], shape[0]), torch.randn(BATCH[shape], shape[0])


def _request(shape, **more):
    return {"structure": "k_subset", "shape": list(shape), **more}


def _argmax(shape, utility, cotangent):
    items, k = shape

    def topk(u):
        return torch.zeros_like(u).scatter_(-1, u.topk(k, sorted=False).indices, 1.0)

    def jax_topk(u):
        chosen = jax.lax.top_k(u, k)[1]
        return jnp.put_along_axis(jnp.zeros_like(u), chosen, 1.0, axis=-1, inplace=False)

    return Work(
        f"hard top k, {items} items, k = {k}",
        BATCH[shape],
        torch_contender("softtricks", KSubset(items, k).argmax, utility),
        Raw(_request(shape), utility, cotangent, ["argmax"]),
        [
            torch_contender("torch.topk + scatter", topk, utility),
            jax_contender("JAX top_k + scatter", jax_topk, utility),
        ],
        [Target("torch", 4)],
    )


# ---- marginals: the gradient of the logarithm of the elementary symmetric polynomial --------------


def _jax_marginals(k):
    """As one writes it for an instance."""

    def log_sum(utility):
        def add_item(best, u):
            """best: [k + 1], the log sums over 0 .. k of the items so far."""
            taken = u + jnp.concatenate([jnp.full(1, NONE), best[:-1]])
            return jnp.logaddexp(best, taken), None

        return jax.lax.scan(add_item, jnp.full(k + 1, NONE).at[0].set(0.0), utility)[0][-1]

    return jax.vmap(jax.grad(log_sum))


def _jax_marginals_across(k):
    """Tuned: the instances side by side in memory, and no care for infinities."""

    def log_sum(utility):
        def add_item(best, u):
            """best: [k, batch], the log sums over 1 .. k items; that over none is 0."""
            taken = u + jnp.concatenate([jnp.zeros_like(best[:1]), best[:-1]])
            top = jnp.maximum(best, taken)
            return top + jnp.log1p(jnp.exp(-jnp.abs(best - taken))), None

        none = jnp.full((k, utility.shape[0]), NONE)
        return jax.lax.scan(add_item, none, utility.T)[0][-1].sum()

    return jax.grad(log_sum)


def _torch_log_sum(k):
    def log_sum(utility):
        best = utility.new_full((k, utility.shape[0]), NONE)
        first = utility.new_zeros((1, utility.shape[0]))
        for u in utility.T.unbind():
            best = torch.logaddexp(best, u + torch.cat([first, best[:-1]]))
        return best[-1]

    return log_sum


def _marginals(shape, utility, cotangent):
    items, k = shape
    return Work(
        f"k-subset marginals, {items} items, k = {k}",
        BATCH[shape],
        torch_contender("softtricks", KSubset(items, k).marginals, utility, cotangent),
        Raw(
            _request(shape), utility, cotangent, ["marginals"], ["marginals", "marginals_vjp"]
        ),
        [
            jax_contender("JAX, scan over items", _jax_marginals(k), utility, cotangent),
            jax_contender(
                "JAX, scan across the batch", _jax_marginals_across(k), utility, cotangent
            ),
            torch_gradient_contender(
                "PyTorch, loop over items", _torch_log_sum(k), utility, cotangent
            ),
        ],
        [Target("JAX, scan over items", 20, 40)],
    )


# ---- soft choices: a threshold for which k items are chosen in all --------------------------------


def _euclidean(shape, utility, cotangent):
    items, k = shape

    def project(u):
        ones = jnp.ones_like(u)
        return projection.projection_box_section(u, (jnp.zeros_like(u), ones, ones, float(k)))

    request = _request(shape, regularizer="squared_norm")
    return Work(
        f"k-subset Euclidean, {items} items, k = {k}",
        BATCH[shape],
        torch_contender(
            "softtricks",
            lambda u: KSubset(items, k).relax(u, 1.0, "squared_norm"),
            utility,
            cotangent,
        ),
        Raw(request, utility, cotangent, ["relax"], ["relax", "relax_vjp"]),
        [
            jax_contender(
                "jaxopt projection_box_section", jax.vmap(project), utility, cotangent
            ),
            torch_contender(
                "PyTorch, sorting", lambda u: _CappedSimplex.apply(u, k), utility, cotangent
            ),
        ],
        [Target("", 3, 3)],
    )


class _CappedSimplex(torch.autograd.Function):
    """The nearest point with 0 <= x <= 1 that sums to k. The sum of clip(u - c, 0, 1) is piecewise
    linear in c with kinks at u and u - 1: sort these, find the piece, interpolate."""

    @staticmethod
    def forward(ctx, u, k):
        ordered = u.sort(-1, descending=True).values
        kinks = torch.cat([ordered, ordered - 1], -1).sort(-1, descending=True).values
        above = torch.searchsorted(-ordered, -kinks, right=True)
        full = torch.searchsorted(1 - ordered, -kinks, right=True)
        sums = torch.nn.functional.pad(ordered.cumsum(-1), (1, 0))
        partly = sums.gather(-1, above) - sums.gather(-1, full)
        total = full + partly - (above - full) * kinks
        piece = torch.searchsorted(total, u.new_full((len(u), 1), k)).clamp_(1, kinks.shape[-1] - 1)
        low, high = total.gather(-1, piece - 1), total.gather(-1, piece)
        upper, lower = kinks.gather(-1, piece - 1), kinks.gather(-1, piece)
        share = ((k - low) / (high - low).clamp_min(1e-30)).clamp_(0, 1)
        x = (u - (upper + share * (lower - upper))).clamp_(0, 1)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        free = ((x > 0) & (x < 1)).to(x.dtype)
        mean = (gradient * free).sum(-1, keepdim=True) / free.sum(-1, keepdim=True).clamp_min(1)
        return free * (gradient - mean), None


class _BinaryEntropy(torch.autograd.Function):
    """sigmoid(u - c) that sums to k, c by bisection."""

    @staticmethod
    def forward(ctx, u, k):
        low = u.min(-1, keepdim=True).values - 20
        high = u.max(-1, keepdim=True).values + 20
        for _ in range(30):
            middle = (low + high) / 2
            many = torch.sigmoid(u - middle).sum(-1, keepdim=True) > k
            low, high = torch.where(many, middle, low), torch.where(many, high, middle)
        x = torch.sigmoid(u - (low + high) / 2)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        slope = x * (1 - x)
        mean = (gradient * slope).sum(-1, keepdim=True) / slope.sum(-1, keepdim=True)
        return slope * (gradient - mean), None


def _jax_binary_entropy(k):
    def solve(u):
        def halve(_, ends):
            low, high = ends
            middle = (low + high) / 2
            many = jax.nn.sigmoid(u - middle).sum(-1, keepdims=True) > k
            return jnp.where(many, middle, low), jnp.where(many, high, middle)

        ends = u.min(-1, keepdims=True) - 20, u.max(-1, keepdims=True) + 20
        low, high = jax.lax.fori_loop(0, 30, halve, ends)
        return jax.nn.sigmoid(u - (low + high) / 2)

    @jax.custom_vjp
    def choice(u):
        return solve(u)

    def forward(u):
        x = solve(u)
        return x, x

    def backward(x, gradient):
        slope = x * (1 - x)
        mean = (gradient * slope).sum(-1, keepdims=True) / slope.sum(-1, keepdims=True)
        return (slope * (gradient - mean),)

    choice.defvjp(forward, backward)
    return choice


def _binary_entropy(shape, utility, cotangent):
    items, k = shape
    request = _request(shape, regularizer="binary_entropy")
    return Work(
        f"k-subset binary entropy, {items} items, k = {k}",
        BATCH[shape],
        torch_contender(
            "softtricks",
            lambda u: KSubset(items, k).relax(u, 1.0, "binary_entropy"),
            utility,
            cotangent,
        ),
        Raw(request, utility, cotangent, ["relax"], ["relax", "relax_vjp"]),
        [
            torch_contender(
                "PyTorch, bisection", lambda u: _BinaryEntropy.apply(u, k), utility, cotangent
            ),
            jax_contender("JAX, bisection", _jax_binary_entropy(k), utility, cotangent),
        ],
        [Target("PyTorch", 10)],
    )
