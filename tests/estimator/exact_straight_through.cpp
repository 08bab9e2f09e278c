#include "softtricks/estimator/exact_straight_through.hpp"

#include "../laws/problems.hpp"

namespace softtricks::laws {
namespace {

/// Calls f(structure, theta) for a small one of each that can.
template <class F>
void for_each_gibbs(F f) {
  const auto with = [&](const auto& structure) {
    SCOPED_TRACE(structure.name);
    Numbers theta(static_cast<std::size_t>(structure.size()));
    for (std::size_t e = 0; e < theta.size(); ++e) {
      theta[e] = 0.7 * std::sin(3.0 * static_cast<double>(e) + 1);
    }
    f(structure, theta);
  };
  with(OneHot{4});
  with(BitVector{3});
  with(KSubset{4, 2});
  with(CorrelatedKSubset{4, 2});
  with(SpanningTree{4});
  with(Arborescence{3, 0, 0});
  with(LinearChain{3, 2});
  with(Matching{3});
  with(ProjectiveTree{3, 0});
  with(GridPath{3, 3});
}

/// A loss linear in x has the gradient covariance(X) slope: each draw gives it exactly.
TEST(ExactStraightThrough, ExactForLinearLosses) {
  for_each_gibbs([](const auto& structure, const Numbers& theta) {
    const QuadraticLoss loss = some_loss(theta.size(), 0);
    const Numbers exact = slopes_of(theta, [&](const Numbers& at) {
      return gibbs_law(structure, at).mean([&](const Numbers& x) { return loss.at(x); });
    });
    for (std::uint64_t instance = 0; instance < 5; ++instance) {
      const Numbers got = estimate(ExactStraightThrough{structure}, theta, instance, loss);
      for (std::size_t e = 0; e < exact.size(); ++e) EXPECT_NEAR(got[e + 1], exact[e], 1e-8);
    }
  });
}

/// The slope of a quadratic loss is linear in x: its mean is that at E[X].
TEST(ExactStraightThrough, QuadraticLossesAsAtTheMean) {
  for_each_gibbs([](const auto& structure, const Numbers& theta) {
    const QuadraticLoss loss = some_loss(theta.size(), 1);
    const auto at_mean = [&](const Numbers& at) {
      return loss.at(gibbs_law(structure, at).mean());
    };
    const double value =
        gibbs_law(structure, theta).mean([&](const Numbers& x) { return loss.at(x); });
    expect_mean(value_and_slopes(value, slopes_of(theta, at_mean)), 20000,
                [&](std::uint64_t instance) {
                  return estimate(ExactStraightThrough{structure}, theta, instance, loss);
                });
  });
}

static_assert(!DrawsGibbs<Knapsack>);

TEST(ExactStraightThrough, Sound) {
  for_each_gibbs([](const auto& structure, const Numbers& theta) {
    if (structure.name == Arborescence::name || structure.name == ProjectiveTree::name) return;
    expect_sound(theta, [&](auto) { return ExactStraightThrough{structure}; });
  });
}

}  // namespace
}  // namespace softtricks::laws
