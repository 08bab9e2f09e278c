#include "softtricks/estimator/straight_through.hpp"

#include "../laws/estimator.hpp"

namespace softtricks::laws {
namespace {

template <class Trick>
Numbers straight_through(const Trick& trick, const Numbers& theta, std::uint64_t instance,
                         const QuadraticLoss& loss) {
  return estimate(StraightThrough<Trick>{trick}, theta, instance, loss, 5);
}

/// The loss is the hard sample's; the gradient that of slope(hard).soft, for a loss linear in x the
/// slope of the relaxed loss.
TEST(StraightThrough, IsHardForwardAndSoftBackward) {
  for_each_problem(0.7, [](const auto& problem) {
    const QuadraticLoss linear = some_loss(problem.theta.size(), 0);
    using Trick = std::decay_t<decltype(problem.trick)>;
    for (std::uint64_t instance = 0; instance < 20; ++instance) {
      const auto soft_loss = [&](const Numbers& theta) {
        return estimate(Relaxed<Trick>{problem.trick}, theta, instance, linear, 4)[0];
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
      std::vector<double> memory(4096);
      Numbers gradient(problem.theta.size(), 0.0);
      const int size = static_cast<int>(gradient.size());
      const double value = StraightThrough<Trick>{problem.trick}.estimate(
          Serial(), Vector<const double>{problem.theta.data(), size}, 11, instance, spy,
          Vector<double>{gradient.data(), size}, Scratch(memory.data()));
      EXPECT_EQ(value, loss.at(hard));
      for (const double x : hard) EXPECT_TRUE(x == 0 || x == 1);
      QuadraticLoss tangent = loss;
      tangent.linear = slope;
      tangent.curvature = 0;
      const Numbers expected = straight_through(problem.trick, problem.theta, instance, tangent);
      for (std::size_t e = 0; e < gradient.size(); ++e) {
        EXPECT_NEAR(gradient[e], expected[e + 1], 1e-12);
      }
    }
  });
}

TEST(StraightThrough, ValueIsUnbiasedAndLinearLossesAreInTheLimit) {
  for_each_problem(0.05, [](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 0);
    expect_unbiased(problem, loss,
                    average(40000,
                            [&](std::uint64_t instance) {
                              return straight_through(problem.trick, problem.theta, instance, loss);
                            }),
                    0.03);
  });
  for_each_problem(2.0, [](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    const Averages warm = average(20000, [&](std::uint64_t instance) {
      return straight_through(problem.trick, problem.theta, instance, loss);
    });
    EXPECT_NEAR(warm.mean[0], problem.value(loss), 5 * warm.error[0]);
  });
}

}  // namespace
}  // namespace softtricks::laws
