"""Forward-mode derivatives against differences, alone, batched, and over reverse ones."""

import pytest
import torch
from torch.autograd import gradcheck
from torch_support import LARGE, st

from softtricks.torch._library import registry

PARAMETERS = {"normal": {"scale": 2.0}}
VERBS = {law["name"]: law["verbs"] for law in registry["perturbations"]}


def check(function, *inputs):
    forward = {"check_forward_ad": True, "check_batched_forward_grad": True}
    assert gradcheck(function, inputs, check_backward_ad=False, **forward)


@pytest.mark.parametrize("case", LARGE, ids=repr)
def test_of_structures(case):
    structure, utility = case.structure, case.utility(2).requires_grad_()
    for verb in (structure.marginals, structure.log_partition, structure.entropy):
        check(verb, utility)
    for regularizer in structure.regularizers:
        check(lambda u, r=regularizer: structure.relax(u, 2.0, r), utility)
    other = case.utility(2, seed=1).requires_grad_()
    check(structure.kl, utility, other)
    check(structure.cross_entropy, utility, other)
    x = case.members[-1].expand(2, -1)
    check(lambda u: structure.log_prob(u, x), utility)


@pytest.mark.parametrize("law", st.perturbations)
def test_of_perturbations(law):
    named = PARAMETERS.get(law, {})
    theta = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    other = (theta.detach() + 0.3).requires_grad_()
    check(lambda t: st.perturb(law, t, seed=1, **named), theta)
    noise = st.noise(law, theta, seed=1, **named).requires_grad_()
    check(lambda t, n: st.transform(law, t, n, **named), theta, noise)
    if "kl" in VERBS[law]:
        check(lambda a, b: st.perturbation_kl(law, a, b, **named), theta, other)


@pytest.mark.parametrize("case", LARGE, ids=repr)
def test_hessians(case):
    structure, utility = case.structure, case.utility()
    expected = torch.func.jacrev(structure.marginals)(utility)
    torch.testing.assert_close(torch.func.jacfwd(structure.marginals)(utility), expected)
    for outer in (torch.func.jacfwd, torch.func.jacrev):
        for inner in (torch.func.jacfwd, torch.func.jacrev):
            hessian = outer(inner(structure.log_partition))(utility)
            torch.testing.assert_close(hessian, expected)
    batch = case.utility(3)
    each = [torch.func.hessian(structure.log_partition)(u) for u in batch]
    together = torch.func.vmap(torch.func.hessian(structure.log_partition))(batch)
    torch.testing.assert_close(together, torch.stack(each))


def test_what_is_missing_raises():
    tree, utility = st.SpanningTree(4), torch.randn(6)
    for outer in (torch.func.jacfwd, torch.func.jacrev):
        for inner in (torch.func.jacfwd, torch.func.jacrev):
            for verb in (tree.marginals, lambda u: tree.relax(u, 0.5)):
                with pytest.raises((NotImplementedError, RuntimeError)):
                    outer(inner(verb))(utility)
    with pytest.raises(NotImplementedError, match="utility_range"):
        torch.func.jacfwd(lambda u: tree.relax(u, 0.5, utility_range=1.0))(utility)
    _, tangent = torch.func.jvp(tree.argmax, (utility,), (torch.ones(6),))
    assert not bool(tangent.any())
