#include "softtricks/structure/matching.hpp"

#include <gtest/gtest.h>

#include "../laws/enumeration.hpp"

namespace softtricks::laws {
namespace {

const double inf = std::numeric_limits<double>::infinity();

std::size_t at(int pairs, int i, int j) { return static_cast<std::size_t>(i * pairs + j); }

std::vector<Member> permutations(int pairs) {
  std::vector<int> column(static_cast<std::size_t>(pairs));
  std::iota(column.begin(), column.end(), 0);
  std::vector<Member> found;
  do {
    Member x(static_cast<std::size_t>(pairs * pairs));
    for (int i = 0; i < pairs; ++i) x[at(pairs, i, column[static_cast<std::size_t>(i)])] = 1;
    found.push_back(x);
  } while (std::next_permutation(column.begin(), column.end()));
  return found;
}

/// The largest difference of a row's or column's sum from 1.
double unbalanced(int pairs, const Numbers& x) {
  double worst = 0;
  for (int i = 0; i < pairs; ++i) {
    double row = 0, column = 0;
    for (int j = 0; j < pairs; ++j) {
      row += x[at(pairs, i, j)];
      column += x[at(pairs, j, i)];
    }
    worst = std::max({worst, std::fabs(row - 1), std::fabs(column - 1)});
  }
  return worst;
}

/// The hull: doubly stochastic matrices [Birkhoff 1946].
double outside(int pairs, const Numbers& x) {
  return std::max(unbalanced(pairs, x), -*std::min_element(x.begin(), x.end()));
}

Subject matching(int pairs) {
  const auto part = [pairs](std::int64_t length) {
    Part small{{length}, {}};
    for (int i = 0; i < length; ++i) {
      for (int j = 0; j < length; ++j) small.entries.push_back(i * pairs + j);
    }
    return small;
  };
  Subject subject{"matching",
                  {pairs},
                  static_cast<std::size_t>(pairs * pairs),
                  permutations(pairs),
                  std::tgamma(pairs + 1.0),
                  [pairs](const Numbers& x) { return outside(pairs, x); },
                  pairs,
                  part,
                  engines_of(Matching{pairs}, {pairs})};
  subject.argmax_roundings = 4.0 * pairs;
  return subject;
}

const bool enrolled = [] {
  for (const int pairs : {1, 2, 3, 4}) subjects().push_back(matching(pairs));
  large_engines().emplace_back(361, engines_of(Matching{19}, {19}));
  return true;
}();

Engines both(int pairs) { return library_engines("matching", {pairs}); }

/// The column of each row of a permutation matrix; fails where x is none.
std::vector<int> columns_of(int pairs, const Numbers& x) {
  EXPECT_EQ(unbalanced(pairs, x), 0);
  std::vector<int> columns;
  for (int i = 0; i < pairs; ++i) {
    for (int j = 0; j < pairs; ++j) {
      const double value = x[at(pairs, i, j)];
      EXPECT_TRUE(value == 0 || value == 1) << value;
      if (value == 1) columns.push_back(j);
    }
  }
  return columns;
}

/// The textbook's Hungarian method in long double, one row at a time: the value of the best.
Real best_value(int pairs, const Numbers& u) {
  const std::size_t n = static_cast<std::size_t>(pairs);
  std::vector<Real> row(n + 1), column(n + 1);
  std::vector<std::size_t> owner(n + 1, 0), way(n + 1, 0);
  const auto cost = [&](std::size_t i, std::size_t j) -> Real {
    return -static_cast<Real>(u[(i - 1) * n + j - 1]) - row[i] - column[j];
  };
  for (std::size_t i = 1; i <= n; ++i) {
    std::vector<Real> least(n + 1, std::numeric_limits<Real>::infinity());
    std::vector<bool> used(n + 1, false);
    std::size_t j = 0;
    owner[0] = i;
    do {
      used[j] = true;
      std::size_t next = 0;
      Real step = std::numeric_limits<Real>::infinity();
      for (std::size_t k = 1; k <= n; ++k) {
        if (used[k]) continue;
        const Real reduced = cost(owner[j], k);
        if (reduced < least[k]) {
          least[k] = reduced;
          way[k] = j;
        }
        if (least[k] < step) {
          step = least[k];
          next = k;
        }
      }
      for (std::size_t k = 0; k <= n; ++k) {
        if (used[k]) {
          row[owner[k]] += step;
          column[k] -= step;
        } else {
          least[k] -= step;
        }
      }
      j = next;
    } while (owner[j] != 0);
    for (; j != 0; j = way[j]) owner[j] = owner[way[j]];
  }
  Real value = 0;
  for (std::size_t j = 1; j <= n; ++j) value += u[(owner[j] - 1) * n + j - 1];
  return value;
}

Numbers utilities_of_kind(Random& random, int pairs, const std::string& kind) {
  const std::size_t size = static_cast<std::size_t>(pairs * pairs);
  Numbers u = normal(random, size, 1);
  for (int i = 0; i < pairs; ++i) {
    for (int j = 0; j < pairs; ++j) {
      double& value = u[at(pairs, i, j)];
      if (kind == "few integers") value = std::round(value);
      if (kind == "integers") value = std::round(100 * value);
      if (kind == "products") value = -(i + 1.0) * (j + 1.0);
      if (kind == "all equal") value = -3;
      if (kind == "far") value += 1000;
      if (kind == "by rows") value = i;
      if (kind == "sparse" && random() % 8 != 0 && (i + 5) % pairs != j) value = -1000;
    }
  }
  return u;
}

TEST(Matching, ArgmaxOfLargeInstances) {
  Random random(40);
  for (const int pairs : {5, 16, 17, 64, 100, 200}) {
    if (sanitized && pairs > 64) continue;
    for (const char* kind : {"normal", "few integers", "integers", "products", "all equal", "far",
                             "by rows", "sparse"}) {
      const Numbers all = utilities_of_kind(random, pairs, kind);
      for (const auto& engine : both(pairs)) {
        SCOPED_TRACE(engine->name + ", " + kind + ", " + std::to_string(pairs));
        const Numbers u = engine->rounded(all);
        const Numbers x = engine->operator()({.verb = "argmax", .utility = u});
        Real value = 0;
        const std::vector<int> columns = columns_of(pairs, x);
        for (int i = 0; i < pairs; ++i)
          value += u[at(pairs, i, columns[static_cast<std::size_t>(i)])];
        EXPECT_GE(value, best_value(pairs, u) - 4.0 * pairs * engine->epsilon() * largest_size(u));
      }
    }
  }
}

/// One permutation allowed and hidden among pairs that lead nowhere: above the diagonal all is
/// allowed, too.
TEST(Matching, OnlyOneMatchingAllowed) {
  Random random(41);
  for (const int pairs : {2, 7, 30, 65}) {
    Numbers u = normal(random, static_cast<std::size_t>(pairs * pairs), 5), expected(u.size(), 0.0);
    for (int i = 0; i < pairs; ++i) {
      for (int j = 0; j < i; ++j) u[at(pairs, i, j)] = -inf;
      expected[at(pairs, i, i)] = 1;
    }
    for (const auto& engine : both(pairs)) {
      EXPECT_EQ(engine->operator()({.verb = "argmax", .utility = u}), expected);
      const Numbers soft =
          engine->operator()({.verb = "relax", .utility = u, .regularizer = "shannon_entropy"});
      for (std::size_t e = 0; e < u.size(); ++e) {
        EXPECT_NEAR(soft[e], expected[e], 1000 * engine->epsilon());
      }
    }
  }
}

TEST(Matching, ForbiddenRowsAndColumns) {
  const int pairs = 20;
  for (const auto& engine : both(pairs)) {
    for (const int kind : {0, 1, 2}) {
      Numbers u(static_cast<std::size_t>(pairs * pairs), 1.0);
      for (int i = 0; i < pairs; ++i) {
        if (kind == 0) u[at(pairs, 3, i)] = -inf;
        if (kind == 1) u[at(pairs, i, 3)] = -inf;
        // Three rows want the same two columns.
        for (int j = 2; j < pairs && kind == 2 && i < 3; ++j) u[at(pairs, i, j)] = -inf;
      }
      for (const double x : engine->operator()({.verb = "argmax", .utility = u})) {
        EXPECT_TRUE(std::isnan(x));
      }
      const Request request{.verb = "relax", .utility = u, .regularizer = "shannon_entropy"};
      for (const double x : engine->operator()(request)) EXPECT_TRUE(std::isnan(x));
    }
  }
}

/// As many pairs at +inf as go together, then the sum of the rest.
TEST(Matching, InfiniteUtilitiesComeFirst) {
  for (const auto& engine : both(3)) {
    const auto best = [&](const Numbers& u) {
      return columns_of(3, engine->operator()({.verb = "argmax", .utility = u}));
    };
    EXPECT_EQ(best({inf, inf, 9, inf, 0, 0, 5, 1, 1}), (std::vector<int>{1, 0, 2}));
    EXPECT_EQ(best({inf, 1, 2, inf, 4, 0, inf, 0, 0}), (std::vector<int>{2, 1, 0}));
    EXPECT_EQ(best({1e30, inf, 2, 0, 7, 0, 5, 0, 1}), (std::vector<int>{1, 2, 0}));
  }
}

/// Soft samples of far spread utilities: balanced, and of the form exp(u - a - b), which the
/// logarithms of 2 x 2 minors show where entries are large enough to tell.
TEST(Matching, SoftAtAnySpread) {
  Random random(42);
  for (const int pairs : {2, 3, 5, 16, 33, 64, 100}) {
    if (sanitized && pairs > 33) continue;
    for (const double scale : {0.0, 1.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 1e6}) {
      const Numbers all = perturbed(random, static_cast<std::size_t>(pairs * pairs), 1);
      for (const auto& engine : both(pairs)) {
        SCOPED_TRACE(engine->name + ", " + std::to_string(pairs) + ", " + std::to_string(scale));
        Numbers u = all;
        for (double& value : u) value *= scale;
        u = engine->rounded(u);
        const Numbers x =
            engine->operator()({.verb = "relax", .utility = u, .regularizer = "shannon_entropy"});
        const double tolerance =
            std::max(4.0, std::sqrt(static_cast<double>(pairs))) * engine->epsilon();
        EXPECT_LE(outside(pairs, x), 20 * tolerance);
        for (int i = 1; i < pairs; ++i) {
          for (int j = 1; j < pairs; ++j) {
            const std::size_t e[] = {at(pairs, i, j), at(pairs, i - 1, j - 1), at(pairs, i - 1, j),
                                     at(pairs, i, j - 1)};
            if (std::min({x[e[0]], x[e[1]], x[e[2]], x[e[3]]}) < 1e-20) continue;
            const Real minor = static_cast<Real>(u[e[0]]) + u[e[1]] - u[e[2]] - u[e[3]];
            EXPECT_NEAR(std::log(x[e[0]] / x[e[2]] / x[e[3]] * x[e[1]]), static_cast<double>(minor),
                        100 * engine->epsilon());
          }
        }
      }
    }
  }
}

/// Where utilities tie, lie on a ladder, or leave hardly a way: balanced all the same.
TEST(Matching, SoftOfEveryKind) {
  Random random(44);
  for (const int pairs : {6, 16, 50}) {
    for (const char* kind : {"few integers", "integers", "products", "far", "by rows", "sparse"}) {
      const Numbers all = utilities_of_kind(random, pairs, kind);
      for (const double temperature : {10.0, 1.0, 0.1, 0.01, 1e-4}) {
        for (const auto& engine : both(pairs)) {
          SCOPED_TRACE(engine->name + ", " + kind + ", " + std::to_string(pairs) + ", " +
                       std::to_string(temperature));
          const Numbers x = engine->operator()({.verb = "relax",
                                                .utility = engine->rounded(all),
                                                .regularizer = "shannon_entropy",
                                                .temperature = temperature});
          const double tolerance =
              std::max(4.0, std::sqrt(static_cast<double>(pairs))) * engine->epsilon();
          EXPECT_LE(outside(pairs, x), 20 * tolerance);
        }
      }
    }
  }
}

/// 2 x 2: x_00 = sigmoid of half the difference; its derivative is known in closed form, also where
/// it is tiny.
TEST(Matching, TwoByTwoInClosedForm) {
  for (const auto& engine : both(2)) {
    for (const double gap : {0.0, 0.3, 2.0, 10.0, 25.0, 60.0}) {
      const Numbers u{gap, 1, 2, gap + 3}, g{1, 0, 0, 0};
      const double odds = std::exp(-gap);  // of x_01
      const Numbers x =
          engine->operator()({.verb = "relax", .utility = u, .regularizer = "shannon_entropy"});
      EXPECT_NEAR(x[0], 1 / (1 + odds), 8 * engine->epsilon());
      const double rate = odds / (1 + odds) / (1 + odds) / 2;
      // The product is a function of the soft sample as rounded, so that is given.
      const Numbers soft = engine->rounded(
          Numbers{1 / (1 + odds), odds / (1 + odds), odds / (1 + odds), 1 / (1 + odds)});
      const Numbers got = engine->operator()({"relax_vjp", u, soft, g, "shannon_entropy"});
      const double signs[] = {1, -1, -1, 1};
      for (std::size_t e = 0; e < 4; ++e) {
        EXPECT_NEAR(got[e], signs[e] * rate, 16 * engine->epsilon() * rate);
      }
    }
  }
}

/// The product keeps row and column sums, is symmetric, and blind to what all members share.
TEST(Matching, VjpOfLargeInstances) {
  Random random(43);
  for (const int pairs : {7, 16, 50}) {
    for (const double scale : {0.1, 1.0, 5.0, 30.0, 1000.0}) {
      const std::size_t size = static_cast<std::size_t>(pairs * pairs);
      const Numbers all = perturbed(random, size, 1 / scale);
      const Numbers first = normal(random, size, 1), second = normal(random, size, 1);
      for (const auto& engine : both(pairs)) {
        SCOPED_TRACE(engine->name + ", " + std::to_string(pairs) + ", " + std::to_string(scale));
        const Numbers u = engine->rounded(all);
        const Numbers x =
            engine->operator()({.verb = "relax", .utility = u, .regularizer = "shannon_entropy"});
        const auto vjp = [&](const Numbers& g) {
          return engine->operator()({"relax_vjp", u, x, engine->rounded(g), "shannon_entropy"});
        };
        const Numbers a = vjp(first), b = vjp(second);
        double loose = 0;  // the largest entry that is not its row's largest
        for (int i = 0; i < pairs; ++i) {
          Numbers row(x.begin() + i * pairs, x.begin() + (i + 1) * pairs);
          std::sort(row.begin(), row.end());
          loose = std::max(loose, row[row.size() - 2]);
        }
        Numbers balanced = a;
        for (int i = 0; i < pairs; ++i) balanced[at(pairs, i, i)] += 1;
        EXPECT_LE(unbalanced(pairs, balanced), 100 * engine->epsilon());
        double ab = 0, ba = 0;
        for (std::size_t e = 0; e < size; ++e) {
          ab += a[e] * engine->rounded(second[e]);
          ba += b[e] * engine->rounded(first[e]);
        }
        EXPECT_NEAR(ab, ba, 100 * engine->epsilon() * loose * pairs);
        Numbers shared(size);
        for (std::size_t e = 0; e < size; ++e) {
          shared[e] = first[e / static_cast<std::size_t>(pairs)] +
                      second[e % static_cast<std::size_t>(pairs)];
        }
        EXPECT_LE(largest_size(vjp(shared)), 100 * engine->epsilon() * loose);
      }
    }
  }
}

}  // namespace
}  // namespace softtricks::laws
