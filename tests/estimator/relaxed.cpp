#include "softtricks/estimator/relaxed.hpp"

#include "../laws/estimator.hpp"

namespace softtricks::laws {
namespace {

template <class Trick>
Numbers relaxed(const Trick& trick, const Numbers& theta, std::uint64_t instance,
                const QuadraticLoss& loss) {
  return estimate(Relaxed<Trick>{trick}, theta, instance, loss, 4);
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
    expect_unbiased(problem, loss,
                    average(40000,
                            [&](std::uint64_t instance) {
                              return relaxed(problem.trick, problem.theta, instance, loss);
                            }),
                    0.03);
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

/// It adds to the gradient it is given.
TEST(Relaxed, AddsToTheGradient) {
  const ChoiceTrick trick{OneHot{4}, 0.5};
  const Numbers theta{0.2, -0.5, 1.0, 0.1};
  const QuadraticLoss loss = some_loss(4, 1);
  const Numbers once = relaxed(trick, theta, 3, loss);
  std::vector<double> memory(1024);
  Numbers gradient(4, 10.0);
  Relaxed<ChoiceTrick>{trick}.estimate(Serial(), Vector<const double>{theta.data(), 4}, 11, 3, loss,
                                       Vector<double>{gradient.data(), 4}, Scratch(memory.data()));
  for (std::size_t e = 0; e < 4; ++e) EXPECT_NEAR(gradient[e], 10 + once[e + 1], 1e-14);
}

}  // namespace
}  // namespace softtricks::laws
