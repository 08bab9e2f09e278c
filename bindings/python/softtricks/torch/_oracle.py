"""softtricks.Oracle on tensors, with gradients."""

import torch

from .. import _oracle
from ._front import front
from ._rules import batch_first


class Oracle(_oracle.Oracle):
    """Oracle(size, argmax, *, batched=True, exact=True, tolerance=1e-6, steps=1000) on tensors.

    argmax still gets NumPy arrays: of tensors on other devices, copies. relax has its exact gradient,
    once, which asks argmax nothing more. torch.compile leaves the compiled code for a call and comes
    back (so not with fullgraph=True); torch.func.vmap, grad and jacrev work. What stands below holds
    here with tensors in place of arrays.

    >>> import torch
    >>> from softtricks.torch import Oracle
    >>> one = Oracle(3, lambda u: u == u.max(-1, keepdims=True))
    >>> u = torch.tensor([0.25, 0.75, -1.0], requires_grad=True)
    >>> x = one.relax(u, temperature=1.0)
    >>> x.tolist()
    [0.25, 0.75, 0.0]
    >>> x[0].backward()
    >>> u.grad.tolist()
    [0.5, -0.5, 0.0]
    """

    def argmax(self, utility):
        self._check(utility)
        return _Argmax.apply(utility.detach(), self)

    def relax(self, utility, temperature, regularizer="squared_norm"):
        return self._solve(utility, temperature, regularizer)[0]

    def active_set(self, utility, temperature, count, regularizer="squared_norm"):
        _, members, weights = self._solve(utility.detach(), temperature, regularizer)
        cut = [_oracle._cut(x.numpy(force=True), count, a) for x, a in ((members, -2), (weights, -1))]
        return tuple(torch.from_numpy(x).to(utility.device) for x in cut)

    def _solve(self, utility, temperature, regularizer):
        self._check(utility)
        return _Project.apply(utility / self._temperature(temperature, regularizer), self)

    def _check(self, utility):
        front.array("utility", utility)
        self._check_size(utility)


def _numbers(x):
    return x.numpy(force=True)


def _rows(x, dims=1):
    return _numbers(x).reshape(-1, *x.shape[x.dim() - dims :])


def _back(array, leading, like):
    return torch.from_numpy(array.reshape(*leading, *array.shape[1:])).to(like.device)


class _Argmax(torch.autograd.Function):
    @staticmethod
    def forward(utility, oracle):
        return _back(oracle._argmax(_rows(utility)), utility.shape[:-1], utility)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx, gradient):
        return None, None

    @staticmethod
    def vmap(info, in_dims, utility, oracle):
        return _Argmax.apply(*batch_first(info, in_dims, (utility, oracle))), 0


class _Project(torch.autograd.Function):
    """Points, members and weights."""

    @staticmethod
    def forward(utility, oracle):
        found = oracle._project(_rows(utility).copy())
        return tuple(_back(x, utility.shape[:-1], utility) for x in found)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, members, weights = output
        ctx.mark_non_differentiable(members, weights)
        ctx.save_for_backward(inputs[0], members, weights)

    @staticmethod
    def backward(ctx, gradient, *_):
        return _ProjectVjp.apply(gradient, *ctx.saved_tensors), None

    @staticmethod
    def vmap(info, in_dims, utility, oracle):
        return _Project.apply(*batch_first(info, in_dims, (utility, oracle))), (0, 0, 0)


class _ProjectVjp(torch.autograd.Function):
    @staticmethod
    def forward(cotangent, utility, members, weights):
        arrays = (_rows(utility), _rows(members, 2), _rows(weights), _rows(cotangent))
        return _back(_oracle.projection_vjp(*arrays), cotangent.shape[:-1], cotangent)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx, gradient):
        # Linear and symmetric in the cotangent; the point's second derivative is 0 almost everywhere.
        return _ProjectVjp.apply(gradient, *ctx.saved_tensors), None, None, None

    @staticmethod
    def vmap(info, in_dims, *tensors):
        return _ProjectVjp.apply(*batch_first(info, in_dims, tensors)), 0
