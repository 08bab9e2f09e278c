#pragma once
/// Verbs that return several members of an instance: k_best and active_set.
#include <set>

#include <gtest/gtest.h>

#include "argmax.hpp"
#include "enumeration.hpp"

namespace softtricks::laws {

/// The result of such a verb, taken apart.
struct Listed {
  std::vector<Numbers> rows;
  Numbers values;

  Listed(const Subject& subject, const Numbers& result) {
    const std::size_t count = result.size() / (subject.size + 1);
    const auto at = [&](std::size_t i) { return result.begin() + static_cast<std::ptrdiff_t>(i); };
    for (std::size_t r = 0; r < count; ++r) {
      rows.emplace_back(at(r * subject.size), at((r + 1) * subject.size));
    }
    values.assign(at(count * subject.size), result.end());
  }
};

inline bool is_member(const Subject& subject, const Numbers& x) {
  return std::any_of(subject.members.begin(), subject.members.end(),
                     [&](const Member& m) { return std::equal(m.begin(), m.end(), x.begin()); });
}

/// The values are those of all members, sorted; the rows are members of these values, no two alike.
inline void expect_best_members(const Subject& subject, const Engine& engine,
                                const Numbers& utility, std::size_t count) {
  Request request{.verb = "k_best", .utility = utility};
  request.members = static_cast<std::int64_t>(count);
  const Listed listed(subject, engine(request));
  std::vector<Real> scores;
  for (const Member& m : subject.members) scores.push_back(dot(m, utility));
  std::sort(scores.rbegin(), scores.rend());
  const double tolerance =
      4 * engine.epsilon() * static_cast<double>(subject.size) * (1 + largest_size(utility));
  std::set<Numbers> seen;
  for (std::size_t r = 0; r < count; ++r) {
    const bool there = r < scores.size() && std::isfinite(scores[r]);
    if (!there) {
      EXPECT_EQ(listed.values[r], -std::numeric_limits<double>::infinity());
      EXPECT_EQ(listed.rows[r], Numbers(subject.size, 0.0));
      continue;
    }
    const Numbers& x = listed.rows[r];
    ASSERT_TRUE(is_member(subject, x)) << "row " << r;
    EXPECT_TRUE(seen.insert(x).second) << "row " << r << " came before";
    EXPECT_NEAR(listed.values[r], static_cast<double>(scores[r]), tolerance);
    const Real own = dot(Member(x.begin(), x.end()), utility);
    EXPECT_NEAR(listed.values[r], static_cast<double>(own), tolerance);
  }
}

inline void check_k_best(const Subject& subject, const Engine& engine) {
  for (const Instance& instance : instances(subject, engine)) {
    SCOPED_TRACE(instance.label);
    for (const std::size_t count : {1u, 2u, 7u}) {
      expect_best_members(subject, engine, instance.utility, count);
    }
    const Numbers best = engine({.verb = "argmax", .utility = instance.utility});
    const Listed first(subject,
                       engine({.verb = "k_best", .utility = instance.utility, .members = 1}));
    EXPECT_GE(dot(Member(first.rows[0].begin(), first.rows[0].end()), instance.utility),
              dot(Member(best.begin(), best.end()), instance.utility) -
                  1e-12L * (1 + largest_size(instance.utility)) * (engine.single() ? 1e9L : 1));
  }
  if (subject.members.size() < 500) {
    Random random(17);
    const Numbers u = engine.rounded(normal(random, subject.size, 1));
    expect_best_members(subject, engine, u, subject.members.size() + 2);
  }
}

/// The soft sample is the mixture of the active members; these are members, each but once.
inline void check_active_set(const Subject& subject, const Engine& engine,
                             const std::string& regularizer) {
  Random random(18);
  for (int draw = 0; draw < 6; ++draw) {
    Numbers u = normal(random, subject.size, 1);
    if (draw > 2) mask(random, subject.members, u);
    u = engine.rounded(u);
    for (const double t : {0.1, 1.0, 3.0}) {
      Request request{.verb = "active_set",
                      .utility = u,
                      .regularizer = regularizer,
                      .temperature = engine.library ? t : 1};
      request.members = static_cast<std::int64_t>(subject.size + 1);
      const Listed listed(subject, engine(request));
      request.verb = "relax";
      const Numbers soft = engine(request);
      Numbers mixture(subject.size, 0.0);
      std::set<Numbers> seen;
      double total = 0;
      for (std::size_t r = 0; r < listed.rows.size(); ++r) {
        const double weight = listed.values[r];
        ASSERT_GE(weight, 0);
        if (r > 0) {
          EXPECT_LE(weight, listed.values[r - 1]);
        }
        if (weight == 0) {
          EXPECT_EQ(listed.rows[r], Numbers(subject.size, 0.0));
          continue;
        }
        total += weight;
        ASSERT_TRUE(is_member(subject, listed.rows[r]));
        EXPECT_TRUE(seen.insert(listed.rows[r]).second);
        for (std::size_t e = 0; e < subject.size; ++e) mixture[e] += weight * listed.rows[r][e];
      }
      const double tolerance = 16 * engine.epsilon() * static_cast<double>(subject.size);
      EXPECT_NEAR(total, 1, tolerance);
      for (std::size_t e = 0; e < subject.size; ++e) EXPECT_NEAR(mixture[e], soft[e], tolerance);
    }
  }
}

}  // namespace softtricks::laws
