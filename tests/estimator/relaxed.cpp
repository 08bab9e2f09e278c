#include "softtricks/estimator/relaxed.hpp"

#include "../laws/problems.hpp"

namespace softtricks::laws {
namespace {

template <class Trick>
Numbers relaxed(const Trick& trick, const Numbers& theta, std::uint64_t instance,
                const QuadraticLoss& loss) {
  return estimate(Relaxed<Trick>{trick}, theta, instance, loss);
}

TEST(Relaxed, IsTheSlopeOfTheLossAtFixedNoise) {
  for_each_problem(0.7, [](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    for (std::uint64_t instance = 0; instance < 20; ++instance) {
      const auto run = [&](const Numbers& theta) {
        return relaxed(problem.trick, theta, instance, loss);
      };
      expect_slopes(problem.theta, run(problem.theta),
                    [&](const Numbers& theta) { return run(theta)[0]; });
    }
  });
}

/// What is left of the bias at t = 0.02 is of the size of t.
TEST(Relaxed, BiasVanishesWithTheTemperature) {
  for_each_problem(0.02, [](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    const auto draw = [&](std::uint64_t instance) {
      return relaxed(problem.trick, problem.theta, instance, loss);
    };
    expect_unbiased(problem, loss, 40000, draw, 0.03);
  });
}

/// A warm one is biased: the test above can fail.
TEST(Relaxed, IsBiasedWhenWarm) {
  for_each_problem(5, [](const auto& problem) {
    const QuadraticLoss loss = some_loss(problem.theta.size(), 1);
    const Averages warm = average(5000, [&](std::uint64_t instance) {
      return relaxed(problem.trick, problem.theta, instance, loss);
    });
    EXPECT_GT(std::fabs(warm.mean[0] - problem.value(loss)), 0.03 + 5 * warm.error[0]);
  });
}

TEST(Relaxed, Sound) {
  for_each_problem(0.01, [](const auto& problem) {
    using Trick = std::decay_t<decltype(problem.trick)>;
    expect_sound(problem.theta, [&](auto) { return Relaxed<Trick>{problem.trick}; });
  });
}

}  // namespace
}  // namespace softtricks::laws
