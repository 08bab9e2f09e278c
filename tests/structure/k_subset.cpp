#include "softtricks/structure/k_subset.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

double binomial(int n, int k) {
  double product = 1;
  for (int i = 1; i <= k; ++i) product = product * (n - k + i) / i;
  return std::round(product);
}

Subject k_subset(int items, int k) {
  const auto members = subsets_of(items, k);
  const auto outside = [k](const Numbers& x) {
    const double sum = std::accumulate(x.begin(), x.end(), 0.0);
    const auto [least, most] = std::minmax_element(x.begin(), x.end());
    return largest_violation({std::fabs(sum - k), -*least, *most - 1});
  };
  const auto part = [k](std::int64_t length) -> std::optional<Part> {
    if (length < k) return std::nullopt;
    return Part{{length, k}, first_entries(length)};
  };
  return {"k_subset",
          {items, k},
          static_cast<std::size_t>(items),
          members,
          binomial(items, k),
          outside,
          items,
          part,
          engines_of(KSubset{items, k}, {items, k})};
}

const bool enrolled = [] {
  for (const auto& [items, k] : {std::pair{1, 1}, {4, 1}, {5, 5}, {7, 3}, {9, 8}, {33, 2}}) {
    subjects().push_back(k_subset(items, k));
  }
  large_engines().emplace_back(90, engines_of(KSubset{90, 30}, {90, 30}));
  return true;
}();

/// Ties at the threshold must not let more than k in, as they do where items are compared with it.
TEST(KSubset, TakesTheFirstOfEqualsAndNoMore) {
  const LibraryEngine engine("k_subset", {6, 3}, Dtype::float32);
  EXPECT_EQ(engine({.verb = "argmax", .utility = {1, 2, 2, 2, 2, 5}}), (Numbers{0, 1, 1, 0, 0, 1}));
  EXPECT_EQ(engine({.verb = "argmax", .utility = {0, -0.0, 0, -0.0, 0, -1}}),
            (Numbers{1, 1, 1, 0, 0, 0}));
}

/// Large enough for instances to go one by one instead of in packs.
TEST(KSubset, LargeInstances) {
  const int items = 1000, k = 100;
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const LibraryEngine engine("k_subset", {items, k}, dtype);
    const double tolerance = 2e4 * engine.epsilon();
    const Numbers zero(items, 0.0);
    const double log_count =
        std::lgamma(items + 1.0) - std::lgamma(k + 1.0) - std::lgamma(items - k + 1.0);
    EXPECT_NEAR(engine({.verb = "log_partition", .utility = zero}).at(0), log_count,
                tolerance * log_count);
    for (const double x : engine({.verb = "marginals", .utility = zero})) {
      EXPECT_NEAR(x, 0.1, tolerance);
    }
  }
}

}  // namespace
}  // namespace softtricks::laws
