#pragma once
/// sample: members only, as often as the Gibbs law says; a draw is a function of seed and instance.
#include <map>

#include <gtest/gtest.h>

#include "enumeration.hpp"
#include "statistics.hpp"

namespace softtricks::laws {

inline void check_sample(const Subject& subject, const Engine& engine) {
  const std::size_t draws = sanitized ? 500 : engine.library ? 20000 : 2000;
  std::map<Member, std::size_t> place;
  for (std::size_t m = 0; m < subject.members.size(); ++m) place[subject.members[m]] = m;
  std::uint64_t seed = 100;
  for (const Instance& instance : instances(subject, engine)) {
    SCOPED_TRACE(instance.label);
    const Numbers x = engine({.verb = "sample",
                              .utility = repeated(instance.utility, draws),
                              .seed = ++seed,
                              .first_instance = 5});
    std::vector<double> counts(subject.members.size()), expected;
    for (std::size_t b = 0; b < draws; ++b) {
      const auto first = x.begin() + static_cast<std::ptrdiff_t>(b * subject.size);
      const auto found =
          place.find(Member(first, first + static_cast<std::ptrdiff_t>(subject.size)));
      ASSERT_NE(found, place.end()) << "draw " << b << " is no member";
      ++counts[found->second];
    }
    const Gibbs gibbs(subject.members, instance.utility);
    for (std::size_t m = 0; m < counts.size(); ++m) {
      if (!std::isfinite(static_cast<double>(gibbs.score(m)))) {
        EXPECT_EQ(counts[m], 0);
      }
      expected.push_back(static_cast<double>(gibbs.probability()[m]) * static_cast<double>(draws));
    }
    EXPECT_LT(chi_square_deviate(counts, expected), one_in_a_million);
  }
}

/// Draws with other seeds or instances are other draws, and independent: pairs of consecutive
/// draws, counted by whether each is the likeliest member, follow the product law.
inline void check_independent_samples(const Subject& subject, const Engine& engine) {
  if (!engine.library || subject.members.size() < 2) return;
  const std::size_t draws = 20000;
  const Numbers u = engine.rounded(Numbers(subject.size, 0.0));
  const auto draw = [&](std::uint64_t seed, std::uint64_t first) {
    return engine(
        {.verb = "sample", .utility = repeated(u, draws), .seed = seed, .first_instance = first});
  };
  const Numbers a = draw(1, 0), other_seed = draw(2, 0), shifted = draw(1, 1),
                far = draw(1, 1ull << 40);
  EXPECT_TRUE(
      std::equal(a.begin() + static_cast<std::ptrdiff_t>(subject.size), a.end(), shifted.begin()));
  const double chance = static_cast<double>(Gibbs(subject.members, u).chance(0, 1));
  for (const Numbers* b : {&other_seed, &shifted, &far}) {
    std::vector<double> counts(4), expected(4);
    for (std::size_t i = 0; i < draws; ++i) {
      const double x = a[i * subject.size], y = (*b)[i * subject.size];
      ++counts[static_cast<std::size_t>(2 * x + y)];
    }
    for (int i = 0; i < 4; ++i) {
      expected[static_cast<std::size_t>(i)] = static_cast<double>(draws) *
                                              (i / 2 ? chance : 1 - chance) *
                                              (i % 2 ? chance : 1 - chance);
    }
    EXPECT_LT(chi_square_deviate(counts, expected), one_in_a_million);
  }
}

}  // namespace softtricks::laws
