/// The gradients of softtricks/torch.hpp against central differences, for every structure and
/// perturbation, and its errors.
#include <functional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <softtricks/torch.hpp>
#include <torch/csrc/autograd/autograd.h>

namespace {

using namespace softtricks::torch;
using at::Tensor;
using Function = std::function<Tensor(const Tensor&)>;

const std::vector<Structure> kStructures = {
    {"one_hot", {5}}, {"bit_vector", {4}}, {"k_subset", {6, 2}}, {"spanning_tree", {4}}};
const std::vector<Perturbation> kPerturbations = {
    "gumbel",        "logistic",        "exponential",          "normal",
    {"normal", {2}}, {"gumbel", {0.7}}, "negative_exponential", {"sum_of_gamma", {4, 2, 5}}};

at::TensorOptions doubles() { return at::TensorOptions(at::kDouble); }

/// Fixed numbers that look random, in [-2, 2].
Tensor numbers(at::IntArrayRef sizes, double start) {
  return at::sin(at::arange(at::zeros(sizes).numel(), doubles()).mul(2.4).add(start))
      .mul(2)
      .reshape(sizes);
}

Tensor gradient(const Tensor& value, const Tensor& by, bool again = false) {
  return ::torch::autograd::grad({value}, {by}, {}, /*retain_graph=*/true, again)[0];
}

/// d sum(weights * function) / d at, entry by entry.
Tensor differences(const Function& function, const Tensor& weights, const Tensor& at) {
  const double step = 1e-5;
  Tensor out = at::zeros_like(at);
  for (std::int64_t i = 0; i < at.numel(); ++i) {
    Tensor above = at.detach().clone(), below = at.detach().clone();
    above.view(-1)[i] += step;
    below.view(-1)[i] -= step;
    out.view(-1)[i] = ((function(above) - function(below)) * weights).sum() / (2 * step);
  }
  return out;
}

void expect_gradient(const Function& function, const Tensor& start) {
  const Tensor leaf = start.detach().clone().requires_grad_();
  const Tensor value = function(leaf);
  const Tensor weights = numbers(value.sizes(), 0.7);
  const Tensor expected = differences(
      [&](const Tensor& u) { return function(u.requires_grad_()).detach(); }, weights, leaf);
  const Tensor actual = gradient((value * weights).sum(), leaf);
  EXPECT_LT((actual - expected).abs().max().item<double>(), 1e-7) << actual << expected;
}

TEST(Torch, GradientsOfTheGibbsLaw) {
  for (const Structure& s : kStructures) {
    SCOPED_TRACE(s.name);
    const Tensor utility = numbers({3, size(s)}, 1.0);
    const Tensor x = argmax(s, numbers({3, size(s)}, 5.0));
    expect_gradient([&](const Tensor& u) { return log_partition(s, u); }, utility);
    expect_gradient([&](const Tensor& u) { return marginals(s, u); }, utility);
    expect_gradient([&](const Tensor& u) { return entropy(s, u); }, utility);
    expect_gradient([&](const Tensor& u) { return log_prob(s, u, x); }, utility);
    expect_gradient([&](const Tensor& u) { return relax(s, u, 0.7); }, utility);
    expect_gradient([&](const Tensor& u) { return relax(s, u, 0.7, "gibbs_entropy", 1.0); },
                    utility);
  }
}

TEST(Torch, LogPartitionAndLogProbDifferentiateTwice) {
  for (const Structure& s : kStructures) {
    SCOPED_TRACE(s.name);
    const Tensor x = argmax(s, numbers({size(s)}, 5.0));
    const auto squared = [](const Function& function) {
      return [function](const Tensor& u) {
        return gradient(function(u).sum(), u, /*again=*/true).square();
      };
    };
    const Tensor utility = numbers({3, size(s)}, 1.0);
    expect_gradient(squared([&](const Tensor& u) { return log_partition(s, u); }), utility);
    expect_gradient(squared([&](const Tensor& u) { return log_prob(s, u, x); }), utility);
  }
}

TEST(Torch, LengthsAndExcludedEntries) {
  for (const Structure& s : kStructures) {
    SCOPED_TRACE(s.name);
    const Tensor lengths = at::tensor({3, static_cast<int>(s.shape[0])});
    expect_gradient([&](const Tensor& u) { return log_partition(s, u, lengths); },
                    numbers({2, size(s)}, 1.0));
    Tensor utility = numbers({2, size(s)}, 1.0);
    utility.select(1, 0).fill_(-INFINITY);
    utility.requires_grad_();
    for (const Tensor& value :
         {entropy(s, utility), marginals(s, utility).square(), relax(s, utility, 0.5).square()}) {
      const Tensor slope = gradient(value.sum(), utility);
      EXPECT_TRUE(slope.isfinite().all().item<bool>());
      EXPECT_TRUE((slope.select(1, 0) == 0).all().item<bool>());
    }
  }
}

TEST(Torch, GradientsOfPerturbations) {
  for (const Perturbation& law : kPerturbations) {
    SCOPED_TRACE(law.name);
    const Tensor theta = numbers({3, 4}, 1.0), other = numbers({4}, 2.0);
    const Tensor value = perturb(law, theta, 3), row = noise(law, other, 5);
    EXPECT_TRUE(at::equal(transform(law, theta, noise(law, theta, 3)), value));
    expect_gradient([&](const Tensor& t) { return perturb(law, t, 3); }, theta);
    expect_gradient([&](const Tensor& t) { return transform(law, t, row); }, theta);
    expect_gradient([&](const Tensor& n) { return transform(law, theta, n); }, row);
    expect_gradient([&](const Tensor& t) { return perturbation_log_prob(law, t, value); }, theta);
    expect_gradient([&](const Tensor& v) { return perturbation_log_prob(law, theta, v); }, value);
    if (law.name == "sum_of_gamma") continue;
    expect_gradient([&](const Tensor& t) { return perturbation_kl(law, t, other); }, theta);
    expect_gradient([&](const Tensor& t) { return perturbation_kl(law, theta, t); }, other);
  }
}

TEST(Torch, DrawsDependOnSeedAndOffset) {
  const Structure tree{"spanning_tree", {6}};
  const Tensor utility = at::zeros({40, size(tree)}).requires_grad_();
  const Tensor draws = sample(tree, utility, 7);
  EXPECT_FALSE(draws.requires_grad());
  EXPECT_TRUE(at::equal(draws, sample(tree, utility.view({4, 10, -1}), 7).view({40, -1})));
  EXPECT_TRUE(at::equal(draws.slice(0, 30), sample(tree, utility.slice(0, 30), 7, {}, 30)));
  EXPECT_FALSE(at::equal(draws, sample(tree, utility, 8)));
  EXPECT_TRUE((draws.sum(-1) == 5).all().item<bool>());
}

void expect_refusal(const std::function<void()>& call, const std::string& words) {
  try {
    call();
    FAIL() << "no error, expected one that says: " << words;
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(Torch, Refusals) {
  const Structure tree{"spanning_tree", {4}};
  const Tensor utility = at::zeros({2, 6});
  expect_refusal([&] { marginals(tree, at::zeros({2, 5})); }, "[..., 6]");
  expect_refusal([&] { marginals(tree, utility.to(at::kHalf)); }, "float32 or float64");
  expect_refusal([&] { marginals({"spanning_tree", {1}}, utility); }, "nodes");
  expect_refusal([&] { marginals({"hedge", {1}}, utility); }, "hedge");
  expect_refusal([&] { relax(tree, utility, 0.0); }, "temperature");
  expect_refusal(
      [&] {
        relax({"grid_path", {2, 3}}, utility, 1.0, "binary_entropy");
      },
      "binary_entropy");
  expect_refusal([&] { argmax(tree, utility, at::tensor({4, 9})); }, "lengths");
  expect_refusal([&] { argmax(tree, utility, at::ones({2})); }, "lengths");
  expect_refusal([&] { log_prob(tree, utility, at::zeros({2, 6}, at::kDouble)); }, "type");
  expect_refusal([&] { perturb("cauchy", utility, 1); }, "cauchy");
  expect_refusal([&] { perturb({"normal", {-1.0}}, utility, 1); }, "scale");
  expect_refusal([&] { perturbation_kl("sum_of_gamma", utility, utility); }, "support");
}

TEST(Torch, MissingDerivativesSaySo) {
  const Structure tree{"spanning_tree", {4}};
  const Tensor utility = numbers({2, 6}, 1.0).requires_grad_();
  const Tensor softened = gradient(relax(tree, utility, 0.5).square().sum(), utility, true);
  expect_refusal([&] { softened.sum().backward(); }, "differentiated again");
  const Tensor first = gradient(log_partition(tree, utility).sum(), utility, true);
  const Tensor second = gradient(first.square().sum(), utility, true);
  expect_refusal([&] { second.sum().backward(); }, "third derivatives");
}

}  // namespace
