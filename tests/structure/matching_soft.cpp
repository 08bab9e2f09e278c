/// Soft samples of matchings at sizes too large to enumerate.
#include "matching_cases.hpp"

namespace softtricks::laws {
namespace {

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

/// Doubly stochastic, of the form u - a - b where positive, as minors show, and such that no
/// matching gains on it to first order: x is nearest.
void expect_nearest(const Engine& engine, int pairs, const Numbers& u, const Numbers& x) {
  const double tolerance = std::max(4.0, std::sqrt(static_cast<double>(pairs))) * engine.epsilon();
  EXPECT_LE(outside(pairs, x), 20 * tolerance);
  Numbers gradient(u.size());
  Real own = 0;
  for (std::size_t e = 0; e < u.size(); ++e) {
    gradient[e] = u[e] - x[e];
    if (x[e] > 0) own += static_cast<Real>(gradient[e]) * x[e];
    if (u[e] == -inf) {
      EXPECT_EQ(x[e], 0);
    }
  }
  EXPECT_LE(best_value(pairs, gradient) - own,
            16 * pairs * engine.epsilon() * (1 + largest_size(u)));
  for (int i = 1; i < pairs; ++i) {
    for (int j = 0; j < pairs; ++j) {
      for (int k = 0; k < j; ++k) {
        const std::size_t e[] = {at(pairs, i, j), at(pairs, i - 1, k), at(pairs, i, k),
                                 at(pairs, i - 1, j)};
        if (std::min({x[e[0]], x[e[1]], x[e[2]], x[e[3]]}) == 0) continue;
        const Real minor = static_cast<Real>(u[e[0]]) + u[e[1]] - u[e[2]] - u[e[3]];
        EXPECT_NEAR(x[e[0]] + x[e[1]] - x[e[2]] - x[e[3]], static_cast<double>(minor),
                    20 * engine.epsilon());
      }
    }
  }
}

TEST(Matching, NearestOfEveryKind) {
  Random random(48);
  for (const int pairs : {2, 5, 16, 33, 64}) {
    if (sanitized && pairs > 16) continue;
    for (const char* kind : {"normal", "few integers", "integers", "products", "all equal", "far",
                             "by rows", "sparse", "masked"}) {
      for (const double scale : repeated({0.01, 0.1, 1.0, 10.0, 100.0, 1e4}, pairs < 20 ? 8 : 1)) {
        const Numbers all = utilities_of_kind(random, pairs, kind);
        for (const auto& engine : both(pairs)) {
          SCOPED_TRACE(engine->name + ", " + kind + ", " + std::to_string(pairs) + ", " +
                       std::to_string(scale));
          Numbers u = all;
          for (double& value : u) value *= scale;
          u = engine->rounded(u);
          const Numbers x =
              engine->operator()({.verb = "relax", .utility = u, .regularizer = "squared_norm"});
          expect_nearest(*engine, pairs, u, x);
        }
      }
    }
  }
}

/// Where the second best matching is behind by more than a soft sample can gain, the best one,
/// exactly.
TEST(Matching, NearestWhenColdIsArgmax) {
  Random random(49);
  for (const int pairs : {3, 16, 40}) {
    for (const double scale : {1e5, 1e7}) {
      const Numbers all = normal(random, static_cast<std::size_t>(pairs * pairs), scale);
      for (const auto& engine : both(pairs)) {
        const Numbers u = engine->rounded(all);
        EXPECT_EQ(
            engine->operator()({.verb = "relax", .utility = u, .regularizer = "squared_norm"}),
            engine->operator()({.verb = "argmax", .utility = u}));
      }
    }
  }
}

/// 2 x 2: x_00 = 1/2 + gap / 4 within [0, 1], gap = u_00 + u_11 - u_01 - u_10.
TEST(Matching, NearestTwoByTwoInClosedForm) {
  for (const auto& engine : both(2)) {
    for (const double gap : {-9.0, -1.5, -0.25, 0.0, 0.3, 1.0, 1.9, 5.0, 1e4}) {
      const Numbers u = engine->rounded(Numbers{gap, 1, 2, 3}), g{1, 0, 0, 0};
      const double first = std::clamp(0.5 + u[0] / 4, 0.0, 1.0);
      const Numbers x =
          engine->operator()({.verb = "relax", .utility = u, .regularizer = "squared_norm"});
      const Numbers got = engine->operator()({"relax_vjp", u, x, g, "squared_norm"});
      const double rate = first > 0 && first < 1 ? 0.25 : 0, signs[] = {1, -1, -1, 1};
      for (std::size_t e = 0; e < 4; ++e) {
        EXPECT_NEAR(x[e], signs[e] > 0 ? first : 1 - first, 4 * engine->epsilon());
        EXPECT_NEAR(got[e], signs[e] * rate, 4 * engine->epsilon());
      }
    }
  }
}

/// The product is the difference quotient along the cotangent, for the Jacobian is symmetric.
TEST(Matching, NearestVjpOfLargeInstances) {
  Random random(50);
  const double step = 1e-6;
  for (const int pairs : {7, 16, 33, 64}) {
    if (sanitized && pairs > 16) continue;
    const Engines engines = both(pairs);
    const Engine& exact = *engines[1];
    for (const double scale : {0.1, 1.0, 10.0, 100.0}) {
      const std::size_t size = static_cast<std::size_t>(pairs * pairs);
      const Numbers u = engines[0]->rounded(normal(random, size, scale));
      const Numbers g = engines[0]->rounded(normal(random, size, 1));
      const auto moved = [&](double length) {
        Numbers v = u;
        for (std::size_t e = 0; e < size; ++e) v[e] += length * g[e];
        return exact({.verb = "relax", .utility = v, .regularizer = "squared_norm"});
      };
      const Numbers above = moved(step), below = moved(-step);
      for (const auto& engine : engines) {
        SCOPED_TRACE(engine->name + ", " + std::to_string(pairs) + ", " + std::to_string(scale));
        const Numbers x =
            engine->operator()({.verb = "relax", .utility = u, .regularizer = "squared_norm"});
        const Numbers got = engine->operator()({"relax_vjp", u, x, g, "squared_norm"});
        for (std::size_t e = 0; e < size; ++e) {
          EXPECT_NEAR(got[e], (above[e] - below[e]) / (2 * step), engine->single() ? 3e-5 : 2e-8);
          if (x[e] == 0) {
            EXPECT_EQ(got[e], 0);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace softtricks::laws
