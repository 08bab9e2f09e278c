#pragma once
/// relax and relax_vjp for every regularizer offered. A soft sample x of utilities u at
/// temperature t solves argmax over conv X of u.x - t f(x): no member v may improve on it to first
/// order, (u - t f'(x)).(v - x) <= 0. That needs no reference solver.
#include <gtest/gtest.h>

#include "enumeration.hpp"

namespace softtricks::laws {

/// Of moderate spread: f' of entries near 0 or 1 magnifies their rounding.
inline std::vector<Numbers> moderate(const Subject& subject, const Engine& engine) {
  Random random(12);
  std::vector<Numbers> all{Numbers(subject.size, 0.0)};
  for (const double scale : {0.1, 0.5, 1.0, 1.0, 2.0}) {
    all.push_back(engine.rounded(normal(random, subject.size, scale)));
  }
  for (int draw = 0; draw < 3; ++draw) {
    Numbers masked = normal(random, subject.size, 1);
    mask(random, subject.members, masked);
    all.push_back(engine.rounded(masked));
  }
  return all;
}

inline void expect_no_better_member(const Subject& subject, const Engine& engine,
                                    const RegularizerSubject& regularizer, const Numbers& utility,
                                    double t) {
  const Numbers x = engine(
      {.verb = "relax", .utility = utility, .regularizer = regularizer.name, .temperature = t});
  const double rounding = 16 * engine.epsilon();
  EXPECT_LE(subject.outside(x), static_cast<double>(subject.size) * rounding);
  for (const Member& v : subject.members) {
    if (!std::isfinite(static_cast<double>(dot(v, utility)))) continue;
    double gain = 0, slack = 0, near = 0;
    for (std::size_t e = 0; e < subject.size; ++e) {
      if (!std::isfinite(utility[e])) {
        EXPECT_EQ(x[e], 0);
        continue;
      }
      const double away = v[e] - x[e];
      if (away == 0) continue;
      const double rise = (utility[e] / t - regularizer.slope(x[e])) * away;
      gain += rise;
      if (std::fabs(away) <= rounding) near += std::fabs(rise);  // x is v there, as far as is known
      slack += std::fabs(away) * (1 + std::fabs(utility[e]) / t + regularizer.slack(x[e]));
    }
    EXPECT_LE(gain, rounding * slack + near);
  }
}

inline void check_relax(const Subject& subject, const Engine& engine,
                        const RegularizerSubject& regularizer) {
  for (const Numbers& utility : moderate(subject, engine)) {
    for (const double t : {0.5, 1.0, 2.0}) {
      expect_no_better_member(subject, engine, regularizer, utility, t);
    }
  }
  // Cold: the hard sample. Only what f' magnifies keeps us from asking the inequality here.
  Random random(13);
  for (int draw = 0; draw < 3; ++draw) {
    const Numbers u = engine.rounded(normal(random, subject.size, 1));
    const Numbers soft = engine(
        {.verb = "relax", .utility = u, .regularizer = regularizer.name, .temperature = 1e-6});
    const Numbers hard = engine({.verb = "argmax", .utility = u});
    for (std::size_t e = 0; e < subject.size; ++e) EXPECT_NEAR(soft[e], hard[e], 1e-5);
  }
}

/// Gibbs entropy is defined through the log partition function: soft samples are marginals.
inline void check_gibbs_relax(const Subject& subject, const Engine& engine) {
  for (const Numbers& utility : moderate(subject, engine)) {
    for (const double t : {0.25, 1.0, 2.0}) {
      Numbers scaled = utility;
      for (double& u : scaled) u /= t;
      const Numbers soft = engine({.verb = "relax", .utility = utility, .temperature = t});
      const Numbers marginals = engine({.verb = "marginals", .utility = scaled});
      for (std::size_t e = 0; e < soft.size(); ++e) {
        EXPECT_NEAR(soft[e], marginals[e], 40 * engine.epsilon());
      }
    }
  }
}

/// The Jacobian by central differences, row i: how x changes with u_i.
template <class F>
Numbers difference_quotients(const Numbers& utility, double step, F relax) {
  Numbers rows;
  for (std::size_t i = 0; i < utility.size(); ++i) {
    Numbers up = utility, down = utility;
    up[i] += step;
    down[i] -= step;
    const Numbers above = relax(up), below = relax(down);
    for (std::size_t j = 0; j < above.size(); ++j) {
      rows.push_back(std::isfinite(utility[i]) ? (above[j] - below[j]) / (up[i] - down[i]) : 0);
    }
  }
  return rows;
}

template <class F>
Numbers pulled_back_units(std::size_t size, F vjp) {
  Numbers columns;
  for (std::size_t j = 0; j < size; ++j) {
    Numbers unit(size, 0.0);
    unit[j] = 1;
    const Numbers column = vjp(unit);
    columns.insert(columns.end(), column.begin(), column.end());
  }
  return columns;
}

/// relax_vjp is the transpose of relax's Jacobian, with temperature and range. Differences are
/// taken with the double engine `exact`.
inline void check_relax_vjp(const Subject& subject, const Engine& engine, const Engine& exact,
                            const std::string& regularizer) {
  const double off = std::numeric_limits<double>::infinity();
  const double tolerance = engine.single() ? 3e-5 : 2e-8;
  for (const Numbers& utility : moderate(subject, engine)) {
    if (utility == Numbers(subject.size, 0.0) || utility.size() < 2) continue;  // may be a kink
    for (const auto& [t, range] : {std::pair{0.5, off}, {1.0, off}, {0.5, 1.5}, {2.0, 0.7}}) {
      if (range != off && !engine.library) continue;
      SCOPED_TRACE("temperature " + std::to_string(t) + ", range " + std::to_string(range));
      const auto relax = [&, &temperature = t, &floor = range](const Engine& by, const Numbers& u) {
        return by({.verb = "relax",
                   .utility = u,
                   .regularizer = regularizer,
                   .temperature = temperature,
                   .utility_range = floor});
      };
      const Numbers soft = relax(engine, utility);
      const Numbers columns = pulled_back_units(
          subject.size, [&, &temperature = t, &floor = range](const Numbers& unit) {
            return engine({"relax_vjp", utility, soft, unit, regularizer, temperature, floor});
          });
      const Numbers rows =
          difference_quotients(utility, 1e-6, [&](const Numbers& u) { return relax(exact, u); });
      for (std::size_t i = 0; i < subject.size; ++i) {
        for (std::size_t j = 0; j < subject.size; ++j) {
          EXPECT_NEAR(columns[j * subject.size + i], rows[i * subject.size + j],
                      tolerance / t * (engine.single() ? 1 : 1 / std::min(1.0, t)))
              << "x_" << j << " by u_" << i << ", " << regularizer;
          if (range == off) {
            EXPECT_NEAR(columns[j * subject.size + i], columns[i * subject.size + j],
                        40 * engine.epsilon() / t);
          }
        }
      }
    }
  }
}

/// Where f' can be taken of an x that may have been rounded to 1.
inline double below_one(const Engine& engine, double x) {
  return std::min(x, 1 - engine.epsilon() / 4);
}

/// For instances too large to enumerate: the gradient of u.x - f(x), of which the best member is
/// the test.
inline std::vector<Real> gain_slopes(const Engine& engine, const RegularizerSubject& regularizer,
                                     const Numbers& utility, const Numbers& x) {
  std::vector<Real> slopes;
  for (std::size_t e = 0; e < x.size(); ++e) {
    const bool there = utility[e] != -std::numeric_limits<double>::infinity();
    slopes.push_back(utility[e] - (there ? Real(regularizer.slope(below_one(engine, x[e]))) : 0));
  }
  return slopes;
}

/// Member v does not improve on x to first order.
inline void expect_not_better(const Engine& engine, const RegularizerSubject& regularizer,
                              const Numbers& utility, const Numbers& x, const Member& v) {
  const std::vector<Real> slopes = gain_slopes(engine, regularizer, utility, x);
  Real gain = 0, slack = 0;
  for (std::size_t e = 0; e < x.size(); ++e) {
    const Real away = v[e] - Real(x[e]);
    if (away == 0) continue;
    gain += slopes[e] * away;
    const double slack_here = regularizer.slack(below_one(engine, x[e]));
    slack += std::fabs(away) * (1 + std::fabs(utility[e]) + slack_here);
  }
  EXPECT_LE(gain, 16 * engine.epsilon() * slack);
}

/// relax_vjp along a random direction = the difference quotient of the double engine `exact`.
inline void expect_derivative_along(const Engine& engine, const Engine& exact,
                                    const std::string& regularizer, const Numbers& utility,
                                    Random& random) {
  const Numbers cotangent = engine.rounded(normal(random, utility.size(), 1));
  const Numbers direction = normal(random, utility.size(), 1);
  const auto relax = [&](const Engine& by, double step) {
    Numbers u = utility;
    for (std::size_t e = 0; e < u.size(); ++e) u[e] += step * direction[e];
    return by({.verb = "relax", .utility = u, .regularizer = regularizer});
  };
  const double step = 1e-7;
  const Numbers above = relax(exact, step), below = relax(exact, -step);
  const Numbers vjp = engine({"relax_vjp", utility, relax(engine, 0), cotangent, regularizer});
  double expected = 0, got = 0;
  for (std::size_t e = 0; e < utility.size(); ++e) {
    expected += cotangent[e] * (above[e] - below[e]) / (2 * step);
    got += vjp[e] * direction[e];
  }
  EXPECT_NEAR(got, expected, engine.single() ? 1e-4 : 1e-6);
}

/// utility_range: utilities / t are floored at the largest minus the range; forbidden entries stay
/// forbidden, and entries that are 0 in all members do not count; a range nothing falls out of
/// changes nothing.
inline void check_range(const Subject& subject, const Engine& engine,
                        const std::string& regularizer) {
  if (!engine.library) return;
  const double inf = std::numeric_limits<double>::infinity(), t = 0.5;
  for (const Numbers& utility : moderate(subject, engine)) {
    for (const double range : {0.25, 1.0, 15.0, 1e4}) {
      Numbers floored = utility;
      double top = -inf;
      for (std::size_t e = 0; e < subject.size; ++e) {
        floored[e] /= t;
        const bool counts = std::any_of(subject.members.begin(), subject.members.end(),
                                        [e](const Member& m) { return m[e] != 0; });
        if (counts) top = std::max(top, floored[e]);
      }
      const double floor = engine.rounded(top - range);
      for (double& u : floored) u = u == -inf ? u : std::max(u, floor);
      const Numbers got = engine({.verb = "relax",
                                  .utility = utility,
                                  .regularizer = regularizer,
                                  .temperature = t,
                                  .utility_range = range});
      EXPECT_EQ(got, engine({.verb = "relax", .utility = floored, .regularizer = regularizer}));
    }
  }
}

}  // namespace softtricks::laws
