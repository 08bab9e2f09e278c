#pragma once
/// argmax: a member, and no member has a larger value; infinite utilities and ties included.
#include <gtest/gtest.h>

#include "enumeration.hpp"

namespace softtricks::laws {

/// How good a member is: its entries at -inf, then those at +inf, then the rest.
inline std::tuple<int, int, Real> rank_of(const Member& x, const Numbers& utility) {
  int forbidden = 0, infinite = 0;
  Real rest = 0, huge = 0;  // apart: 1e30 + 1 - 1e30 is 1
  for (std::size_t e = 0; e < utility.size(); ++e) {
    if (x[e] == 0) continue;
    if (std::isfinite(utility[e])) {
      (std::fabs(utility[e]) > 1e20 ? huge : rest) += utility[e];
    } else {
      ++(utility[e] > 0 ? infinite : forbidden);
    }
  }
  return {-forbidden, infinite, huge + rest};
}

inline void expect_best(const Subject& subject, const Engine& engine, const Numbers& utility) {
  const Numbers x = engine({.verb = "argmax", .utility = utility});
  ASSERT_EQ(x.size(), subject.size);
  std::tuple<int, int, Real> best{-1000, 0, 0};
  for (const Member& member : subject.members) best = std::max(best, rank_of(member, utility));
  if (std::get<0>(best) < 0) {
    for (const double value : x) EXPECT_TRUE(std::isnan(value)) << "no member is allowed";
    return;
  }
  const Member got(x.begin(), x.end());
  for (std::size_t e = 0; e < x.size(); ++e) ASSERT_EQ(x[e], got[e]) << "entry " << e;
  ASSERT_NE(std::find(subject.members.begin(), subject.members.end(), got), subject.members.end())
      << "not a member";
  const auto [forbidden, infinite, rest] = rank_of(got, utility);
  EXPECT_EQ(forbidden, 0);
  EXPECT_EQ(infinite, std::get<1>(best));
  EXPECT_GE(rest, std::get<2>(best) - 1e-12L * (1 + std::fabs(std::get<2>(best))));
}

inline void check_argmax(const Subject& subject, const Engine& engine) {
  for (const Instance& instance : instances(subject, engine)) {
    SCOPED_TRACE(instance.label);
    expect_best(subject, engine, instance.utility);
  }
  Random random(8);
  const double inf = std::numeric_limits<double>::infinity();
  const double values[] = {-inf, -inf, -1e30, -1, -0.0, 0.0, 1e-40, 1, 1e30, inf};
  for (int draw = 0; draw < 60; ++draw) {
    SCOPED_TRACE("extreme " + std::to_string(draw));
    Numbers utility(subject.size);
    for (double& u : utility) u = values[random() % std::size(values)];
    expect_best(subject, engine, engine.rounded(utility));
  }
  for (const double all : {-inf, inf, 1e30, -1e30}) {
    SCOPED_TRACE("all " + std::to_string(all));
    expect_best(subject, engine, engine.rounded(Numbers(subject.size, all)));
  }
}

}  // namespace softtricks::laws
