#include "softtricks/estimator/perturbed_argmax.hpp"

#include "../laws/problems.hpp"

namespace softtricks::laws {
namespace {

template <class Trick, class Baseline>
auto draws_of(const Problem<Trick>& problem, Baseline& baseline, int samples,
              const QuadraticLoss& loss) {
  return [&problem, &baseline, samples, &loss](std::uint64_t instance) {
    return estimate(PerturbedArgmax<Trick, Baseline>{problem.trick, baseline, samples},
                    problem.theta, instance, loss);
  };
}

template <class Baseline>
void check_linear(Baseline baseline, int samples, int draws) {
  for_each_argmax_problem([&](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 0);
    expect_unbiased(problem, loss, draws, draws_of(problem, baseline, samples, loss));
  });
}

TEST(PerturbedArgmax, UnbiasedForLinearLosses) {
  check_linear(NoBaseline(), 1, 300000);
  check_linear(NoBaseline(), 3, 100000);
  check_linear(LeaveOneOut(), 2, 100000);
  check_linear(LeaveOneOut(), 5, 40000);
}

/// With q = mixed.X, the loss at a mean of n samples is linear.mean + curvature mean(q)^2. The mean
/// of its value is loss(E[X]) + curvature var(q) / n. Effects linear.X_s + 2 curvature mean(q) q_s,
/// less those of the others, times the score of U_s: of the products of two q's, those of one
/// sample with itself give grad E[q^2], those with another E[q] grad E[q]. Sum: the gradient of
/// loss(E[X]) + 2 curvature var(q) / n.
template <class Trick>
Numbers expected_of(const Problem<Trick>& problem, const QuadraticLoss& loss, double n) {
  const auto with = [&](const Numbers& theta, double times) {
    const Law law = problem.law(theta);
    const auto q = [&](const Numbers& x) {
      return std::inner_product(x.begin(), x.end(), loss.mixed.begin(), 0.0);
    };
    const double mean = law.mean(q);
    const double variance = law.mean([&](const Numbers& x) { return q(x) * q(x); }) - mean * mean;
    return loss.at(law.mean()) + times * loss.curvature * variance / n;
  };
  return value_and_slopes(with(problem.theta, 1),
                          slopes_of(problem.theta, [&](const Numbers& at) { return with(at, 2); }));
}

TEST(PerturbedArgmax, BiasOfQuadraticLosses) {
  for_each_argmax_problem([&](const auto& problem) {
    SCOPED_TRACE(decltype(problem.trick.structure)::name);
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    LeaveOneOut baseline;
    expect_mean(expected_of(problem, loss, 3), 200000, draws_of(problem, baseline, 3, loss));
  });
}

/// In the limit of many samples: the gradient of loss(E[X]).
TEST(PerturbedArgmax, ManySamplesDifferentiateTheLossOfTheMean) {
  for_each_argmax_problem([&](const auto& problem) {
    SCOPED_TRACE(decltype(problem.trick.structure)::name);
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    LeaveOneOut baseline;
    const Numbers limit = expected_of(problem, loss, infinity<double>);
    EXPECT_NEAR(limit[0], loss.at(problem.law(problem.theta).mean()), 1e-12);
    expect_mean(limit, 2000, draws_of(problem, baseline, 400, loss), 0.01);
  });
}

TEST(PerturbedArgmax, LeaveOneOutLowersTheVariance) {
  const Problem<TreeTrick> problem{{SpanningTree{4}, 1}, some_tree_theta(), law_of_gumbel_trees};
  QuadraticLoss loss = some_loss(6, 1);
  for (double& a : loss.linear) a += 5;  // what all trees share
  const auto error = [&](auto baseline) {
    return average(4000, draws_of(problem, baseline, 4, loss)).error[1];
  };
  EXPECT_LT(error(LeaveOneOut()), error(NoBaseline()) / 2);
}

TEST(PerturbedArgmax, Sound) {
  for_each_location_problem([](const auto& problem) {
    using Trick = std::decay_t<decltype(problem.trick)>;
    LeaveOneOut baseline;
    expect_sound(problem.theta, [&](auto) {
      return PerturbedArgmax<Trick, LeaveOneOut>{problem.trick, baseline, 3};
    });
  });
}

}  // namespace
}  // namespace softtricks::laws
