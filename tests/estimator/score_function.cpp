#include "softtricks/estimator/score_function.hpp"

#include "../laws/problems.hpp"

namespace softtricks::laws {
namespace {

/// Averages of the estimator with a baseline; `gradient_scale`: of the exact gradient.
template <class Baseline>
void check(Baseline baseline, int samples, double gradient_scale = 1, int draws = 200000) {
  for_each_argmax_problem([&](const auto& problem) {
    using Trick = std::decay_t<decltype(problem.trick)>;
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    const ScoreFunction<Trick, Baseline> estimator{problem.trick, baseline, samples};
    const auto draw = [&](std::uint64_t instance) {
      return estimate(estimator, problem.theta, instance, loss);
    };
    expect_unbiased(problem, loss, draws / samples, draw, 0, gradient_scale);
  });
}

TEST(ScoreFunction, UnbiasedWithoutBaseline) {
  check(NoBaseline(), 1);
  check(NoBaseline(), 4);
}
TEST(ScoreFunction, UnbiasedWithAMovingAverage) {
  check(MovingAverage<double>(), 1);
  check(MovingAverage<double>(), 3);
}
TEST(ScoreFunction, UnbiasedWithLeaveOneOut) {
  check(LeaveOneOut(), 2);
  check(LeaveOneOut(), 5);
}
TEST(ScoreFunction, UnbiasedWithALearnedBaseline) {
  check(Learned<double>{0.7}, 1);
  check(Learned<double>{-0.7}, 2, 1, 600000);  // a bad guess costs variance alone
}
/// Each sample's own loss in the mean takes 1/n of the gradient away.
TEST(ScoreFunction, BatchMeanShrinks) {
  check(BatchMean(), 4, 0.75);
  check(BatchMean(), 1, 0);
}

TEST(Baselines, Values) {
  Numbers losses{1, 2, 6};
  const Vector<double> view{losses.data(), 3};
  NoBaseline().centre(view);
  EXPECT_EQ(losses, (Numbers{1, 2, 6}));
  LeaveOneOut().centre(view);
  EXPECT_EQ(losses, (Numbers{1 - 4.0, 2 - 3.5, 6 - 1.5}));
  losses = {1, 2, 6};
  BatchMean().centre(view);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(losses[i], (Numbers{-2, -1, 3})[i], 1e-15);
  losses = {1, 2, 6};
  Learned<double> learned{4};
  learned.centre(view);
  EXPECT_EQ(losses, (Numbers{-3, -2, 2}));
  EXPECT_NEAR(learned.slope, 1.0, 1e-15) << "d/db mean (b - loss)^2 / 2 = b - mean";
}

/// The first average is free of its start at zero, later ones forget.
TEST(Baselines, MovingAverage) {
  MovingAverage<double> average{0.5};
  Numbers losses{4, 8};
  const Vector<double> view{losses.data(), 2};
  average.centre(view);
  EXPECT_EQ(losses, (Numbers{4, 8})) << "nothing is known yet";
  losses = {6, 7};
  average.centre(view);
  EXPECT_EQ(losses, (Numbers{0, 1})) << "the mean of the first losses is 6";
  losses = {0, 0};
  average.centre(view);
  const double expected = (0.25 * 6 + 0.5 * 6.5) / 0.75;
  EXPECT_NEAR(losses[0], -expected, 1e-14);
}

/// Baselines are there to lower the variance.
TEST(ScoreFunction, BaselinesLowerTheVariance) {
  const ChoiceTrick trick{OneHot{4}, 1};
  const Numbers theta{0.2, -0.5, 1.0, 0.1};
  QuadraticLoss loss = some_loss(4, 1);
  for (double& a : loss.linear) a += 5;  // a common offset
  const auto variance = [&](auto baseline) {
    const ScoreFunction<ChoiceTrick, decltype(baseline)> estimator{trick, baseline, 4};
    const auto draw = [&](std::uint64_t i) { return estimate(estimator, theta, i, loss); };
    return average(4000, draw).error[1];
  };
  const double plain = variance(NoBaseline());
  EXPECT_LT(variance(LeaveOneOut()), plain / 2);
  EXPECT_LT(variance(MovingAverage<double>()), plain / 2);
}

TEST(ScoreFunction, Sound) {
  for_each_location_problem([](const auto& problem) {
    using Trick = std::decay_t<decltype(problem.trick)>;
    LeaveOneOut baseline;
    expect_sound(problem.theta, [&](auto) {
      return ScoreFunction<Trick, LeaveOneOut>{problem.trick, baseline, 3};
    });
  });
}

}  // namespace
}  // namespace softtricks::laws
