#include "softtricks/structure/range_subset.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

Subject range_subset(int items, int least, int most) {
  const auto members = subsets_where(items, [&](const Member& x) {
    const auto ones = std::count(x.begin(), x.end(), 1);
    return ones >= least && ones <= most;
  });
  double count = 0, binomial = 1;  // items over j
  for (int j = 0; j <= most; ++j) {
    if (j >= least) count += binomial;
    binomial = std::round(binomial * (items - j) / (j + 1));
  }
  const auto outside = [=](const Numbers& x) {
    const double sum = std::accumulate(x.begin(), x.end(), 0.0);
    const auto [lowest, highest] = std::minmax_element(x.begin(), x.end());
    return largest_violation({least - sum, sum - most, -*lowest, *highest - 1});
  };
  const auto part = [=](std::int64_t length) -> std::optional<Part> {
    if (length < least) return std::nullopt;
    return Part{{length, least, std::min<std::int64_t>(most, length)}, first_entries(length)};
  };
  return {"range_subset",
          {items, least, most},
          static_cast<std::size_t>(items),
          members,
          count,
          outside,
          items,
          part,
          engines_of(RangeSubset{items, least, most}, {items, least, most})};
}

const bool enrolled = [] {
  const int shapes[][3] = {{1, 0, 1}, {1, 1, 1}, {5, 0, 2}, {6, 2, 4}, {5, 3, 5}, {4, 4, 4}};
  for (const auto& s : shapes) subjects().push_back(range_subset(s[0], s[1], s[2]));
  large_engines().emplace_back(90, engines_of(RangeSubset{90, 10, 30}, {90, 10, 30}));
  return true;
}();

/// A budget takes what is worth taking, and no item of utility 0.
TEST(RangeSubset, TakesWhatIsWorthIt) {
  const LibraryEngine budget("range_subset", {5, 0, 3}, Dtype::float32);
  EXPECT_EQ(budget({.verb = "argmax", .utility = {-1, 2, 0, 3, -4}}), (Numbers{0, 1, 0, 1, 0}));
  EXPECT_EQ(budget({.verb = "argmax", .utility = {-1, -2, 0, -3, -4}}), Numbers(5, 0.0));
  const LibraryEngine range("range_subset", {5, 1, 3}, Dtype::float32);
  EXPECT_EQ(range({.verb = "argmax", .utility = {1, 2, 1, 3, 1}}), (Numbers{1, 1, 0, 1, 0}));
  EXPECT_EQ(range({.verb = "argmax", .utility = {-1, -2, -1, -3, -4}}), (Numbers{1, 0, 0, 0, 0}));
}

/// All subsets allowed: independent bits. Any one count allowed: k-subsets.
TEST(RangeSubset, BetweenBitsAndSubsets) {
  Numbers utility{0.3, -1, 2, 0.5, -0.2, 1.5, -3, 0.1};
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const LibraryEngine all("range_subset", {8, 0, 8}, dtype), bits("bit_vector", {8}, dtype);
    const LibraryEngine some("range_subset", {8, 3, 3}, dtype), subsets("k_subset", {8, 3}, dtype);
    for (const char* verb : {"argmax", "log_partition", "marginals", "entropy"}) {
      for (const auto& [a, b] : {std::pair{&all, &bits}, {&some, &subsets}}) {
        const Numbers x = (*a)({.verb = verb, .utility = utility});
        const Numbers y = (*b)({.verb = verb, .utility = utility});
        for (std::size_t e = 0; e < x.size(); ++e) EXPECT_NEAR(x[e], y[e], 40 * a->epsilon());
      }
    }
  }
}

}  // namespace
}  // namespace softtricks::laws
