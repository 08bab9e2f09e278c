#include "learning_to_explain/selector.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "learning_to_explain/estimators.hpp"

namespace learning_to_explain {
namespace {

namespace ops = softtricks::torch;

Selector selector_of(const std::string& row, std::int64_t k, double temperature = 0.7) {
  return Selector(Task{.row = row, .k = k, .seed = 1, .temperature = temperature, .step = 5},
                  false);
}

/// theta [3, .] over 7 words, for reviews of 7, 4 and 2 words.
at::Tensor theta_of(const Selector& selector) {
  const std::int64_t size = selector.correlated() ? 13 : 7;
  return at::sin(at::arange(3 * size, at::kDouble) * 1.7).view({3, size});
}
at::Tensor lengths() { return at::tensor({7, 4, 2}, at::kLong); }

bool is_hard(const std::string& row) {
  for (const char* soft :
       {"l2x", "softsub", "euclidean", "categorical", "binary", "gibbs", "correlated"}) {
    if (row == soft) return false;
  }
  return true;
}

TEST(Selector, EveryRowSelectsKWordsOfTheReview) {
  for (const std::string& row : row_names()) {
    const Selector selector = selector_of(row, 3);
    const at::Tensor theta = theta_of(selector);
    const auto expect_sound = [&](const at::Tensor& selection, bool hard, bool exact) {
      ASSERT_EQ(selection.sizes(), at::IntArrayRef({3, 7})) << row;
      EXPECT_TRUE(selection.ge(-1e-9).logical_and(selection.le(3 + 1e-9)).all().item<bool>());
      const at::Tensor outside = at::arange(7).ge(lengths().unsqueeze(1));
      EXPECT_EQ(selection.masked_select(outside).abs().sum().item<double>(), 0) << row;
      if (exact) {
        const at::Tensor wanted = lengths().clamp_max(3).to(at::kDouble);
        EXPECT_TRUE(at::allclose(selection.sum(1), wanted, 1e-6, 1e-6)) << row;
      }
      if (hard) {
        EXPECT_TRUE(at::allclose(selection, selection.round(), 0, 1e-9)) << row;
      }
    };
    AdaptiveStep step;
    // L2X's maximum of draws sums to k at most; SoftSub's sum is k even where words are fewer.
    expect_sound(selector.train(theta, lengths(), 5, step), is_hard(row),
                 row != "l2x" && row != "softsub");
    expect_sound(selector.map(theta, lengths()), true, true);
    expect_sound(selector.sample(theta, lengths(), 5), true, true);
  }
}

TEST(Selector, PairsDrawNeighboursTogether) {
  const Selector selector = selector_of("correlated", 2);
  at::Tensor theta = at::zeros({1, 13}, at::kDouble);
  theta.select(1, 0).fill_(1);
  theta.select(1, 6).fill_(1);
  EXPECT_EQ(selector.map(theta, at::tensor({7}, at::kLong))[0][6].item<double>(), 1);
  theta.select(1, 7 + 2).fill_(3);  // words 2 and 3
  const at::Tensor best = selector.map(theta, at::tensor({7}, at::kLong));
  EXPECT_EQ(best[0][2].item<double>() + best[0][3].item<double>(), 2);
}

/// The slope of sum(weight * selection) at theta, by differences and by autograd.
void expect_gradient(const std::string& row) {
  const Selector selector = selector_of(row, 3);
  at::Tensor theta = theta_of(selector);
  const at::Tensor weight = at::cos(at::arange(21, at::kDouble)).view({3, 7});
  const auto value = [&](const at::Tensor& at_theta) {
    AdaptiveStep step;
    return (selector.train(at_theta, lengths(), 11, step) * weight).sum();
  };
  at::Tensor leaf = theta.clone().set_requires_grad(true);
  torch::autograd::backward({value(leaf)}, {});
  for (std::int64_t i = 0; i < theta.numel(); ++i) {
    const auto moved = [&](double by) {
      at::Tensor other = theta.clone();
      other.view(-1)[i] += by;
      return value(other).item<double>();
    };
    const double slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    EXPECT_NEAR(leaf.grad().view(-1)[i].item<double>(), slope, 1e-5) << row << ' ' << i;
  }
}

TEST(Selector, GradientsOfSoftSelectionsAreDifferences) {
  for (const char* row :
       {"l2x", "softsub", "euclidean", "categorical", "binary", "gibbs", "correlated"}) {
    expect_gradient(row);
  }
}

/// E[weight . x] under the Gibbs law, differentiated by softtricks' marginals.
at::Tensor exact_gradient(const Selector& selector, const at::Tensor& theta,
                          const at::Tensor& weight, std::int64_t k) {
  at::Tensor leaf = theta.clone().set_requires_grad(true);
  const bool correlated = selector.correlated();
  const at::Tensor mean = ops::marginals({correlated ? "correlated_k_subset" : "k_subset", {7, k}},
                                         leaf, {lengths(), lengths().clamp_max(k)});
  torch::autograd::backward({(mean.narrow(1, 0, 7) * weight).sum()}, {});
  return leaf.grad();
}

TEST(Selector, SimpleHasTheExactGradientOfLinearLosses) {
  for (const char* row : {"simple", "simple_correlated"}) {
    const Selector selector = selector_of(row, 3);
    const at::Tensor weight = at::cos(at::arange(21, at::kDouble)).view({3, 7});
    const at::Tensor theta = theta_of(selector);
    at::Tensor leaf = theta.clone().set_requires_grad(true);
    AdaptiveStep step;
    torch::autograd::backward({(selector.train(leaf, lengths(), 3, step) * weight).sum()}, {});
    EXPECT_TRUE(at::allclose(leaf.grad(), exact_gradient(selector, theta, weight, 3), 1e-6, 1e-8));
  }
}

TEST(Selector, TheScoreFunctionIsUnbiased) {
  constexpr std::int64_t draws = 20000;
  const Selector selector = selector_of("score_function", 3);
  const at::Tensor theta = theta_of(selector);
  const at::Tensor weight = at::cos(at::arange(21, at::kDouble)).view({3, 7});
  const at::Tensor many = theta.unsqueeze(0).expand({draws, 3, 7});
  const at::Tensor selections = selector.sample(many, lengths().unsqueeze(0).expand({draws, 3}), 9);
  at::Tensor leaf = many.contiguous().set_requires_grad(true);
  const at::Tensor score = selector.log_prob(leaf, lengths(), selections);
  const at::Tensor loss = (selections * weight).sum(-1);
  torch::autograd::backward({(loss * score).sum()}, {});
  const at::Tensor error = leaf.grad().std(0) / std::sqrt(static_cast<double>(draws));
  const at::Tensor distance =
      (leaf.grad().mean(0) - exact_gradient(selector, theta, weight, 3)).abs();
  EXPECT_TRUE(distance.le(5 * error + 1e-12).all().item<bool>());
}

TEST(Estimators, L2xDrawsFromTheSoftmax) {
  const at::Tensor row = at::tensor({2.0, 0.0, 0.0, -1.0}, at::kDouble);
  const at::Tensor draws = l2x(row.expand({20000, 4}), 1, 1e-3, 4);
  const at::Tensor chance = at::softmax(row, -1);
  const at::Tensor error = (chance * (1 - chance) / 20000).sqrt();
  EXPECT_TRUE((draws.mean(0) - chance).abs().le(5 * error).all().item<bool>());
}

TEST(Estimators, SoftSubIsTopKWhenCold) {
  const at::Tensor utility = at::tensor({0.3, 2.0, -1.0, 1.0, 0.9}, at::kDouble).unsqueeze(0);
  const at::Tensor top = at::tensor({0.0, 1.0, 0.0, 1.0, 1.0}, at::kDouble);
  EXPECT_TRUE(at::allclose(softsub(utility, 3, 1e-3).squeeze(0), top, 0, 1e-6));
}

TEST(Estimators, ImplicitMleIsTheChangeOfTheHardSelection) {
  const ops::Structure structure{"k_subset", {4, 2}};
  const ops::Sizes sizes(at::tensor({4}, at::kLong), at::tensor({2}, at::kLong));
  at::Tensor theta =
      at::tensor({1.0, 0.5, 0.0, -2.0}, at::kDouble).view({1, -1}).set_requires_grad(true);
  AdaptiveStep adaptive;
  const at::Tensor hard = implicit_mle(structure, theta, theta, sizes, 2, adaptive);
  // The second item is moved down by 2 * 1, below the third.
  const at::Tensor slope = at::tensor({0.0, 1.0, 0.0, 0.0}, at::kDouble).view({1, -1});
  torch::autograd::backward({(hard * slope).sum()}, {});
  const at::Tensor wanted = at::tensor({0.0, 0.5, -0.5, 0.0}, at::kDouble).view({1, -1});
  EXPECT_TRUE(at::allclose(theta.grad(), wanted));
}

TEST(Estimators, AdaptiveStepsGrowWhileNothingChanges) {
  const ops::Structure structure{"k_subset", {3, 1}};
  const ops::Sizes sizes(at::tensor({3}, at::kLong), at::tensor({1}, at::kLong));
  AdaptiveStep adaptive{.relative = 0.01, .changed_mean = 1};
  at::Tensor theta = at::tensor({9.0, 0.0, 0.0}, at::kDouble).view({1, -1}).set_requires_grad(true);
  const at::Tensor slope = at::tensor({1.0, 0.0, 0.0}, at::kDouble).view({1, -1});
  for (int i = 0; i < 3; ++i) {
    const at::Tensor hard = implicit_mle(structure, theta, theta, sizes, 0, adaptive);
    torch::autograd::backward({(hard * slope).sum()}, {});
  }
  EXPECT_GT(adaptive.relative, 0.01);
  EXPECT_LT(adaptive.changed_mean, 1);
  EXPECT_EQ(theta.grad().abs().sum().item<double>(), 0);
}

}  // namespace
}  // namespace learning_to_explain
