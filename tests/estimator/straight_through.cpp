#include "softtricks/estimator/straight_through.hpp"

#include "../laws/problems.hpp"

namespace softtricks::laws {
namespace {

template <class Trick>
Numbers straight_through(const Trick& trick, const Numbers& theta, std::uint64_t instance,
                         const QuadraticLoss& loss) {
  return estimate(StraightThrough<Trick>{trick}, theta, instance, loss);
}

/// The loss is the hard sample's; the gradient that of slope(hard).soft, for a loss linear in x the
/// slope of the relaxed loss.
TEST(StraightThrough, IsHardForwardAndSoftBackward) {
  for_each_problem(0.7, [](const auto& problem) {
    const QuadraticLoss linear = some_loss(problem.theta.size(), 0);
    using Trick = std::decay_t<decltype(problem.trick)>;
    for (std::uint64_t instance = 0; instance < 20; ++instance) {
      const auto soft_loss = [&](const Numbers& theta) {
        return estimate(Relaxed<Trick>{problem.trick}, theta, instance, linear)[0];
      };
      expect_slopes(problem.theta, straight_through(problem.trick, problem.theta, instance, linear),
                    soft_loss);
    }
  });
}

/// Slopes are taken at the hard sample: that of a quadratic loss differs from the soft one's.
TEST(StraightThrough, TakesTheSlopeAtTheHardSample) {
  for_each_problem(0.7, [](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    for (std::uint64_t instance = 0; instance < 20; ++instance) {
      Numbers slope, hard;
      const auto spy = [&](Vector<const double> x, Vector<double> s) {
        const double value = loss(x, s);
        hard.assign(x.data, x.data + x.size);
        slope.assign(s.data, s.data + s.size);
        return value;
      };
      using Trick = std::decay_t<decltype(problem.trick)>;
      const Numbers got =
          estimate(StraightThrough<Trick>{problem.trick}, problem.theta, instance, spy);
      EXPECT_EQ(got[0], loss.at(hard));
      for (const double x : hard) EXPECT_TRUE(x == 0 || x == 1);
      QuadraticLoss tangent = loss;
      tangent.linear = slope;
      tangent.curvature = 0;
      const Numbers expected = straight_through(problem.trick, problem.theta, instance, tangent);
      for (std::size_t e = 1; e < got.size(); ++e) EXPECT_NEAR(got[e], expected[e], 1e-12);
    }
  });
}

TEST(StraightThrough, ValueIsUnbiasedAndLinearLossesAreInTheLimit) {
  for_each_problem(0.05, [](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 0);
    const auto draw = [&](std::uint64_t instance) {
      return straight_through(problem.trick, problem.theta, instance, loss);
    };
    expect_unbiased(problem, loss, 40000, draw, 0.03);
  });
  for_each_problem(2.0, [](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    const Averages warm = average(20000, [&](std::uint64_t instance) {
      return straight_through(problem.trick, problem.theta, instance, loss);
    });
    EXPECT_NEAR(warm.mean[0], problem.value(loss), 5 * warm.error[0]);
  });
}

TEST(StraightThrough, Sound) {
  for_each_problem(0.01, [](const auto& problem) {
    using Trick = std::decay_t<decltype(problem.trick)>;
    expect_sound(problem.theta, [&](auto) { return StraightThrough<Trick>{problem.trick}; });
  });
}

}  // namespace
}  // namespace softtricks::laws
