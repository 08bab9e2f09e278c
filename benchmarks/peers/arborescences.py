"""Arborescences (trees of arcs away from a root, as in dependency parsing): the best one, marginals."""

import jax
import jax.numpy as jnp
import networkx
import numpy as np
import torch
from softtricks.torch import Arborescence

from . import optional
from .frameworks import jax_contender, torch_contender
from .trees import alone
from .work import Contender, Raw, Target, Work

BATCH = 128

edmonds = optional.package("ufal.chu_liu_edmonds", "ufal.chu_liu_edmonds")
torch_struct = optional.package("torch_struct", "torch-struct")


def works():
    torch.manual_seed(0)
    return [*map(_argmax, (20, 50)), *map(_marginals, (20, 50))]


def utilities(nodes):
    """Random utilities as a stochastic softmax has them: a network's output and Gumbel noise; and a
    cotangent, 0 where utilities count for nothing."""
    noise = -torch.log(-torch.log(torch.rand(BATCH, nodes, nodes).clamp(1e-6, 1 - 1e-6)))
    counts = 1 - torch.eye(nodes)
    counts[:, 0] = 0
    utility, cotangent = torch.randn(BATCH, nodes, nodes) + noise, torch.randn(noise.shape)
    return (utility * counts).flatten(1), (cotangent * counts).flatten(1)


def request(nodes):
    return {"structure": "arborescence", "shape": [nodes, 0, 0]}


# ---- layouts ----------------------------------------------------------------------------------------


def square(utility):
    """[batch, head, modifier], the root being 0."""
    nodes = round(utility.shape[1] ** 0.5)
    return utility.reshape(-1, nodes, nodes)


def flat(array):
    return array.reshape(len(array), -1)


def roots_on_diagonal(utility):
    """torch-struct's and lp-sparsemap's: the vertices without the root, [batch, head, modifier], the
    root's arcs on the diagonal."""
    full = square(utility)
    return (full[:, 1:, 1:] + torch.diag_embed(full[:, 0, 1:])).contiguous()


def from_roots_on_diagonal(inner):
    inner = inner.detach() if hasattr(inner, "detach") else torch.from_numpy(inner)
    full = torch.nn.functional.pad(inner, (1, 0, 1, 0))
    own = inner.diagonal(dim1=1, dim2=2)
    full[:, 0, 1:] = own
    full[:, 1:, 1:] -= torch.diag_embed(own)
    return full.flatten(1)


# ---- the best one -----------------------------------------------------------------------------------


def _argmax(nodes):
    utility, cotangent = utilities(nodes)
    return Work(
        f"arborescence argmax, {nodes} nodes",
        BATCH,
        torch_contender("softtricks", Arborescence(nodes).argmax, utility),
        Raw(request(nodes), utility, cotangent, ["argmax"]),
        [edmonds and _edmonds(utility), _networkx(utility, 2)],
        [Target("ufal", 10)],
    )


def _edmonds(utility):
    instances = [np.ascontiguousarray(u.T, dtype=np.float64) for u in square(utility).numpy()]

    def best():
        heads = np.array([edmonds.chu_liu_edmonds(u)[0] for u in instances])
        batch, modifiers = np.indices(heads[:, 1:].shape)
        result = np.zeros(square(utility).shape, np.float32)
        result[batch, heads[:, 1:], modifiers + 1] = 1
        return result.reshape(len(result), -1)

    return Contender("ufal.chu_liu_edmonds, one by one", best)


def _networkx(utility, instances):
    graphs = [_graph(u) for u in square(utility).tolist()[:instances]]

    def best():
        result = torch.zeros_like(square(utility)[:instances])
        for row, graph in zip(result, graphs, strict=True):
            for head, modifier in networkx.maximum_spanning_arborescence(graph).edges:
                row[head, modifier] = 1
        return result.flatten(1)

    return Contender("networkx, one by one", best, instances=instances)


def _graph(utility):
    graph = networkx.DiGraph()
    for head, row in enumerate(utility):
        for modifier in range(1, len(row)):
            if head != modifier:
                graph.add_edge(head, modifier, weight=row[modifier])
    return graph


# ---- marginals: the matrix-tree theorem for directed graphs [Tutte 1948; Koo et al. 2007] -----------


def _marginals(nodes):
    utility, cotangent = utilities(nodes)
    own = square(utility), square(cotangent)
    return Work(
        f"arborescence marginals, {nodes} nodes",
        BATCH,
        torch_contender("softtricks", Arborescence(nodes).marginals, utility, cotangent),
        Raw(
            request(nodes), utility, cotangent, ["marginals"], ["marginals", "marginals_vjp"]
        ),
        [
            alone(jax_contender("JAX, slogdet", _jax_slogdet, *own, reading=flat)),
            alone(jax_contender("JAX, inverse", _jax_inverse, *own, reading=flat)),
            torch_contender("PyTorch, inverse", _torch_inverse, *own, reading=flat),
            torch_struct
            and torch_contender(
                "torch-struct",
                lambda u: torch_struct.deptree.deptree_nonproj(u, multi_root=True),
                roots_on_diagonal(utility),
                roots_on_diagonal(cotangent),
                reading=from_roots_on_diagonal,
            ),
        ],
        [Target("", 8, 4)],
        note="SynJax, of which the target speaks, isn't on PyPI: JAX, slogdet is the formula it uses.",
    )


def _jax_laplacian(u):
    """Weights relative to the largest into each vertex, and their Laplacian without the root."""
    nodes = u.shape[-1]
    counts = (1 - jnp.eye(nodes)).at[:, 0].set(0)
    top = jax.lax.stop_gradient(u.max(1, keepdims=True))
    weight = jnp.exp(u - top) * counts
    laplacian = weight.sum(1)[:, None] * jnp.eye(nodes) - weight
    return weight, laplacian[:, 1:, 1:]


def _jax_slogdet(u):
    return jax.grad(lambda u: jnp.linalg.slogdet(_jax_laplacian(u)[1])[1].sum())(u)


def _jax_inverse(u):
    weight, laplacian = _jax_laplacian(u)
    inverse = jnp.pad(jnp.linalg.inv(laplacian), ((0, 0), (1, 0), (1, 0)))
    own = jnp.diagonal(inverse, axis1=1, axis2=2)
    return weight * (own[:, None] - inverse.swapaxes(1, 2))


def _torch_inverse(u):
    counts = 1 - torch.eye(u.shape[-1])
    counts[:, 0] = 0
    weight = torch.exp(u - u.detach().amax(1, keepdim=True)) * counts
    laplacian = torch.diag_embed(weight.sum(1)) - weight
    inverse = torch.nn.functional.pad(torch.linalg.inv(laplacian[:, 1:, 1:]), (1, 0, 1, 0))
    own = inverse.diagonal(dim1=1, dim2=2)
    return weight * (own[:, None] - inverse.transpose(1, 2))
