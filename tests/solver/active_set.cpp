/// Projections by an oracle, on sets of random points whose members can all be asked.
#include "softtricks/solver/active_set.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "softtricks/solver/frank_wolfe.hpp"

namespace softtricks {
namespace {

using Numbers = std::vector<double>;
using Serial = SerialTeam<1000>;

/// A solver that looks at every member.
struct Points {
  std::vector<Numbers> all;

  int size() const { return static_cast<int>(all[0].size()); }
  static double dot(const Numbers& a, const Numbers& b) {
    double sum = 0;
    for (std::size_t e = 0; e < a.size(); ++e) sum += a[e] == 0 ? 0 : a[e] * b[e];
    return sum;
  }
  template <class T, class Team>
  void argmax(const Team&, Vector<const T> utility, T, Vector<T> x, Scratch) const {
    const Numbers u(utility.data, utility.data + utility.size);
    const Numbers* best = nullptr;
    double most = -infinity<double>;
    for (const Numbers& point : all) {
      const double value = dot(point, u);
      if (value > most) best = &point;
      most = std::max(most, value);
    }
    for (int e = 0; e < x.size; ++e) {
      x[e] = best == nullptr ? not_a_number<T> : T((*best)[static_cast<std::size_t>(e)]);
    }
  }
};

using Random = std::mt19937_64;

Numbers normal(Random& random, int size, double scale) {
  std::normal_distribution<double> law(0, scale);
  Numbers x(static_cast<std::size_t>(size));
  for (double& value : x) value = law(random);
  return x;
}
/// Members with real entries, a third of them 0.
Points some_points(Random& random, int size, int count) {
  Points points;
  for (int i = 0; i < count; ++i) {
    points.all.push_back(normal(random, size, 1));
    for (double& x : points.all.back()) {
      x = random() % 3 == 0 ? 0 : static_cast<double>(static_cast<float>(x));
    }
  }
  return points;
}

/// A solver with the memory that it asks for.
template <template <class> class Solver, class T>
struct Held {
  explicit Held(int size)
      : memory(Solver<T>::scratch(size) / sizeof(double) + 8),
        scratch(memory.data()),
        solver(size, scratch) {}
  std::vector<double> memory;
  Scratch scratch;
  Solver<T> solver;

  Numbers point(int size) const {
    std::vector<T> x(static_cast<std::size_t>(size));
    solver.write_point(Serial(), Vector<T>{x.data(), size});
    return {x.begin(), x.end()};
  }
};

template <class T>
ArgmaxOracle<Points, T, Serial> oracle_of(const Points& points, std::vector<T>& memory) {
  static const Serial team;
  memory.resize(static_cast<std::size_t>(points.size()) + 64);
  return {points, team, T(0), Scratch(memory.data())};
}

/// (u - x).(v - x) <= rounding for every member v.
void expect_projection(const Points& points, const Numbers& u, const Numbers& x, double rounding) {
  Numbers residual = u;
  for (std::size_t e = 0; e < u.size(); ++e) residual[e] -= x[e];
  const double own = Points::dot(x, residual);
  for (const Numbers& v : points.all) {
    double size = 1;
    for (std::size_t e = 0; e < u.size(); ++e) size += std::fabs(residual[e] * (v[e] - x[e]));
    EXPECT_LE(Points::dot(v, residual) - own, rounding * size);
  }
}

template <class T>
void check_general_members(double rounding) {
  Random random(1);
  for (const auto& [size, count] : {std::pair{1, 2}, {3, 3}, {3, 20}, {10, 8}, {20, 200}}) {
    const Points points = some_points(random, size, count);
    std::vector<T> memory;
    const auto oracle = oracle_of<T>(points, memory);
    Held<ActiveSet, T> held(size);
    for (const double scale : {0.1, 1.0, 30.0}) {
      Numbers wide = normal(random, size, scale);
      const std::vector<T> u(wide.begin(), wide.end());
      wide.assign(u.begin(), u.end());
      held.solver.clear(Serial());
      ASSERT_TRUE(held.solver.project(Serial(), Vector<const T>{u.data(), size}, oracle));
      expect_projection(points, wide, held.point(size), rounding);
    }
  }
}

TEST(ActiveSet, TakesAnyMembers) {
  check_general_members<double>(1e-12);
  check_general_members<float>(2e-6);
}

TEST(ActiveSet, ItsMembersMakeUpThePoint) {
  Random random(2);
  const int size = 12;
  const Points points = some_points(random, size, 60);
  std::vector<double> memory;
  const auto oracle = oracle_of<double>(points, memory);
  Held<ActiveSet, double> held(size);
  auto& set = held.solver;
  const Numbers u = normal(random, size, 1);
  set.clear(Serial());
  set.project(Serial(), Vector<const double>{u.data(), size}, oracle);
  set.sort();
  Numbers sum(u.size(), 0.0), member(u.size());
  double total = 0;
  for (int i = 0; i < set.count(); ++i) {
    set.write_member(Serial(), i, member.data());
    EXPECT_NE(std::find(points.all.begin(), points.all.end(), member), points.all.end());
    for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += set.weight(i) * member[e];
    EXPECT_LE(set.weight(i), set.weight(i > 0 ? i - 1 : 0));
    total += set.weight(i);
  }
  EXPECT_GT(set.count(), 1);
  EXPECT_EQ(total, 1);
  const Numbers x = held.point(size);
  for (std::size_t e = 0; e < sum.size(); ++e) EXPECT_NEAR(sum[e], x[e], 1e-15);
}

/// On its way through changing utilities, from what it holds: the same answers, fewer questions.
TEST(ActiveSet, StartsWarm) {
  Random random(3);
  const int size = 30, rounds = 200;
  const Points points = some_points(random, size, 400);
  std::vector<double> memory;
  const auto oracle = oracle_of<double>(points, memory);
  Held<ActiveSet, double> warm(size), cold(size);
  warm.solver.clear(Serial());
  Numbers u = normal(random, size, 1);
  int warm_calls = 0, cold_calls = 0;
  for (int round = 0; round < rounds; ++round) {
    const Numbers step = normal(random, size, 0.02);
    for (std::size_t e = 0; e < u.size(); ++e) u[e] += step[e];
    const Vector<const double> utility{u.data(), size};
    cold.solver.clear(Serial());
    ASSERT_TRUE(warm.solver.project(Serial(), utility, oracle));
    ASSERT_TRUE(cold.solver.project(Serial(), utility, oracle));
    const Numbers a = warm.point(size), b = cold.point(size);
    for (std::size_t e = 0; e < u.size(); ++e) EXPECT_NEAR(a[e], b[e], 1e-10);
    if (round == 0) continue;
    warm_calls += warm.solver.calls();
    cold_calls += cold.solver.calls();
  }
  EXPECT_LT(3 * warm_calls, cold_calls);
}

/// A warm start with utilities that no longer allow the members held.
TEST(ActiveSet, ForgetsWhatIsExcluded) {
  const Points corners{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  std::vector<double> memory;
  const auto oracle = oracle_of<double>(corners, memory);
  Held<ActiveSet, double> held(3);
  held.solver.clear(Serial());
  const double inf = infinity<double>;
  const auto expect = [&](const Numbers& u, const Numbers& expected) {
    EXPECT_TRUE(held.solver.project(Serial(), Vector<const double>{u.data(), 3}, oracle));
    const Numbers x = held.point(3);
    for (std::size_t e = 0; e < 3; ++e) {
      EXPECT_NEAR(x[e], expected[e], u[e] == -inf ? 0 : 1e-15);
    }
  };
  expect({0.5, 0.5, -9}, {0.5, 0.5, 0});
  expect({-inf, 0.25, -0.25}, {0, 0.75, 0.25});
  expect({0.25, -inf, -inf}, {1, 0, 0});
  Numbers none{-inf, -inf, -inf};
  EXPECT_FALSE(held.solver.project(Serial(), Vector<const double>{none.data(), 3}, oracle));
}

/// vjp = differences of the projection, symmetric.
TEST(ActiveSet, HasItsDerivative) {
  Random random(4);
  const int size = 8;
  const Points points = some_points(random, size, 40);
  std::vector<double> memory;
  const auto oracle = oracle_of<double>(points, memory);
  Held<ActiveSet, double> held(size);
  const auto project = [&](const Numbers& u) {
    held.solver.clear(Serial());
    held.solver.project(Serial(), Vector<const double>{u.data(), size}, oracle);
    return held.point(size);
  };
  for (int round = 0; round < 10; ++round) {
    const Numbers u = normal(random, size, 1), g = normal(random, size, 1);
    Numbers out(g.size());
    project(u);
    held.solver.vjp(Serial(), Vector<const double>{g.data(), size},
                    Vector<double>{out.data(), size});
    for (std::size_t e = 0; e < u.size(); ++e) {
      Numbers up = u, down = u;
      up[e] += 1e-6;
      down[e] -= 1e-6;
      EXPECT_NEAR(out[e], (Points::dot(g, project(up)) - Points::dot(g, project(down))) / 2e-6,
                  1e-7);
    }
  }
}

/// More members than it may keep: a point of the hull, and a gap that holds.
TEST(ActiveSet, SaysWhatIsMissing) {
  const int size = (1 << 20) + 1;  // 64 members at most
  ASSERT_EQ(member_capacity(size), 64);
  // 100 corners of a simplex; the projection of 0 is their mean.
  const auto oracle = [&](Vector<const float> utility, SparseVector<float>& best) {
    int most = 0;
    for (int e = 1; e < 100; ++e) most = utility[e] > utility[most] ? e : most;
    best.entry[0] = most;
    best.value[0] = 1;
    best.count = 1;
    return true;
  };
  const std::vector<float> zero(static_cast<std::size_t>(size), 0.0f);
  Held<ActiveSet, float> held(size);
  held.solver.clear(Serial());
  ASSERT_TRUE(held.solver.project(Serial(), Vector<const float>{zero.data(), size}, oracle));
  EXPECT_EQ(held.solver.count(), 64);
  const Numbers x = held.point(size);
  double sum = 0, distance = 0;
  for (int e = 0; e < 100; ++e) {
    sum += x[static_cast<std::size_t>(e)];
    distance += std::pow(x[static_cast<std::size_t>(e)] - 0.01, 2);
  }
  EXPECT_NEAR(sum, 1, 1e-6);
  EXPECT_NEAR(held.solver.gap(), 1.0 / 64, 1e-6);
  EXPECT_LE(distance, held.solver.gap());
}

TEST(FrankWolfe, ItsGapBoundsTheDistance) {
  Random random(5);
  for (const auto& [size, count] : {std::pair{3, 20}, {10, 8}, {20, 200}}) {
    const Points points = some_points(random, size, count);
    std::vector<double> memory;
    const auto oracle = oracle_of<double>(points, memory);
    Held<ActiveSet, double> exact(size);
    Held<FrankWolfe, double> held(size);
    for (int round = 0; round < 5; ++round) {
      const Numbers u = normal(random, size, 1);
      const Vector<const double> utility{u.data(), size};
      exact.solver.clear(Serial());
      exact.solver.project(Serial(), utility, oracle);
      const Numbers x = exact.point(size);
      for (const auto& [tolerance, steps] : {std::pair{0.0, 3}, {1e-2, 10000}, {1e-9, 100000}}) {
        ASSERT_TRUE(held.solver.project(Serial(), utility, oracle, tolerance, steps));
        EXPECT_LE(held.solver.gap(), tolerance > 0 ? tolerance : 1e9);
        const Numbers y = held.point(size);
        double distance = 0;
        for (std::size_t e = 0; e < u.size(); ++e) distance += (x[e] - y[e]) * (x[e] - y[e]);
        EXPECT_LE(distance, held.solver.gap() + 1e-12);
        double total = 0;
        for (int i = 0; i < held.solver.count(); ++i) total += held.solver.weight(i);
        EXPECT_NEAR(total, 1, 1e-12);
      }
    }
  }
}

}  // namespace
}  // namespace softtricks
