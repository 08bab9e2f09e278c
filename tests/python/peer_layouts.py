"""Other packages' layouts of utilities and of their marginals, for the parity tests and for
docs/where_others_break.py; the parity tests' utilities, and how they compare."""

import torch


def utilities(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(*shape, generator=generator, dtype=torch.float64)


def close(got, expected, tolerance=1e-12):
    """Of tensors; what other packages give as arrays or numbers is taken in float64."""
    got, expected = (
        a.detach() if isinstance(a, torch.Tensor) else torch.as_tensor(a, dtype=torch.float64)
        for a in (got, expected)
    )
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


def chain_edges(flat, length, states):
    """Ours, [t, state] and then [t, from, to], in torch-struct's: [batch, t, to, from], the states'
    utilities on the edges into them."""
    unary = flat[:, : length * states].reshape(-1, length, states)
    pairs = flat[:, length * states :].reshape(-1, length - 1, states, states)
    edges = pairs.transpose(2, 3) + unary[:, 1:, :, None]
    first = torch.nn.functional.pad(unary[:, :1, None, :], (0, 0, 0, 0, 0, length - 2))
    return (edges + first).contiguous()


def chain_from_edges(edges):
    """torch-struct's marginals in our layout: a state has what the edges at it have together."""
    unary = torch.cat([edges[:, :1].sum(2), edges.sum(3)], 1)
    return torch.cat([unary.flatten(1), edges.transpose(2, 3).flatten(1)], 1)


def roots_on_diagonal(flat, nodes):
    """Ours, [head, modifier] with the root as node 0, in torch-struct's: without node 0, whose arcs
    lie on the diagonal."""
    full = flat.reshape(-1, nodes, nodes)
    off = ~torch.eye(nodes - 1, dtype=torch.bool)
    return torch.where(off, full[:, 1:, 1:], full[:, 0, None, 1:])


def from_roots_on_diagonal(inner):
    full = torch.nn.functional.pad(inner, (1, 0, 1, 0))
    roots = inner.diagonal(dim1=1, dim2=2)
    full[:, 0, 1:] = roots
    full[:, 1:, 1:] -= torch.diag_embed(roots)
    return full.flatten(1)
