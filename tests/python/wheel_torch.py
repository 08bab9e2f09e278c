"""What ./check wheel runs on the installed wheel beside each version of PyTorch: values, gradients twice,
randomness, a batch by vmap."""

import numpy
import softtricks
import softtricks.torch as st
import torch
from torch.autograd import gradcheck, gradgradcheck

theta = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(2, 6).requires_grad_()
tree = st.SpanningTree(nodes=4)

assert "site-packages" in softtricks.__file__, softtricks.__file__
assert gradcheck(tree.log_partition, theta) and gradgradcheck(tree.log_partition, theta)
assert gradcheck(lambda t: tree.relax(st.perturb("gumbel", t, seed=0), 0.5), theta)
assert gradcheck(lambda t: tree.relax(t, 2.0, "squared_norm"), theta)
assert (tree.sample(theta, seed=1).sum(-1) == 3).all()
torch.testing.assert_close(torch.func.vmap(tree.marginals)(theta), tree.marginals(theta))
same = softtricks.SpanningTree(nodes=4).marginals(theta.detach())
assert numpy.array_equal(same, tree.marginals(theta).detach().numpy())
print(f"softtricks {softtricks.__version__} works with torch {torch.__version__}")
