"""Paths through a chain of states (linear-chain conditional random fields)."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import torch
from softtricks.torch import LinearChain

from . import optional
from .frameworks import (
    jax_contender,
    to_jax,
    to_numpy,
    torch_contender,
    torch_gradient_contender,
)
from .work import Contender, Raw, Target, Work

LENGTH, STATES, BATCH = 50, 10, 128
UNARY = LENGTH * STATES
CHAIN = LinearChain(LENGTH, STATES)
REQUEST = {"structure": "linear_chain", "shape": [LENGTH, STATES]}
NAME = f"{LENGTH} steps, {STATES} states"

torch_struct = optional.package("torch_struct", "torch-struct")


def works():
    torch.manual_seed(0)
    utility, cotangent = torch.randn(BATCH, CHAIN.size), torch.randn(BATCH, CHAIN.size)
    return [
        _marginals(utility, cotangent),
        _argmax(utility),
        _log_partition(utility, cotangent),
        _sample(utility),
    ]


# ---- layouts: everybody gets theirs, prepared ------------------------------------------------------


def parts(flat):
    """Ours: [batch, step, state] and [batch, step, from, to], one after the other."""
    unary = flat[:, :UNARY].reshape(-1, LENGTH, STATES)
    pairs = flat[:, UNARY:].reshape(-1, LENGTH - 1, STATES, STATES)
    return unary.contiguous(), pairs.contiguous()


def _joined(unary_and_pairs):
    return np.concatenate([to_numpy(a).reshape(BATCH, -1) for a in unary_and_pairs], 1)


def _edges(flat):
    """torch-struct's: [batch, step, to, from], the states' utilities on the edges into them."""
    unary, pairs = parts(flat)
    edges = pairs.transpose(2, 3) + unary[:, 1:, :, None]
    edges[:, 0] += unary[:, 0, None, :]
    return edges.contiguous()


def _from_edges(edges):
    """The sums over the edges at a state are what that state has, gradients like marginals."""
    edges = edges.detach()
    unary = torch.cat([edges[:, :1].sum(2), edges.sum(3)], 1)
    return _joined((unary, edges.transpose(2, 3)))


# ---- log partition function and its gradient --------------------------------------------------------


def _jax_log_partition(unary, pairs):
    """As one writes it for an instance: scores by their logarithms."""

    def step(score, utilities):
        pair, here = utilities
        return jax.nn.logsumexp(score[:, None] + pair, 0) + here, None

    last = jax.lax.scan(step, unary[0], (pairs, unary[1:]))[0]
    return jax.nn.logsumexp(last)


def _jax_log_partition_across(unary, pairs):
    """Tuned: the instances side by side in memory, and no care for infinities."""

    def log_sum(terms):
        top = jax.lax.stop_gradient(terms.max(0))
        return top + jnp.log(jnp.exp(terms - top).sum(0))

    def step(score, utilities):
        pair, here = utilities
        return log_sum(score[:, None] + pair) + here, None

    unary, pairs = jnp.moveaxis(unary, 0, -1), jnp.moveaxis(pairs, 0, -1)
    return log_sum(jax.lax.scan(step, unary[0], (pairs, unary[1:]))[0])


def _jax_marginals_across(unary, pairs):
    return jax.grad(lambda *u: _jax_log_partition_across(*u).sum(), (0, 1))(unary, pairs)


def _torch_log_partition(unary, pairs):
    score = unary[:, 0]
    for pair, here in zip(pairs.unbind(1), unary[:, 1:].unbind(1), strict=True):
        score = torch.logsumexp(score[:, :, None] + pair, 1) + here
    return torch.logsumexp(score, 1)


def _torch_struct(verb):
    """A verb of torch-struct's chain on a copy of its own, which it marks as in need of gradients."""

    def run(edges):
        with torch.enable_grad():
            chain = torch_struct.LinearChain(torch_struct.LogSemiring)
            return getattr(chain, verb)(edges if edges.requires_grad else edges.clone())

    return run


def _log_partition(utility, cotangent):
    own, ours = parts(utility), cotangent[:, 0]

    return Work(
        f"chain log partition, {NAME}",
        BATCH,
        torch_contender("softtricks", CHAIN.log_partition, utility, ours),
        Raw(REQUEST, utility, cotangent, ["log_partition"]),
        [
            jax_contender(
                "JAX, scan",
                jax.vmap(_jax_log_partition),
                own,
                ours,
                reading=_scalar_or_joined,
            ),
            jax_contender(
                "JAX, across the batch",
                _jax_log_partition_across,
                own,
                ours,
                reading=_scalar_or_joined,
            ),
            torch_contender(
                "PyTorch, loop over steps",
                _torch_log_partition,
                own,
                ours,
                reading=_scalar_or_joined,
            ),
            torch_struct
            and torch_contender(
                "torch-struct", _torch_struct("sum"), _edges(utility), ours, reading=_from_torch_struct
            ),
        ],
        [Target("JAX, scan", 8, 8)],
    )


def _scalar_or_joined(part):
    return _joined(part) if isinstance(part, tuple) else part


def _from_torch_struct(part):
    return _from_edges(part) if part.dim() == 4 else part


def _marginals(utility, cotangent):
    own, ours = parts(utility), parts(cotangent)
    return Work(
        f"chain marginals, {NAME}",
        BATCH,
        torch_contender("softtricks", CHAIN.marginals, utility, cotangent),
        Raw(REQUEST, utility, cotangent, ["marginals"], ["marginals", "marginals_vjp"]),
        [
            jax_contender(
                "JAX, scan",
                jax.vmap(jax.grad(_jax_log_partition, (0, 1))),
                own,
                ours,
                reading=_joined,
            ),
            jax_contender(
                "JAX, across the batch",
                _jax_marginals_across,
                own,
                ours,
                reading=_joined,
            ),
            torch_gradient_contender(
                "PyTorch, loop over steps", _torch_log_partition, own, ours, reading=_joined
            ),
            torch_struct
            and torch_contender(
                "torch-struct",
                _torch_struct("marginals"),
                _edges(utility),
                _edges(cotangent),
                reading=_from_edges,
            ),
        ],
        [Target("JAX, scan", 8, 8)],
    )


# ---- the best path ----------------------------------------------------------------------------------


def _jax_indicators(path):
    """[length] -> the path in our layout's two parts."""
    unary = jax.nn.one_hot(path, STATES)
    return unary, unary[:-1, :, None] * unary[1:, None, :]


def _jax_best_path(unary, pairs):
    def forward(score, utilities):
        pair, here = utilities
        through = score[:, None] + pair
        return through.max(0) + here, through.argmax(0)

    def backward(state, best):
        return best[state], state

    last, best = jax.lax.scan(forward, unary[0], (pairs, unary[1:]))
    first, rest = jax.lax.scan(backward, last.argmax(), best, reverse=True)
    return _jax_indicators(jnp.append(first, rest))


def _torch_indicators(path, unary):
    """[batch, length] -> the path in our layout's two parts."""
    states = torch.zeros_like(unary).scatter_(2, path[:, :, None], 1.0)
    pairs = unary.new_zeros(len(unary), LENGTH - 1, STATES * STATES)
    pairs.scatter_(2, (path[:, :-1] * STATES + path[:, 1:])[:, :, None], 1.0)
    return states, pairs


def _torch_best_path(unary, pairs):
    score, best = unary[:, 0], []
    for pair, here in zip(pairs.unbind(1), unary[:, 1:].unbind(1), strict=True):
        score, state = (score[:, :, None] + pair).max(1)
        score = score + here
        best.append(state)
    path = [score.argmax(1, keepdim=True)]
    for state in reversed(best):
        path.append(state.gather(1, path[-1]))
    return _torch_indicators(torch.cat(path[::-1], 1), unary)


def _torch_struct_argmax(edges):
    with torch.enable_grad():
        return torch_struct.LinearChain(torch_struct.MaxSemiring).marginals(edges.clone())


def _argmax(utility):
    own = parts(utility)
    return Work(
        f"chain argmax, {NAME}",
        BATCH,
        torch_contender("softtricks", CHAIN.argmax, utility),
        Raw(REQUEST, utility, utility, ["argmax"]),
        [
            jax_contender("JAX, scan", jax.vmap(_jax_best_path), own, reading=_joined),
            torch_contender("PyTorch, loop over steps", _torch_best_path, own, reading=_joined),
            torch_struct
            and torch_contender(
                "torch-struct", _torch_struct_argmax, _edges(utility), reading=_from_edges
            ),
        ],
        [Target("PyTorch", 8)],
    )


# ---- exact samples ----------------------------------------------------------------------------------


def _jax_sampler(own):
    """Scores forward, states backward, each given the one that follows."""

    def one(key, unary, pairs):
        def forward(score, utilities):
            pair, here = utilities
            after = jax.nn.logsumexp(score[:, None] + pair, 0) + here
            return after, score

        def backward(state, known):
            score, pair, noise = known
            return (score + pair[:, state] + noise).argmax(), state

        noise = jax.random.gumbel(key, (LENGTH, STATES))
        last, scores = jax.lax.scan(forward, unary[0], (pairs, unary[1:]))
        end = (last + noise[-1]).argmax()
        known = scores, pairs, noise[:-1]
        first, rest = jax.lax.scan(backward, end, known, reverse=True)
        return _jax_indicators(jnp.append(first, rest))

    @jax.jit
    def sample(number, unary, pairs):
        return jax.vmap(one)(jax.random.split(jax.random.key(number), BATCH), unary, pairs)

    arrays, numbers = to_jax(own), itertools.count()
    return Contender(
        "JAX, scan", lambda: jax.block_until_ready(sample(next(numbers), *arrays))
    )


def _torch_sample(unary, pairs):
    scores, steps = [unary[:, 0]], pairs.unbind(1)
    for pair, here in zip(steps, unary[:, 1:].unbind(1), strict=True):
        scores.append(torch.logsumexp(scores[-1][:, :, None] + pair, 1) + here)
    path = [torch.multinomial(torch.softmax(scores.pop(), 1), 1)]
    for score, pair in zip(reversed(scores), reversed(steps), strict=True):
        into = pair.gather(2, path[-1][:, :, None].expand(-1, STATES, 1))[:, :, 0]
        path.append(torch.multinomial(torch.softmax(score + into, 1), 1))
    return _torch_indicators(torch.cat(path[::-1], 1), unary)


def _sample(utility):
    own, seeds = parts(utility), itertools.count()
    return Work(
        f"chain sample, {NAME}",
        BATCH,
        Contender("softtricks", lambda: CHAIN.sample(utility, seed=next(seeds))),
        Raw(REQUEST, utility, utility, ["sample"]),
        [
            _jax_sampler(own),
            torch_contender("PyTorch, loop over steps", _torch_sample, own),
            torch_struct and _torch_struct_sampler(utility),
        ],
        [Target("", 30)],
        tolerance=None,
        note="SynJax, of which the target speaks (260 us), isn't on PyPI; the target is held against "
        "the best of those here.",
    )


def _torch_struct_sampler(utility, instances=8):
    edges = _edges(utility[:instances])

    def draw():
        semiring = torch_struct.MultiSampledSemiring
        tens = torch_struct.LinearChain(semiring).marginals(edges.clone())  # ten draws at once
        return semiring.to_discrete(tens.detach(), 1)

    return Contender("torch-struct", draw, instances=instances)
