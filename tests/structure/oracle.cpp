#include "softtricks/structure/oracle.hpp"

#include <gtest/gtest.h>

#include "../laws/enumeration.hpp"

namespace softtricks::laws {
namespace {

using Serial = SerialTeam<1000>;

/// The user's solver: the best of all subsets with a sum of weights within bounds.
struct BestSubset {
  std::vector<Member> members;

  template <class T>
  void operator()(Vector<const T> utility, Vector<T> x) const {
    const Numbers u(utility.data, utility.data + utility.size);
    const Member* best = nullptr;
    for (const Member& m : members) {
      if (dot(m, u) > (best == nullptr ? -infinity<double> : dot(*best, u))) best = &m;
    }
    for (int e = 0; e < x.size; ++e) {
      x[e] = best == nullptr ? not_a_number<T> : T((*best)[static_cast<std::size_t>(e)]);
    }
  }
};

BestSubset knapsack(int items) {
  return {subsets_where(items, [](const Member& x) {
    int weight = 0;
    for (std::size_t e = 0; e < x.size(); ++e) weight += x[e] * static_cast<int>(2 + e % 3);
    return weight <= 7;
  })};
}

template <class S, class T>
Numbers run_on(const S& structure, const Request& request) {
  return CoreEngine<S, T, Serial>("", structure)(request);
}

/// The law of soft samples on a set that only the user's solver knows.
template <class T>
void check_soft_samples() {
  const Oracle oracle{7, knapsack(7)};
  const double rounding = 16 * static_cast<double>(epsilon<T>);
  Random random(1);
  for (const double scale : {0.0, 0.3, 1.0, 3.0, 100.0}) {
    const Numbers u = normal(random, 7, scale);
    const std::vector<T> rounded(u.begin(), u.end());
    const Numbers utility(rounded.begin(), rounded.end());
    const Numbers x = run_on<decltype(oracle), T>(
        oracle, {.verb = "relax", .utility = utility, .regularizer = "squared_norm"});
    for (const Member& v : oracle.best.members) {
      double gain = 0, slack = 0;
      for (std::size_t e = 0; e < 7; ++e) {
        gain += (utility[e] - x[e]) * (v[e] - x[e]);
        slack += std::fabs(v[e] - x[e]) * (1 + std::fabs(utility[e]) + x[e]);
      }
      EXPECT_LE(gain, rounding * slack);
    }
  }
}

TEST(Oracle, HasSoftSamples) {
  check_soft_samples<float>();
  check_soft_samples<double>();
}

/// k-subsets by a user's solver are those that the library knows.
TEST(Oracle, IsTheStructureThatItSolves) {
  const KSubset known{6, 2};
  const Oracle oracle{6, BestSubset{subsets_of(6, 2)}};
  Random random(2);
  for (int round = 0; round < 20; ++round) {
    Request request{.verb = "relax",
                    .utility = normal(random, 6, 1),
                    .cotangent = normal(random, 6, 1),
                    .regularizer = "squared_norm"};
    if (round % 3 == 2) request.utility[1] = -infinity<double>;
    const Numbers soft = run_on<KSubset, double>(known, request);
    const Numbers by_argmax = run_on<decltype(oracle), double>(oracle, request);
    request.verb = "relax_vjp";
    request.member = soft;
    const Numbers slope = run_on<KSubset, double>(known, request);
    const Numbers slope_by_argmax = run_on<decltype(oracle), double>(oracle, request);
    for (std::size_t e = 0; e < 6; ++e) {
      EXPECT_NEAR(by_argmax[e], soft[e], 1e-14);
      EXPECT_NEAR(slope_by_argmax[e], slope[e], 1e-13);
    }
  }
}

TEST(Oracle, SaysThatNoMemberIsLeft) {
  const Oracle oracle{2, BestSubset{{{1, 0}, {0, 1}}}};
  const Numbers none(2, -infinity<double>);
  for (const char* verb : {"argmax", "relax", "relax_vjp"}) {
    const Numbers x = run_on<decltype(oracle), double>(
        oracle, {.verb = verb, .utility = none, .regularizer = "squared_norm"});
    for (const double value : x) EXPECT_TRUE(std::isnan(value));
  }
}

/// Hard samples, soft samples and straight-through gradients.
TEST(Oracle, GoesIntoTricks) {
  const Oracle oracle{6, knapsack(6)};
  const StochasticSoftmax<std::decay_t<decltype(oracle)>, Gumbel, SquaredNorm> trick{oracle, 0.5};
  Numbers theta(6, 0.3), hard(6), soft(6), gradient(6, 0.0), utility(6);
  std::vector<double> memory(trick.scratch<double>() / sizeof(double) + 5 * 16 + 8);
  const Scratch scratch(memory.data());
  const auto read = [](const Numbers& v) { return Vector<const double>{v.data(), 6}; };
  const auto write = [](Numbers& v) { return Vector<double>{v.data(), 6}; };
  for (std::uint64_t instance = 0; instance < 30; ++instance) {
    trick.perturb(Serial(), read(theta), 3, instance, write(utility));
    trick.hard(Serial(), read(utility), write(hard), scratch);
    trick.soft(Serial(), read(utility), write(soft), scratch);
    const Member member(hard.begin(), hard.end());
    EXPECT_NE(std::find(oracle.best.members.begin(), oracle.best.members.end(), member),
              oracle.best.members.end());
    // Of the members, the soft sample's own best one has at least the hard one's utility less
    // what the regularizer is worth.
    double gain = 0;
    for (std::size_t e = 0; e < 6; ++e) gain += utility[e] / 0.5 * (hard[e] - soft[e]);
    EXPECT_GE(gain, -1e-12);
    EXPECT_LE(gain, 3);
  }
  auto loss = [](Vector<const double> x, Vector<double> slope) {
    for (int e = 0; e < x.size; ++e) slope[e] = e;
    return x[5];
  };
  StraightThrough<std::decay_t<decltype(trick)>>{trick}.estimate(Serial(), read(theta), 3, 0, loss,
                                                                 write(gradient), scratch);
  for (const double g : gradient) EXPECT_TRUE(std::isfinite(g));
}

/// The members of a soft sample and their weights: they make it up, and rows beyond are 0.
TEST(Oracle, ActiveSetsMakeUpSoftSamples) {
  const SpanningTree tree{5};
  const int size = tree.size(), count = size + 4;
  Random random(4);
  const Numbers u = normal(random, 10, 1);
  std::vector<double> memory(
      (tree.scratch<double>() + SquaredNorm::active_set_scratch<double>(tree)) / 8 + 8);
  Numbers members(static_cast<std::size_t>(count * size)), weights(count);
  SquaredNorm::active_set(tree, Serial(), Vector<const double>{u.data(), size}, 5.0, count,
                          Matrix<double>{members.data(), size},
                          Vector<double>{weights.data(), count}, Scratch(memory.data()));
  const Numbers soft = run_on<SpanningTree, double>(
      tree, {.verb = "relax", .utility = u, .regularizer = "squared_norm"});
  Numbers sum(10, 0.0);
  for (int i = 0; i < count; ++i) {
    const double* const row = members.data() + i * size;
    const double ones = std::accumulate(row, row + size, 0.0);
    EXPECT_EQ(ones, weights[static_cast<std::size_t>(i)] > 0 ? 4 : 0);
    for (std::size_t e = 0; e < 10; ++e) sum[e] += weights[static_cast<std::size_t>(i)] * row[e];
    if (i > 0) {
      EXPECT_LE(weights[static_cast<std::size_t>(i)], weights[static_cast<std::size_t>(i) - 1]);
    }
  }
  for (std::size_t e = 0; e < 10; ++e) EXPECT_NEAR(sum[e], soft[e], 1e-15);
}

}  // namespace
}  // namespace softtricks::laws
