/// The fused kernels against the same written in ATen: values and every gradient.
#include "graph_layout/pair_ops.hpp"

#include <functional>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace graph_layout {
namespace {

using at::Tensor;
using Inputs = std::vector<Tensor>;
using Operation = std::function<Tensor(const Inputs&)>;

double relative_difference(const Tensor& found, const Tensor& expected) {
  return ((found - expected).abs().max() / expected.abs().max().clamp_min(1e-6)).item<double>();
}

void expect_same(Inputs inputs, const Operation& fused, const Operation& plain) {
  for (Tensor& input : inputs) input.requires_grad_(true);
  const Tensor found = fused(inputs), expected = plain(inputs);
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LT(relative_difference(found.detach(), expected.detach()), 1e-5);
  const Tensor cotangent = at::randn_like(expected);
  const auto found_gradients = torch::autograd::grad({found}, inputs, {cotangent});
  const auto expected_gradients = torch::autograd::grad({expected}, inputs, {cotangent});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_LT(relative_difference(found_gradients[i], expected_gradients[i]), 1e-5)
        << "gradient of input " << i;
  }
}

TEST(PairLayer, WithoutFeatures) {
  expect_same(
      {at::randn({3, 5, 14})},
      [](const Inputs& x) { return pair_layer(x[0], std::nullopt, std::nullopt); },
      [](const Inputs& x) { return pair_layer_plain(x[0], std::nullopt, std::nullopt); });
}

TEST(PairLayer, WithFeatures) {
  expect_same(
      {at::randn({3, 5, 14}), at::randn({3, 20, 9}), at::randn({7, 9})},
      [](const Inputs& x) { return pair_layer(x[0], x[1], x[2]); },
      [](const Inputs& x) { return pair_layer_plain(x[0], x[1], x[2]); });
}

TEST(LinearElu, WideRangeOfInputs) {
  expect_same(
      {at::randn({3, 50, 14}) * 10, at::randn({9, 14}), at::randn({9})},
      [](const Inputs& x) { return linear_elu(x[0], x[1], x[2]); },
      [](const Inputs& x) { return linear_elu_plain(x[0], x[1], x[2]); });
}

TEST(MessageRound, SoftWeights) {
  expect_same(
      {at::randn({20, 3, 5, 28}), at::randn({2, 7, 7}), at::randn({2, 7}), at::rand({20, 20, 2})},
      [](const Inputs& x) { return message_round(x[0], x[1], x[2], x[3]); },
      [](const Inputs& x) { return message_round_plain(x[0], x[1], x[2], x[3]); });
}

/// Pairs of weight 0 are left out where the weights need no gradient.
TEST(MessageRound, HardWeights) {
  const Tensor weights = at::rand({20, 20, 2}).gt(0.5).to(at::kFloat);
  expect_same(
      {at::randn({20, 3, 5, 28}), at::randn({2, 7, 7}), at::randn({2, 7})},
      [&](const Inputs& x) { return message_round(x[0], x[1], x[2], weights); },
      [&](const Inputs& x) { return message_round_plain(x[0], x[1], x[2], weights); });
}

TEST(MessageRound, AllWeightsZero) {
  const Tensor projected = at::randn({2, 1, 3, 8}), weight = at::randn({2, 2, 2});
  const Tensor out = message_round(projected, weight, at::randn({2, 2}), at::zeros({2, 6, 2}));
  EXPECT_EQ(out.abs().max().item<double>(), 0);
}

/// Sums over tiles are cut into a fixed number of parts, so the bits don't depend on the threads.
TEST(MessageRound, SameBitsForAnyNumberOfThreads) {
  const Inputs inputs = {
      at::randn({40, 3, 10, 32}).requires_grad_(true), at::randn({2, 8, 8}).requires_grad_(true),
      at::randn({2, 8}).requires_grad_(true), at::rand({40, 90, 2}).requires_grad_(true)};
  const auto gradients = [&](int threads) {
    at::set_num_threads(threads);
    const Tensor out = message_round(inputs[0], inputs[1], inputs[2], inputs[3]);
    return torch::autograd::grad({out}, inputs, {at::ones_like(out)});
  };
  const auto one = gradients(1), two = gradients(2);
  for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_TRUE(at::equal(one[i], two[i]));
}

}  // namespace
}  // namespace graph_layout
