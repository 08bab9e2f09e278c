// The PyTorch operators in a plain C++ program, gradient included: each edge of the complete graph
// on 3 vertices lies in two of its three spanning trees.
#include <cstdio>

#include <softtricks/torch.hpp>
#include <torch/torch.h>

int main() {
  const auto utility =
      torch::zeros({2, 3}, torch::TensorOptions().dtype(torch::kFloat64).requires_grad(true));
  softtricks::torch::log_partition({"spanning_tree", {3}}, utility).sum().backward();
  if (torch::allclose(utility.grad(), torch::full({2, 3}, 2.0 / 3.0, torch::kFloat64))) return 0;
  std::printf("the gradient of log_partition is not the marginals\n");
  return 1;
}
