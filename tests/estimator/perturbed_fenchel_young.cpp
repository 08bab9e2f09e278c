#include "softtricks/estimator/perturbed_fenchel_young.hpp"

#include "../laws/problems.hpp"

namespace softtricks::laws {
namespace {

template <class Trick>
auto draws_of(const Problem<Trick>& problem, int samples, const Numbers& target) {
  return [&problem, samples, &target](std::uint64_t instance) {
    Vector<const double> y{target.data(), static_cast<int>(target.size())};
    return estimate(PerturbedFenchelYoung<Trick>{problem.trick, samples}, problem.theta, instance,
                    y);
  };
}

/// The first member of the law, and a point between the first two.
template <class Trick>
std::vector<Numbers> targets_of(const Problem<Trick>& problem) {
  const Law law = problem.law(problem.theta);
  Numbers middle = law.members[0];
  for (std::size_t e = 0; e < middle.size(); ++e) {
    middle[e] += 0.75 * (law.members[1][e] - middle[e]);
  }
  return {law.members[0], middle};
}

Numbers minus(Numbers a, const Numbers& b) {
  for (std::size_t e = 0; e < a.size(); ++e) a[e] -= b[e];
  return a;
}

/// U = theta + noise: the gradient is E[X] - y.
TEST(PerturbedFenchelYoung, GradientIsTheMeanLessTheTarget) {
  for_each_location_problem([](const auto& problem) {
    SCOPED_TRACE(decltype(problem.trick.structure)::name);
    for (const Numbers& target : targets_of(problem)) {
      for (const int samples : {1, 4}) {
        const auto draw = draws_of(problem, samples, target);
        const auto slopes = [&](std::uint64_t instance) {
          Numbers x = draw(instance);
          x[0] = 0;
          return x;
        };
        expect_mean(value_and_slopes(0, minus(problem.law(problem.theta).mean(), target)),
                    60000 / samples, slopes);
      }
    }
  });
}

/// E[max U.x] in closed form, less E[U].y. The largest Gumbel number is one at log sum exp: cross
/// entropy. Of bits E[max(theta + logistic, 0)] = softplus(theta).
TEST(PerturbedFenchelYoung, ValuesOfChoicesAndBits) {
  const Problem<ChoiceTrick> choice{{OneHot{4}, 1}, {0.2, -0.5, 1.0, 0.1}, law_of_one_hot};
  const Numbers third{0, 0, 1, 0};
  expect_mean(value_and_slopes(std::log(sum_of_exp(choice.theta)) - choice.theta[2],
                               minus(choice.law(choice.theta).mean(), third)),
              100000, draws_of(choice, 1, third));
  const Problem<BitsTrick> bits{{BitVector{3}, 1}, {0.3, -0.8, 0.5}, law_of_bits};
  const Numbers target{1, 0, 0};
  double value = 0;
  for (std::size_t e = 0; e < 3; ++e) {
    value += std::log1p(std::exp(bits.theta[e])) - bits.theta[e] * target[e];
  }
  expect_mean(value_and_slopes(value, minus(bits.law(bits.theta).mean(), target)), 100000,
              draws_of(bits, 2, target));
}

/// Two pairs: the lead of the first matching is N(m, 4). E[max(lead, 0)] is what the second one
/// falls short by.
TEST(PerturbedFenchelYoung, ValueOfMatchings) {
  const Problem<MatchingTrick> problem{{Matching{2}, 1}, {0.4, -0.2, 0.1, 0.3}, law_of_two_pairs};
  const Numbers second{0, 1, 1, 0};
  const double m = 0.4 + 0.3 + 0.2 - 0.1, pi = std::acos(-1.0);
  const double value =
      m * std::erfc(-m / std::sqrt(8.0)) / 2 + 2 * std::exp(-m * m / 8) / std::sqrt(2 * pi);
  expect_mean(value_and_slopes(value, minus(problem.law(problem.theta).mean(), second)), 100000,
              draws_of(problem, 1, second));
}

/// Exponential utilities of trees, whose theta is no location. In the order in which they go off,
/// the time of the n-th is on average the sum of the reciprocals of the rates left before each.
double expected_of_trees(const Numbers& theta, const Numbers& target) {
  double value = 0;
  for_each_order(theta, [&](Order order, double probability) {
    Numbers utility(6);
    double left = sum_of_exp(theta), time = 0;
    for (const std::size_t e : order) {
      time += 1 / left;
      left -= std::exp(theta[e]);
      utility[e] = time;
    }
    std::reverse(order.begin(), order.end());
    const Numbers x = tree_by(order);
    for (std::size_t e = 0; e < 6; ++e) value += probability * utility[e] * (x[e] - target[e]);
  });
  return value;
}

TEST(PerturbedFenchelYoung, WhereThetaIsNoLocation) {
  const Problem<ExponentialTreeTrick> problem{
      {SpanningTree{4}, 1}, some_tree_theta(), law_of_exponential_trees};
  for (const Numbers& target : targets_of(problem)) {
    const auto value = [&](const Numbers& theta) { return expected_of_trees(theta, target); };
    expect_mean(value_and_slopes(value(problem.theta), slopes_of(problem.theta, value)), 200000,
                draws_of(problem, 1, target));
  }
}

/// At fixed noise the gradient is that of the value, and no draw is negative.
TEST(PerturbedFenchelYoung, SlopeAtFixedNoise) {
  for_each_argmax_problem([](const auto& problem) {
    for (const Numbers& target : targets_of(problem)) {
      for (std::uint64_t instance = 0; instance < 20; ++instance) {
        const auto at = [&](const Numbers& theta) {
          auto moved = problem;
          moved.theta = theta;
          return draws_of(moved, 3, target)(instance);
        };
        const Numbers got = at(problem.theta);
        EXPECT_GE(got[0], 0);
        expect_slopes(problem.theta, got, [&](const Numbers& theta) { return at(theta)[0]; });
      }
    }
  });
}

TEST(PerturbedFenchelYoung, Sound) {
  for_each_location_problem([](const auto& problem) {
    using Trick = std::decay_t<decltype(problem.trick)>;
    const auto check = [&]<class T>(T) {
      const PerturbedFenchelYoung<Trick> estimator{problem.trick, 3};
      const std::size_t size = problem.theta.size();
      std::vector<T> target(size, T(0));
      for (const Numbers& x : problem.law(problem.theta).members) {
        if (x[1] == 0) target.assign(x.begin(), x.end());
      }
      Vector<const T> y{target.data(), static_cast<int>(size)};
      expect_repeatable<T>(estimator, std::vector<T>(problem.theta.begin(), problem.theta.end()),
                           y);
      expect_finite<T>(estimator, size, y);
    };
    check(float());
    check(double());
  });
}

}  // namespace
}  // namespace softtricks::laws
