#pragma once
/// The Gibbs law: log_partition, marginals, marginals_vjp, log_prob, entropy, cross_entropy and kl
/// against sums over all members.
#include <gtest/gtest.h>

#include "enumeration.hpp"

namespace softtricks::laws {

/// Absolute error allowed to something of the size of a sum of utilities.
inline double energy_tolerance(const Engine& engine, const Subject& subject, const Numbers& u) {
  const double terms = static_cast<double>(subject.size);
  return 16 * engine.epsilon() * (1 + terms * (1 + largest_size(u)));
}

inline void check_log_partition(const Subject& subject, const Engine& engine) {
  EXPECT_EQ(static_cast<double>(subject.members.size()), subject.count);
  for (const Instance& instance : instances(subject, engine)) {
    SCOPED_TRACE(instance.label);
    const double got = engine({.verb = "log_partition", .utility = instance.utility}).at(0);
    const double expected =
        static_cast<double>(Gibbs(subject.members, instance.utility).log_partition());
    EXPECT_NEAR(got, expected, energy_tolerance(engine, subject, instance.utility));
  }
  const double at_zero =
      engine({.verb = "log_partition", .utility = Numbers(subject.size, 0.0)}).at(0);
  EXPECT_NEAR(at_zero, std::log(subject.count), 64 * engine.epsilon() * (1 + at_zero));
}

inline void check_marginals(const Subject& subject, const Engine& engine) {
  const double tolerance = 40 * engine.epsilon();
  for (const Instance& instance : instances(subject, engine)) {
    SCOPED_TRACE(instance.label);
    const Numbers got = engine({.verb = "marginals", .utility = instance.utility});
    const Gibbs gibbs(subject.members, instance.utility);
    for (std::size_t e = 0; e < subject.size; ++e) {
      EXPECT_NEAR(got[e], static_cast<double>(gibbs.chance(e, 1)), tolerance) << "entry " << e;
      EXPECT_GE(got[e], 0);
      EXPECT_LE(got[e], 1);
      if (instance.utility[e] == -std::numeric_limits<double>::infinity()) {
        EXPECT_EQ(got[e], 0);
      }
    }
    EXPECT_LE(subject.outside(got), static_cast<double>(subject.size) * tolerance);
  }
}

/// Marginals of u / t tend to argmax as t tends to 0.
inline void check_cold_marginals(const Subject& subject, const Engine& engine) {
  Random random(9);
  for (int draw = 0; draw < 5; ++draw) {
    const Numbers u = engine.rounded(normal(random, subject.size, 1e6));
    const Numbers soft = engine({.verb = "marginals", .utility = u});
    const Numbers hard = engine({.verb = "argmax", .utility = u});
    for (std::size_t e = 0; e < subject.size; ++e) {
      EXPECT_NEAR(soft[e], hard[e], 8 * engine.epsilon());
    }
  }
}

inline void check_marginals_vjp(const Subject& subject, const Engine& engine) {
  const double tolerance = engine.single() ? 1e-4 : 1e-11;
  Random random(10);
  for (const Instance& instance : instances(subject, engine)) {
    SCOPED_TRACE(instance.label);
    const Numbers g = engine.rounded(normal(random, subject.size, 1));
    const Numbers got = engine({"marginals_vjp", instance.utility, {}, g});
    const std::vector<Real> expected = Gibbs(subject.members, instance.utility).covariance(g);
    Real scale = 1e-25L * largest_size(g);
    for (const Real x : expected) scale = std::max(scale, std::fabs(x));
    for (std::size_t e = 0; e < subject.size; ++e) {
      const Real error = std::fabs(static_cast<Real>(got[e]) - expected[e]);
      EXPECT_LE(error / scale, tolerance) << "entry " << e << ": " << got[e] << " for "
                                          << expected[e] << ", the scale being " << scale;
    }
  }
}

/// a.(H b) = b.(H a), and H is blind to what changes all members alike.
inline void check_vjp_symmetry(const Subject& subject, const Engine& engine) {
  Random random(11);
  const Numbers u = engine.rounded(normal(random, subject.size, 1));
  Numbers rows;
  for (std::size_t i = 0; i < subject.size; ++i) {
    Numbers unit(subject.size, 0.0);
    unit[i] = 1;
    const Numbers row = engine({"marginals_vjp", u, {}, unit});
    rows.insert(rows.end(), row.begin(), row.end());
  }
  for (std::size_t i = 0; i < subject.size; ++i) {
    EXPECT_GE(rows[i * subject.size + i], 0);
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NEAR(rows[i * subject.size + j], rows[j * subject.size + i], 40 * engine.epsilon());
    }
  }
}

inline void check_log_prob(const Subject& subject, const Engine& engine) {
  for (const Instance& instance : instances(subject, engine)) {
    SCOPED_TRACE(instance.label);
    const Gibbs gibbs(subject.members, instance.utility);
    const double tolerance = 2 * energy_tolerance(engine, subject, instance.utility);
    const auto log_prob = [&](const Numbers& x) {
      return engine({"log_prob", instance.utility, x}).at(0);
    };
    const std::size_t step = subject.members.size() / 40 + 1;
    for (std::size_t m = 0; m < subject.members.size(); m += step) {
      const double got = log_prob(Numbers(subject.members[m].begin(), subject.members[m].end()));
      if (gibbs.probability()[m] == 0 && !std::isfinite(static_cast<double>(gibbs.score(m)))) {
        EXPECT_EQ(got, -std::numeric_limits<double>::infinity());
      } else {
        const Real expected = gibbs.score(m) - gibbs.log_partition();
        EXPECT_NEAR(got, static_cast<double>(expected), tolerance);
      }
    }
    // No members: halves, a NaN, and one member with an entry changed or doubled.
    std::vector<Numbers> strangers(4,
                                   Numbers(subject.members[0].begin(), subject.members[0].end()));
    strangers[0] = Numbers(subject.size, 0.5);
    strangers[1][0] = std::nan("");
    strangers[2][0] = 2;
    strangers[3].back() = 1 - strangers[3].back();
    for (const Numbers& x : strangers) {
      const bool member =
          std::any_of(subject.members.begin(), subject.members.end(),
                      [&](const Member& m) { return std::equal(m.begin(), m.end(), x.begin()); });
      if (!member) {
        EXPECT_EQ(log_prob(x), -std::numeric_limits<double>::infinity());
      }
    }
  }
  // Where no member is allowed, there is no law.
  const Numbers forbidden(subject.size, -std::numeric_limits<double>::infinity());
  if (Gibbs(subject.members, forbidden).feasible()) return;
  for (const double value : {0.0, 0.5, 1.0}) {
    EXPECT_TRUE(std::isnan(engine({"log_prob", forbidden, Numbers(subject.size, value)}).at(0)));
  }
}

inline void check_entropy(const Subject& subject, const Engine& engine) {
  for (const Instance& instance : instances(subject, engine)) {
    SCOPED_TRACE(instance.label);
    const double got = engine({.verb = "entropy", .utility = instance.utility}).at(0);
    const double expected = static_cast<double>(Gibbs(subject.members, instance.utility).entropy());
    // A difference of numbers of the size of a sum of utilities.
    EXPECT_NEAR(got, expected, 4 * energy_tolerance(engine, subject, instance.utility));
  }
}

/// E[log p(x; u) - log p(x; v)] and -E[log p(x; v)], x drawn from the law of u.
struct TwoLaws {
  Real kl = 0, cross_entropy = 0;
  Real excluded = 0;  // the chance that u draws what v excludes

  TwoLaws(const Subject& subject, const Numbers& u, const Numbers& v) {
    const Gibbs own(subject.members, u), other(subject.members, v);
    for (std::size_t m = 0; m < subject.members.size(); ++m) {
      const Real p = own.probability()[m];
      if (p == 0) continue;
      const Real surprise = other.log_partition() - other.score(m);
      if (std::isinf(surprise)) excluded += p;
      cross_entropy += p * surprise;
      kl += p * (surprise - (own.log_partition() - own.score(m)));
    }
  }
};

/// Laws of every kind beside the one before them in the list, and beside themselves.
inline void check_two_laws(const Subject& subject, const Engine& engine) {
  const std::vector<Instance> all = instances(subject, engine);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const std::size_t j : {i, (i + all.size() - 1) % all.size(), (i + 4) % all.size()}) {
      const Numbers &u = all[i].utility, &v = all[j].utility;
      SCOPED_TRACE(all[i].label + ", " + all[j].label);
      const TwoLaws expected(subject, u, v);
      // Marginals are right to rounding: a smaller chance may be 0 to them.
      if (expected.excluded > 0 && expected.excluded < engine.epsilon()) continue;
      const double tolerance =
          4 * (energy_tolerance(engine, subject, u) + energy_tolerance(engine, subject, v));
      const auto expect = [&](const char* verb, Real value) {
        const double got = engine({.verb = verb, .utility = u, .other = v}).at(0);
        if (std::isinf(value)) {
          EXPECT_EQ(got, static_cast<double>(value)) << verb;
        } else {
          EXPECT_NEAR(got, static_cast<double>(value), tolerance) << verb;
        }
        return got;
      };
      expect("cross_entropy", expected.cross_entropy);
      EXPECT_GE(expect("kl", expected.kl), 0);
    }
  }
  const Numbers forbidden(subject.size, -std::numeric_limits<double>::infinity());
  if (Gibbs(subject.members, forbidden).feasible()) return;
  for (const char* verb : {"kl", "cross_entropy"}) {
    const Numbers zero(subject.size, 0.0);
    EXPECT_TRUE(std::isnan(engine({.verb = verb, .utility = zero, .other = forbidden}).at(0)));
    EXPECT_TRUE(std::isnan(engine({.verb = verb, .utility = forbidden, .other = zero}).at(0)));
  }
}

}  // namespace softtricks::laws
