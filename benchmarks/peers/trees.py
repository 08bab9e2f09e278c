"""Spanning trees of the complete graph: the best one, marginals, exact samples."""

import itertools
import random
from dataclasses import replace
from functools import partial

import igraph
import jax
import jax.numpy as jnp
import numpy as np
import torch
from softtricks.torch import SpanningTree

from .frameworks import jax_contender, to_jax, torch_contender
from .work import Contender, Raw, Target, Work

BATCH = {10: 1024, 30: 64, 100: 64}


def works():
    torch.manual_seed(0)
    return [
        *(_argmax(nodes, factor) for nodes, factor in ((10, 15), (30, 15), (100, 8))),
        *(_marginals(nodes, factor) for nodes, factor in ((10, 15), (30, 8), (100, 3))),
        _sample(10),
    ]


def _edges(nodes):
    return np.triu_indices(nodes, 1)


def _edge_of_pair(nodes):
    """[nodes * nodes]: the edge that joins a pair; where a vertex meets itself one past the last."""
    first, second = _edges(nodes)
    table = np.full((nodes, nodes), len(first))
    table[first, second] = table[second, first] = np.arange(len(first))
    return table.ravel()


def _utility(nodes):
    """Random utilities as a stochastic softmax has them: a network's output and Gumbel noise."""
    shape = BATCH[nodes], nodes * (nodes - 1) // 2
    noise = -torch.log(-torch.log(torch.rand(shape).clamp(1e-6, 1 - 1e-6)))
    return torch.randn(shape) + noise, torch.randn(shape)


def _request(nodes):
    return {"structure": "spanning_tree", "shape": [nodes]}


# ---- the best tree -------------------------------------------------------------------------------


def _argmax(nodes, factor):
    utility, cotangent = _utility(nodes)
    return Work(
        f"spanning-tree argmax, {nodes} nodes",
        BATCH[nodes],
        torch_contender("softtricks", SpanningTree(nodes).argmax, utility),
        Raw(_request(nodes), utility, cotangent, ["argmax"]),
        [
            torch_contender("PyTorch, Prim on the batch", _torch_prim(nodes), utility),
            jax_contender("JAX, Prim on the batch", _jax_prim(nodes), utility),
            _igraph(nodes, utility),
        ],
        [Target("PyTorch", factor), Target("igraph", factor)],
    )


def _torch_prim(nodes):
    edge_of = torch.from_numpy(_edge_of_pair(nodes))
    none = -torch.inf

    def best_tree(u):
        batch = len(u)
        padded = torch.nn.functional.pad(u, (0, 1), value=none)
        full = padded.index_select(1, edge_of).view(batch, nodes, nodes)
        rows = torch.arange(batch)
        key = full[:, 0].clone()  # the best utility into the tree; -inf inside it
        barrier = torch.zeros_like(key)  # -inf inside the tree
        barrier[:, 0] = none
        parent = torch.zeros(batch, nodes, dtype=torch.int64)
        joined = torch.empty(batch, nodes - 1, dtype=torch.int64)
        for step in range(nodes - 1):
            v = key.argmax(1, keepdim=True)
            joined[:, step : step + 1] = parent.gather(1, v) * nodes + v
            key.scatter_(1, v, none)
            barrier.scatter_(1, v, none)
            candidate = full[rows, v[:, 0]] + barrier
            torch.where(candidate > key, v, parent, out=parent)
            torch.maximum(key, candidate, out=key)
        return torch.zeros_like(u).scatter_(1, edge_of[joined], 1.0)

    return best_tree


def _jax_prim(nodes):
    edge_of = jnp.asarray(_edge_of_pair(nodes))
    vertices = jnp.arange(nodes)

    def one(u):
        full = jnp.append(u, -jnp.inf)[edge_of].reshape(nodes, nodes)

        def join(step, state):
            key, barrier, parent, joined = state
            v = jnp.argmax(key)
            joined = joined.at[step].set(parent[v] * nodes + v)
            barrier = jnp.where(vertices == v, -jnp.inf, barrier)
            key = key + barrier
            candidate = full[v] + barrier
            parent = jnp.where(candidate > key, v, parent)
            return jnp.maximum(key, candidate), barrier, parent, joined

        start = (
            full[0],
            jnp.where(vertices == 0, -jnp.inf, 0.0),
            jnp.zeros(nodes, jnp.int32),
            jnp.zeros(nodes - 1, jnp.int32),
        )
        joined = jax.lax.fori_loop(0, nodes - 1, join, start)[3]
        return jnp.zeros_like(u).at[edge_of[joined]].set(1.0)

    return jax.vmap(one)


def _igraph(nodes, utility):
    graph = igraph.Graph.Full(nodes)
    assert graph.get_edgelist() == list(zip(*_edges(nodes), strict=True))

    def best_trees():
        result = torch.zeros_like(utility)
        for row, weights in enumerate((-utility).tolist()):
            result[row, graph.spanning_tree(weights, return_tree=False)] = 1.0
        return result

    return Contender("igraph, one by one", best_trees)


# ---- marginals: Kirchhoff's matrix-tree theorem --------------------------------------------------


def _marginals(nodes, factor):
    utility, cotangent = _utility(nodes)
    return Work(
        f"spanning-tree marginals, {nodes} nodes",
        BATCH[nodes],
        torch_contender("softtricks", SpanningTree(nodes).marginals, utility, cotangent),
        Raw(
            _request(nodes), utility, cotangent, ["marginals"], ["marginals", "marginals_vjp"]
        ),
        [
            alone(jax_contender("JAX, slogdet", _jax_slogdet(nodes), utility, cotangent)),
            alone(jax_contender("JAX, inverse", _jax_inverse(nodes), utility, cotangent)),
            torch_contender("PyTorch, inverse", _torch_inverse(nodes), utility, cotangent),
            torch_contender("PyTorch, Cholesky", _torch_cholesky(nodes), utility, cotangent),
        ],
        [Target("", factor, factor)],
    )


def alone(contender):
    """JAX's factorisations of a batch of matrices wait for each other forever where two cores are all
    there is (jaxlib 0.10.2)."""
    return replace(contender, threads=1)


def _jax_laplacian(nodes, weight):
    full = jnp.pad(weight, ((0, 0), (0, 1)))[:, _edge_of_pair(nodes)].reshape(-1, nodes, nodes)
    return full.sum(-1)[:, :, None] * jnp.eye(nodes) - full


def _jax_weight(u):
    return jnp.exp(u - jax.lax.stop_gradient(u.max(-1, keepdims=True)))


def _jax_slogdet(nodes):
    def log_trees(u):
        return jnp.linalg.slogdet(_jax_laplacian(nodes, _jax_weight(u))[:, 1:, 1:])[1].sum()

    return jax.grad(log_trees)


def _jax_inverse(nodes):
    first, second = _edges(nodes)

    def marginals(u):
        weight = _jax_weight(u)
        inverse = jnp.linalg.inv(_jax_laplacian(nodes, weight)[:, 1:, 1:])
        full = jnp.pad(inverse, ((0, 0), (1, 0), (1, 0)))
        own = jnp.diagonal(full, axis1=1, axis2=2)
        return weight * (own[:, first] + own[:, second] - 2 * full[:, first, second])

    return marginals


def _torch_marginals(nodes, invert, u):
    first, second = map(torch.from_numpy, _edges(nodes))
    weight = torch.exp(u - u.detach().amax(-1, keepdim=True))
    edge_of = torch.from_numpy(_edge_of_pair(nodes))
    padded = torch.nn.functional.pad(weight, (0, 1))
    full = padded.index_select(1, edge_of).view(-1, nodes, nodes)
    laplacian = torch.diag_embed(full.sum(-1)) - full
    inverse = torch.nn.functional.pad(invert(laplacian[:, 1:, 1:]), (1, 0, 1, 0))
    own = inverse.diagonal(dim1=1, dim2=2)
    resistance = (
        own.index_select(1, first)
        + own.index_select(1, second)
        - 2 * inverse.flatten(1).index_select(1, first * nodes + second)
    )
    return weight * resistance


def _torch_inverse(nodes):
    return partial(_torch_marginals, nodes, torch.linalg.inv)


def _torch_cholesky(nodes):
    def invert(laplacian):
        return torch.cholesky_inverse(torch.linalg.cholesky(laplacian))

    return partial(_torch_marginals, nodes, invert)


# ---- exact samples -------------------------------------------------------------------------------


def _sample(nodes):
    utility, cotangent = _utility(nodes)
    tree, seeds = SpanningTree(nodes), itertools.count()
    return Work(
        f"exact spanning-tree sample, {nodes} nodes",
        BATCH[nodes],
        Contender("softtricks", lambda: tree.sample(utility, seed=next(seeds))),
        Raw(_request(nodes), utility, cotangent, ["sample"]),
        [
            alone(_jax_sampler(nodes, utility)),
            _wilson(nodes, utility),
        ],
        [Target("", 50)],
        tolerance=None,
        note="SynJax, of which the target speaks, isn't on PyPI. Stand-ins: Wilson's algorithm in "
        "Python, and edge after edge by its conditional chance in JAX.",
    )


def _jax_sampler(nodes, utility):
    """Edge after edge, in with its chance given those before: weight times effective resistance.
    The inverse Laplacian follows each decision by a rank-one update [Colbourn, Day, Nel 1989]."""
    first, second = map(jnp.asarray, _edges(nodes))
    count, numbers = len(first), itertools.count()

    @jax.jit
    def sample(u, number):
        weight = _jax_weight(u)
        inverse = jnp.linalg.inv(_jax_laplacian(nodes, weight)[:, 1:, 1:])
        inverse = jnp.pad(inverse, ((0, 0), (1, 0), (1, 0)))
        chance = jax.random.uniform(jax.random.key(number), (count, len(u)))

        def decide(e, state):
            inverse, x = state
            i, j, w = first[e], second[e], weight[:, e]
            flow = inverse[:, i] - inverse[:, j]
            resistance = flow[:, i] - flow[:, j]
            taken = chance[e] < w * resistance
            scale = jnp.where(taken, -1 / resistance, w / (1 - w * resistance))
            update = (scale[:, None] * flow)[:, :, None] * flow[:, None, :]
            return inverse + update, x.at[e].set(taken.astype(u.dtype))

        return jax.lax.fori_loop(0, count, decide, (inverse, jnp.zeros((count, len(u)))))[1].T

    u = to_jax(utility)
    return Contender(
        "JAX, edge after edge", lambda: sample(u, next(numbers)).block_until_ready()
    )


def _wilson(nodes, utility):
    """Wilson's algorithm [1996], one instance after the other: random walks with loops erased."""
    table = _edge_of_pair(nodes).reshape(nodes, nodes).tolist()
    seeds = itertools.count()

    def sample():
        draw = random.Random(next(seeds)).random
        weight = np.exp(np.pad(utility.numpy(), ((0, 0), (0, 1)), constant_values=-np.inf))
        steps = weight[:, _edge_of_pair(nodes)].reshape(-1, nodes, nodes).cumsum(-1)
        steps = (steps / steps[:, :, -1:]).tolist()
        result = torch.zeros_like(utility)
        for row, law in enumerate(steps):
            result[row, _wilson_edges(law, table, draw)] = 1.0
        return result

    return Contender("Python, Wilson's algorithm", sample)


def _wilson_edges(law, table, draw):
    nodes = len(law)
    following, inside = [0] * nodes, [False] * nodes
    inside[0] = True
    edges = []
    for start in range(1, nodes):
        v = start
        while not inside[v]:
            chance, w = draw(), 0
            while law[v][w] <= chance and w < nodes - 1:
                w += 1
            following[v] = w
            v = w
        v = start
        while not inside[v]:
            inside[v] = True
            edges.append(table[v][following[v]])
            v = following[v]
    return edges
