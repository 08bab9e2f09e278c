#include "softtricks/estimator/implicit_mle.hpp"

#include "../laws/problems.hpp"

namespace softtricks::laws {
namespace {

template <class Trick, class Step>
auto draws_of(const Problem<Trick>& problem, Step& step, bool central, const QuadraticLoss& loss) {
  return [&problem, &step, central, &loss](std::uint64_t instance) {
    return estimate(ImplicitMle<Trick, Step>{problem.trick, step, central}, problem.theta, instance,
                    loss);
  };
}

/// For U = theta + noise and a loss linear in x, moving U is moving theta: the mean is a difference
/// of E[X], whatever the step.
template <class Trick>
Numbers expected_of(const Problem<Trick>& problem, const QuadraticLoss& loss, double step,
                    bool central) {
  const auto mean_at = [&](double by) {
    Numbers theta = problem.theta;
    for (std::size_t e = 0; e < theta.size(); ++e) theta[e] += by * loss.linear[e];
    return problem.law(theta).mean();
  };
  const Numbers ahead = mean_at(-step), behind = mean_at(central ? step : 0);
  Numbers slopes;
  for (std::size_t e = 0; e < ahead.size(); ++e) {
    slopes.push_back((behind[e] - ahead[e]) / (central ? 2 * step : step));
  }
  return value_and_slopes(problem.value(loss), slopes);
}

TEST(ImplicitMle, IsADifferenceOfMeans) {
  for_each_location_problem([](const auto& problem) {
    SCOPED_TRACE(decltype(problem.trick.structure)::name);
    const QuadraticLoss loss = some_loss(problem.theta.size(), 0);
    for (const bool central : {false, true}) {
      FixedStep<double> step{0.7};
      expect_mean(expected_of(problem, loss, step.factor, central), 150000,
                  draws_of(problem, step, central, loss));
      AdaptiveStep<double> relative{0.4};
      relative.rate = 0;
      double theta = static_cast<double>(problem.theta.size()), slope = 0;
      for (const double t : problem.theta) theta += t * t;
      for (const double g : loss.linear) slope += g * g;
      expect_mean(expected_of(problem, loss, 0.4 * std::sqrt(theta / slope), central), 150000,
                  draws_of(problem, relative, central, loss));
    }
  });
}

/// Also where theta is no location: the derivative of U by theta is taken at each draw.
TEST(ImplicitMle, ShortStepsAreUnbiasedForLinearLosses) {
  for_each_argmax_problem([](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 0);
    FixedStep<double> step{0.1};
    expect_unbiased(problem, loss, 450000, draws_of(problem, step, true, loss));
  });
}

/// A long step is biased: the test above can fail.
TEST(ImplicitMle, LongStepsAreBiased) {
  for_each_argmax_problem([](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 0);
    FixedStep<double> step{3};
    const Averages got = average(10000, draws_of(problem, step, false, loss));
    const Numbers exact = problem.gradient(loss);
    double worst = 0;
    for (std::size_t e = 0; e < exact.size(); ++e) {
      worst = std::max(worst, std::fabs(got.mean[e + 1] - exact[e]) / got.error[e + 1]);
    }
    EXPECT_GT(worst, 10);
  });
}

TEST(ImplicitMle, NoSlopeNoGradient) {
  for_each_argmax_problem([](const auto& problem) {
    const std::size_t size = problem.theta.size();
    const QuadraticLoss loss{Numbers(size, 0.0), Numbers(size, 0.0), 0};
    AdaptiveStep<double> step;
    EXPECT_EQ(draws_of(problem, step, false, loss)(0), Numbers(size + 1, 0.0));
  });
}

TEST(AdaptiveStep, Learns) {
  AdaptiveStep<double> step{0.5, 0.1, 0.75, 2, 1};
  step.learn(4);
  EXPECT_DOUBLE_EQ(step.changed_mean, 0.75 * 1 + 0.25 * 4);
  EXPECT_DOUBLE_EQ(step.relative, 0.6) << "below the target of 2: longer";
  step.learn(6);
  EXPECT_DOUBLE_EQ(step.changed_mean, 0.75 * 1.75 + 0.25 * 6);
  EXPECT_DOUBLE_EQ(step.relative, 0.5) << "above: shorter";
  for (int i = 0; i < 10; ++i) step.learn(6);
  EXPECT_EQ(step.relative, 0) << "never negative";
}

TEST(AdaptiveStep, IsRelativeToThetaAndFreeOfTheSizeOfTheSlope) {
  const Numbers theta{3, -infinity<double>, 0}, slope{1, 50, 2}, longer{10, 50, 20};
  const AdaptiveStep<double> step{0.5};
  const auto length = [&](const Numbers& g) {
    return step.length(Serial(), Vector<const double>{theta.data(), 3},
                       Vector<const double>{g.data(), 3});
  };
  EXPECT_DOUBLE_EQ(length(slope), 0.5 * std::sqrt((9 + 2) / 5.0)) << "excluded entries don't count";
  EXPECT_DOUBLE_EQ(length(longer), length(slope) / 10);
}

/// From a step far too short and one far too long, the same number of entries comes to change.
TEST(AdaptiveStep, ReachesItsTarget) {
  const Problem<TreeTrick> problem{{SpanningTree{4}, 1}, some_tree_theta(), law_of_gumbel_trees};
  const QuadraticLoss loss = some_loss(6, 1);
  double settled[2];
  for (const int start : {0, 1}) {
    AdaptiveStep<double> step{start == 0 ? 1e-3 : 20.0, 1e-2, 0.99};
    const auto draw = draws_of(problem, step, false, loss);
    double changed = 0;
    settled[start] = 0;
    for (std::uint64_t i = 0; i < 20000; ++i) {
      draw(i);
      if (i < 10000) continue;
      changed += step.changed_mean / 10000;
      settled[start] += step.relative / 10000;
    }
    EXPECT_NEAR(changed, step.target, 0.05);
  }
  EXPECT_NEAR(settled[0], settled[1], 0.05 * settled[0]);
}

TEST(ImplicitMle, Sound) {
  for_each_location_problem([](const auto& problem) {
    using Trick = std::decay_t<decltype(problem.trick)>;
    for (const bool central : {false, true}) {
      expect_sound(problem.theta, [&]<class T>(T) {
        static FixedStep<T> step;
        return ImplicitMle<Trick, FixedStep<T>>{problem.trick, step, central};
      });
    }
  });
}

}  // namespace
}  // namespace softtricks::laws
