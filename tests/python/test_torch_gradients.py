"""softtricks.torch: gradients against finite differences, the operators' registrations, and the
transforms of torch.func."""

import functools

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.func import grad, jacrev, vmap
from softtricks.torch._library import registry
from torch_support import CASES, LARGE, exclude_one, st

on_all_cases = pytest.mark.parametrize("case", CASES, ids=repr)
on_each_structure = pytest.mark.parametrize("case", LARGE, ids=repr)
OFFERED = {law["name"]: law["verbs"] for law in registry["perturbations"]}
on_each_perturbation = pytest.mark.parametrize("name", st.perturbations)
OPS = torch.ops.softtricks


def needs_grad(tensor):
    return tensor.detach().clone().requires_grad_()


def restricted(case, verb):
    """The verb as a function of the entries that are not excluded: finite differences of the
    others are meaningless."""
    utility, entry = exclude_one(case, case.utility(3))
    kept = [e for e in range(case.structure.size) if e != entry]

    def function(free):
        return verb(utility.index_copy(-1, torch.tensor(kept), free))

    return function, needs_grad(utility[:, kept])


# ---- finite differences -------------------------------------------------------------------------


@on_all_cases
def test_gradients_of_the_gibbs_law(case):
    s, utility = case.structure, needs_grad(case.utility(3))
    members = case.members[torch.arange(3) % len(case.members)]
    assert gradcheck(s.log_partition, utility)
    assert gradgradcheck(s.log_partition, utility)
    assert gradcheck(s.marginals, utility)
    assert gradcheck(s.entropy, utility)
    assert gradcheck(lambda u: s.log_prob(u, members), utility)
    assert gradgradcheck(lambda u: s.log_prob(u, members), utility)


@on_each_structure
def test_gradients_with_an_excluded_entry(case):
    s = case.structure
    members = case.members[torch.arange(3) % len(case.members)]
    for verb in (s.log_partition, s.marginals, s.entropy, lambda u: s.relax(u, 0.7)):
        assert gradcheck(*restricted(case, verb))
    assert gradgradcheck(*restricted(case, s.log_partition))
    utility, entry = exclude_one(case, case.utility(3))
    weight = case.utility(3, seed=9)
    for verb in (s.marginals, lambda u: s.relax(u, 0.7), lambda u: s.entropy(u).unsqueeze(-1)):
        leaf = needs_grad(utility)
        (verb(leaf) * weight).sum().backward()
        assert leaf.grad.isfinite().all()
        assert (leaf.grad[:, entry] == 0).all()
    temperature = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    (s.relax(utility, temperature) * weight).sum().backward()
    assert temperature.grad.isfinite()
    assert members.shape == utility.shape


@on_each_structure
def test_gradients_with_lengths(case):
    s, utility = case.structure, needs_grad(case.utility(3))
    lengths = torch.tensor([3, case.structure.shape[0], 3])
    assert gradcheck(lambda u: s.log_partition(u, lengths=lengths), utility)
    assert gradgradcheck(lambda u: s.log_partition(u, lengths=lengths), utility)
    assert gradcheck(lambda u: s.entropy(u, lengths=lengths), utility)
    assert gradcheck(lambda u: s.relax(u, 0.7, lengths=lengths), utility)
    x = s.sample(utility, seed=1, lengths=lengths)
    assert gradcheck(lambda u: s.log_prob(u, x, lengths=lengths), utility)
    behind = (case.shorter(3) == 0).all(0)
    (s.marginals(utility, lengths=lengths) ** 2).sum().backward()
    assert (utility.grad[0, behind] == 0).all()


@pytest.mark.parametrize("utility_range", [None, 1.0])
@on_each_structure
def test_gradients_of_every_relaxation(case, utility_range):
    s, utility = case.structure, needs_grad(case.utility(4))
    temperature = torch.full((4, 1), 0.7, dtype=torch.float64, requires_grad=True)
    for regularizer in s.regularizers:
        relax = functools.partial(s.relax, regularizer=regularizer, utility_range=utility_range)
        assert gradcheck(lambda u, r=relax: r(u, 0.7), utility), regularizer
        assert gradcheck(lambda u, t, r=relax: r(u, t), (utility, temperature)), regularizer


@on_each_perturbation
def test_gradients_of_perturbations(name):
    theta = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(3, 4).requires_grad_()
    value = needs_grad(st.perturb(name, theta, seed=4))
    row = needs_grad(theta[0].flip(0))
    assert gradcheck(lambda t: st.perturb(name, t, seed=3), theta)
    noise = needs_grad(st.noise(name, row, seed=4))
    assert gradcheck(lambda t, n: st.transform(name, t, n), (theta, noise))
    assert gradcheck(lambda t, v: st.perturbation_log_prob(name, t, v), (theta, value))
    if "kl" in OFFERED[name]:
        assert gradcheck(lambda t, t0: st.perturbation_kl(name, t, t0), (theta, row))


@on_each_structure
def test_strided_and_broadcast_gradients(case):
    s = case.structure
    utility = needs_grad(case.utility(4, 3).transpose(0, 1))
    weight = case.utility(3, 4, seed=2)
    (s.marginals(utility) * weight).sum().backward()
    straight = needs_grad(utility.contiguous())
    (s.marginals(straight) * weight.contiguous()).sum().backward()
    assert torch.equal(utility.grad, straight.grad)
    row = needs_grad(case.utility())
    s.log_prob(row, case.members).sum().backward()
    expected = (case.members - s.marginals(row.detach())).sum(0)
    torch.testing.assert_close(row.grad, expected)


@on_each_structure
def test_discrete_results_carry_no_gradient(case):
    s, utility = case.structure, needs_grad(case.utility(3))
    assert not s.argmax(utility).requires_grad
    assert not s.sample(utility, seed=1).requires_grad
    x = case.members[:1].expand(3, -1).clone().requires_grad_()
    assert not s.log_prob(utility.detach(), x).requires_grad


# ---- derivatives that are not offered say so ------------------------------------------------------


def test_missing_derivatives_raise():
    s = LARGE[0].structure
    utility = needs_grad(LARGE[0].utility(2))
    (first,) = torch.autograd.grad(s.log_partition(utility).sum(), utility, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), utility, create_graph=True)
    with pytest.raises(NotImplementedError, match="third derivatives"):
        torch.autograd.grad(second.sum(), utility)
    for verb in (lambda u: s.relax(u, 0.5), lambda u: st.perturb("exponential", u, seed=1)):
        (first,) = torch.autograd.grad(verb(utility).square().sum(), utility, create_graph=True)
        with pytest.raises(NotImplementedError, match="can't be differentiated again"):
            torch.autograd.grad(first.sum(), utility)


@on_each_structure
def test_products_with_the_hessian(case):
    """torch.autograd.functional differentiates by the cotangent too."""
    s, utility, vector = case.structure, case.utility(2), case.utility(2, seed=5)

    def total(u):
        return s.log_partition(u).sum()

    _, product = torch.autograd.functional.hvp(total, utility, vector)
    _, transposed = torch.autograd.functional.vhp(total, utility, vector)
    _, forward = torch.autograd.functional.jvp(s.marginals, utility, vector)
    hessian = torch.autograd.functional.hessian(total, utility).reshape(vector.numel(), -1)
    expected = (hessian @ vector.flatten()).reshape(vector.shape)
    for result in (product, transposed, forward):
        torch.testing.assert_close(result, expected)


# ---- torch.func -----------------------------------------------------------------------------------


@on_each_structure
def test_transforms(case):
    s, utility = case.structure, case.utility(3)
    lengths = torch.tensor([3, case.structure.shape[0], 3])
    marginals = s.marginals(utility)
    assert torch.equal(vmap(s.marginals)(utility), marginals)
    assert torch.equal(vmap(s.argmax, in_dims=1)(utility.unsqueeze(0)), s.argmax(utility)[:, None])
    torch.testing.assert_close(vmap(grad(s.log_partition))(utility), marginals)
    torch.testing.assert_close(
        vmap(lambda u, n: s.entropy(u, lengths=n))(utility, lengths),
        s.entropy(utility, lengths=lengths),
    )
    hessian = vmap(jacrev(jacrev(s.log_partition)))(utility)
    torch.testing.assert_close(hessian, vmap(jacrev(s.marginals))(utility))
    probabilities = s.log_prob(utility[0], case.members).exp().unsqueeze(-1)
    centred = case.members - marginals[0]
    torch.testing.assert_close(hessian[0], (probabilities * centred).T @ centred)
    temperature = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    softened = vmap(lambda u, t: s.relax(u, t))(utility, temperature)
    torch.testing.assert_close(softened, s.relax(utility, temperature.unsqueeze(-1)))


@on_each_structure
def test_vmap_draws_as_each_element_would(case):
    s, utility = case.structure, case.utility(8, 5, scale=0.1)

    def draw(u):
        return s.sample(u, seed=3)

    assert torch.equal(vmap(draw)(utility), torch.stack([draw(u) for u in utility]))
    assert torch.equal(vmap(draw, randomness="different")(utility), draw(utility))
    theta = torch.zeros(4, 3)
    same = vmap(lambda t: st.perturb("gumbel", t, seed=3))(theta)
    assert torch.equal(same, same[:1].expand(4, 3))


# ---- registrations ----------------------------------------------------------------------------------


def operator_calls():
    """(operator, tensors to differentiate by, other tensors and numbers): each operator with plain
    and strided utilities, lengths, and an empty batch."""
    for case in LARGE:
        s = case.structure
        plain = case.utility(3)
        strided = torch.stack([plain, plain], -1)[..., 0]
        lengths = torch.tensor([3, s.shape[0], 3])
        for utility, sizes in ((plain, lengths), (strided, None), (plain[:0], None)):
            problem = (s.name, list(s.shape), sizes, None)
            other = torch.rand_like(utility)
            for name in ("log_partition", "marginals", "entropy"):
                yield name, (utility,), problem
            yield "argmax", (), (utility, *problem)
            yield "log_prob", (utility,), (s.argmax(other, lengths=sizes), *problem)
            yield "marginals_vjp", (), (utility, other, *problem)
            yield "sample", (), (utility, 7, 0, *problem)
            for name in ("kl", "cross_entropy"):
                yield name, (utility, other), problem
            yield "active_set", (), (utility, 3, 0.7, "squared_norm", 4.0, *problem)
            yield "relax", (utility,), (0.7, s.regularizers[-1], 4.0, *problem)
            yield "relax_vjp", (), (utility, other, other, 0.7, s.regularizers[-1], 4.0, *problem)
    chain = st.LinearChain(length=3, states=2)
    utility = torch.rand(3, chain.size, dtype=torch.float64)
    for u in (utility, utility[:0]):
        yield "k_best", (), (u, 2, chain.name, list(chain.shape), None, None)
    subset, counts = st.KSubset(items=5, k=3), torch.tensor([1, 3, 2])
    utility = torch.rand(3, subset.size, dtype=torch.float64)
    yield "marginals", (utility,), (subset.name, list(subset.shape), None, counts)
    theta = torch.rand(3, 4, dtype=torch.float64)
    value = theta + 0.5
    for law, parameters in st.perturbations.items():
        problem = (law, list(parameters.values()))
        side = -value if law == "negative_exponential" else value
        yield "perturb", (theta,), (7, 0, *problem)
        yield "perturb_vjp", (), (theta, side, theta, *problem)
        yield "noise", (), (theta, 7, 0, *problem)
        for name in ("transform", "perturbation_log_prob", "perturbation_kl"):
            if name.removeprefix("perturbation_") in OFFERED[law]:
                other = theta + 0.5 if name == "perturbation_kl" else side
                yield name, (theta, other), problem
                yield name + "_vjp", (), (theta, other, theta, *problem)


CALLS = list(operator_calls())
NAMES = sorted({name for name, _, _ in CALLS})


def test_all_operators_are_checked():
    schemas = torch._C._jit_get_all_schemas()
    mine = {s.name.partition("::")[2] for s in schemas if s.name.startswith("softtricks::")}
    assert mine - {"describe", "structure_size"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_opcheck(name):
    for called, tensors, others in CALLS:
        if called == name:
            tensors = tuple(needs_grad(t) for t in tensors)
            torch.library.opcheck(getattr(OPS, name).default, (*tensors, *others))
