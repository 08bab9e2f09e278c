"""What PyTorch must know of each operator beside its numbers: the shape of its result, its gradient,
and how it takes one more batch dimension. One rule a verb, none a structure.

Every backward is made of the operators themselves, so that it can be differentiated and compiled.
"""

import torch

from ._library import ops

# ---- shapes -----------------------------------------------------------------------------------

_ENTRYWISE = ("argmax", "marginals", "marginals_vjp", "sample", "relax", "relax_vjp")
_SCALAR = ("log_partition", "log_prob", "entropy", "cross_entropy", "kl")
_MEMBERS = ("k_best", "active_set")
_PAIR = ("transform", "perturbation_log_prob", "perturbation_kl")
_PERTURBATION = ("perturb", "perturb_vjp", "noise", *_PAIR)
_PERTURBATION_PAIR = tuple(name + "_vjp" for name in _PAIR)


def _like(first, *_):
    return first.new_empty(first.shape)


def _like_twice(first, *_):
    return first.new_empty(first.shape), first.new_empty(first.shape)


def _instances(first, *_):
    return first.new_empty(first.shape[:-1])


def _members(first, count, *_):
    leading = first.shape[:-1]
    return first.new_empty((*leading, count, first.shape[-1])), first.new_empty((*leading, count))


# ---- one more batch dimension -----------------------------------------------------------------


def _in_front(argument, dim, size):
    if not isinstance(argument, torch.Tensor):
        return argument
    if dim is None:
        return argument.expand(size, *argument.shape)
    return argument.movedim(dim, 0)


def batch_first(info, in_dims, arguments):
    """Arguments of a vmap rule, each with the batch in front."""
    return [_in_front(a, d, info.batch_size) for a, d in zip(arguments, in_dims, strict=True)]


def _vmap(name, results):
    def rule(info, in_dims, *arguments):
        return call(name, *batch_first(info, in_dims, arguments)), 0 if results == 1 else (0,) * results

    return rule


def _vmap_random(name):
    batched = _vmap(name, 1)

    def rule(info, in_dims, *arguments):
        if info.randomness == "different":
            return batched(info, in_dims, *arguments)
        # A draw is a function of its seed: each element is what it would be by itself.
        moved = batch_first(info, in_dims, arguments)
        draws = [
            call(name, *(a[i] if isinstance(a, torch.Tensor) else a for a in moved))
            for i in range(info.batch_size)
        ]
        return torch.stack(draws), 0

    return rule


def _register_shapes_and_batching():
    for names, shape, results in (
        (_ENTRYWISE, _like, 1),
        (_SCALAR, _instances, 1),
        (_MEMBERS, _members, 2),
        (_PERTURBATION, _like, 1),
        (_PERTURBATION_PAIR, _like_twice, 2),
    ):
        for name in names:
            random = name in ("sample", "perturb", "noise")
            rule = _vmap_random(name) if random else _vmap(name, results)
            torch.library.register_fake(f"softtricks::{name}", shape)
            torch.library.register_vmap(f"softtricks::{name}", rule)
            if name in _functions:
                _functions[name].vmap = staticmethod(rule)


# ---- gradients --------------------------------------------------------------------------------
# An operator's arguments are tensors to differentiate by, then numbers and names, and at the end
# (structure, shape, lengths, counts) or (perturbation, parameters).

_functions = {}  # for torch.func
_eager = {}  # for autograd without any transform: a third of the time


def transforming():
    """Is a transform of torch.func at work (vmap, grad, jacrev ...)?"""
    return torch._C._are_functorch_transforms_active()


def call(name, *arguments):
    """Calls an operator so that it can be differentiated by autograd, compiled, and transformed."""
    op = getattr(ops, name)
    if torch.compiler.is_compiling():
        return op(*arguments)
    if transforming():
        # torch.func can't look into gradients registered with an operator, only into these.
        return _functions[name].apply(*arguments) if name in _functions else op(*arguments)
    if name in _eager and _differentiates(arguments):
        return _eager[name].apply(*arguments)
    return _below_autograd(op, arguments)


def _differentiates(arguments):
    if torch.autograd.forward_ad._current_level >= 0:
        return True
    leading = arguments[:3]  # no operator is differentiated by more
    return torch.is_grad_enabled() and any(
        isinstance(a, torch.Tensor) and a.requires_grad for a in leading
    )


def _below_autograd(op, arguments):
    """The bare operator: what autograd does for it by itself costs as much as a small solve."""
    with torch._C._AutoDispatchBelowAutograd():
        return op(*arguments)


def _make_functions(name, setup_context, **rules):
    """The operator with its derivatives, twice: for torch.func, and for autograd alone."""
    op = getattr(ops, name)

    def eager_forward(ctx, *arguments):
        output = _below_autograd(op, arguments)
        setup_context(ctx, arguments, output)
        return output

    def forward(*arguments):
        return op(*arguments)

    static = {key: staticmethod(rule) for key, rule in rules.items()}
    bases = (torch.autograd.Function,)
    _eager[name] = type(name, bases, {"forward": staticmethod(eager_forward), **static})
    static["setup_context"] = staticmethod(setup_context)
    _functions[name] = type(name, bases, {"forward": staticmethod(forward), **static})


def _gradient(name, reads_result=False):
    """Registers the decorated function as the backward of an operator. It gets the incoming
    gradient, the operator's result where it asked for it, and the operator's arguments; it returns
    the gradients of the tensors that lead the arguments."""

    def register(backward):
        def setup_context(ctx, inputs, output):
            ctx.is_tensor = [isinstance(a, torch.Tensor) for a in inputs]
            ctx.others = [None if isinstance(a, torch.Tensor) else a for a in inputs]
            tensors = [a for a in inputs if isinstance(a, torch.Tensor)]
            kept = [*([output] if reads_result else []), *tensors]
            ctx.save_for_backward(*kept)
            if hasattr(ctx, "save_for_forward"):
                ctx.save_for_forward(*kept)

        def saved(ctx):
            """The result, if the rule reads it, and the operator's arguments."""
            tensors = iter(ctx.saved_tensors)
            result = [next(tensors)] if reads_result else []
            pairs = zip(ctx.is_tensor, ctx.others, strict=True)
            return [*result, *(next(tensors) if is_tensor else other for is_tensor, other in pairs)]

        def run(ctx, *gradients):
            leading = backward(gradients[0], *saved(ctx))
            return (*leading, *[None] * (len(ctx.others) - len(leading)))

        def jvp(ctx, *tangents):
            # PyTorch turns forward mode off in here, which loses the tangents of transforms outside.
            with torch.autograd.forward_ad._set_fwd_grad_enabled(True):
                primals = [_primal(argument) for argument in saved(ctx)]
                return _forward_mode(name, backward, primals, int(reads_result), tangents)

        torch.library.register_autograd(f"softtricks::{name}", run, setup_context=setup_context)
        rules = {"backward": run} if name.endswith("_vjp") else {"backward": run, "jvp": jvp}
        _make_functions(name, setup_context, **rules)
        return backward

    return register


def _primal(argument):
    """A tensor without its tangent of the transform at work; those of others stay."""
    if not isinstance(argument, torch.Tensor):
        return argument
    return torch.autograd.forward_ad.unpack_dual(argument, level=0).primal


def _forward_mode(name, backward, saved, utility_place, tangents):
    """The derivative along the tangents of an operator's leading arguments, from its backward: the
    Jacobian by each is symmetric, or has a single row."""
    if name == "relax" and saved[4] is not None:
        # A floored utility hands its gradient to another entry: this Jacobian is not symmetric.
        raise NotImplementedError(
            "softtricks: forward-mode derivatives of relax with utility_range are not offered; those "
            "of reverse mode are (backward, grad, jacrev)"
        )
    given = [(i, tangent) for i, tangent in enumerate(tangents) if tangent is not None]
    if name in _SCALAR:
        slopes = backward(torch.ones_like(saved[utility_place][..., 0]), *saved)
        parts = [(slopes[i], tangent) for i, tangent in given if slopes[i] is not None]
        return sum((slope * tangent).sum(-1) for slope, tangent in parts)
    return sum(backward(tangent, *saved)[i] for i, tangent in given)


class _Constant(torch.autograd.Function):
    """The identity, for utilities by which nobody may differentiate again. An error of its own
    rather than in the next rule, so that the rule's other arguments keep their gradients."""

    generate_vmap_rule = True

    @staticmethod
    def forward(utility):
        return utility.view_as(utility)

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, gradient):
        raise NotImplementedError(
            "softtricks: third derivatives of log_partition and second derivatives of marginals "
            "and entropy are not offered"
        )

    jvp = backward


def _covariance_times(utility, cotangent, *structure):
    if transforming() or (torch.is_grad_enabled() and utility.requires_grad):
        utility = _Constant.apply(utility)
    return call("marginals_vjp", utility, cotangent, *structure)


@_gradient("log_partition")
def _(gradient, utility, *structure):
    return (gradient.unsqueeze(-1) * call("marginals", utility, *structure),)


@_gradient("marginals")
def _(gradient, utility, *structure):
    return (_covariance_times(utility, gradient, *structure),)


@_gradient("marginals_vjp")
def _(gradient, utility, cotangent, *structure):
    return torch.full_like(utility, torch.nan), _covariance_times(utility, gradient, *structure)


@_gradient("log_prob")
def _(gradient, utility, x, *structure):
    return gradient.unsqueeze(-1) * (x - call("marginals", utility, *structure)), None


def _zero_where_excluded(utility, x):
    # An excluded entry is 0 in every member: its covariance is 0, and 0 * inf must not be NaN.
    return torch.where(utility.isinf(), torch.zeros_like(x), x)


@_gradient("entropy")
def _(gradient, utility, *structure):
    finite = _zero_where_excluded(utility, utility)
    return (_covariance_times(utility, -gradient.unsqueeze(-1) * finite, *structure),)


def _two_laws_gradient(gradient, slope, utility, other, structure):
    """Of A(other) - other . marginals(utility), and of that less the entropy of utility."""
    incoming = gradient.unsqueeze(-1)
    cotangent = incoming * _zero_where_excluded(utility, slope)
    means = [call("marginals", u, *structure) for u in (utility, other)]
    return _covariance_times(utility, cotangent, *structure), incoming * (means[1] - means[0])


@_gradient("cross_entropy")
def _(gradient, utility, other, *structure):
    return _two_laws_gradient(gradient, -other, utility, other, structure)


@_gradient("kl")
def _(gradient, utility, other, *structure):
    return _two_laws_gradient(gradient, utility - other, utility, other, structure)


@_gradient("relax", reads_result=True)
def _(gradient, soft, utility, *relaxation_and_structure):
    return (call("relax_vjp", utility, soft, gradient, *relaxation_and_structure),)


@_gradient("perturb", reads_result=True)
def _(gradient, value, theta, seed, offset, *law):
    return (call("perturb_vjp", theta, value, gradient, *law),)


def _gradient_of_pair(name):
    @_gradient(name)
    def _(gradient, theta, value, *law):
        return call(name + "_vjp", theta, value, gradient, *law)


def _once_differentiable(name):
    @_gradient(name + "_vjp")
    def _(gradient, *arguments):
        raise NotImplementedError(
            f"softtricks: the gradient of {name} can't be differentiated again"
        )


for _name in _PAIR:
    _gradient_of_pair(_name)
for _name in ("relax", "perturb", *_PAIR):
    _once_differentiable(_name)

_register_shapes_and_batching()
