#include "softtricks/structure/correlated_k_subset.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

std::vector<Member> choices(int items, int k) {
  std::vector<Member> found;
  for (Member x : subsets_of(items, k)) {
    for (int i = 0; i + 1 < items; ++i) {
      x.push_back(x[static_cast<std::size_t>(i)] * x[static_cast<std::size_t>(i) + 1]);
    }
    found.push_back(x);
  }
  return found;
}

/// What holds for all points of the hull: items as for k-subsets, and pairs between what two items
/// force and what they allow.
double outside(int items, int k, const Numbers& x) {
  const std::size_t n = static_cast<std::size_t>(items);
  double worst = -*std::min_element(x.begin(), x.end()), sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += x[i];
    worst = std::max(worst, x[i] - 1);
    if (i + 1 == n) break;
    const double pair = x[n + i];
    worst = std::max({worst, pair - x[i], pair - x[i + 1], x[i] + x[i + 1] - 1 - pair});
  }
  return std::max(worst, std::fabs(sum - k));
}

double binomial(int n, int k) { return k == 0 ? 1 : binomial(n - 1, k - 1) * n / k; }

Subject correlated_k_subset(int items, int k) {
  const auto part = [items, k](std::int64_t length) -> std::optional<Part> {
    if (length < k) return std::nullopt;
    Part small{{length, k}, first_entries(length)};
    for (int i = 0; i + 1 < length; ++i) small.entries.push_back(items + i);
    return small;
  };
  return {"correlated_k_subset",
          {items, k},
          static_cast<std::size_t>(2 * items - 1),
          choices(items, k),
          std::round(binomial(items, k)),
          [items, k](const Numbers& x) { return outside(items, k, x); },
          items,
          part,
          engines_of(CorrelatedKSubset{items, k}, {items, k})};
}

const bool enrolled = [] {
  for (const auto& [items, k] : {std::pair{1, 1}, {4, 1}, {5, 5}, {7, 3}, {9, 8}}) {
    subjects().push_back(correlated_k_subset(items, k));
  }
  large_engines().emplace_back(119, engines_of(CorrelatedKSubset{60, 20}, {60, 20}));
  return true;
}();

/// Without utilities for pairs it is the k-subset.
TEST(CorrelatedKSubset, IsTheKSubsetWhereNothingIsCorrelated) {
  const std::int64_t items = 350, k = 10;
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const LibraryEngine own("correlated_k_subset", {items, k}, dtype),
        plain("k_subset", {items, k}, dtype);
    Numbers utility(static_cast<std::size_t>(items));
    for (std::size_t i = 0; i < utility.size(); ++i) {
      utility[i] = 3 * std::sin(static_cast<double>(i * i));
    }
    Numbers both = utility;
    both.resize(static_cast<std::size_t>(2 * items - 1), 0.0);
    const double a = own({.verb = "log_partition", .utility = both}).at(0);
    const double b = plain({.verb = "log_partition", .utility = utility}).at(0);
    EXPECT_NEAR(a, b, 300 * own.epsilon() * std::fabs(b));
    const Numbers x = own({.verb = "marginals", .utility = both}),
                  y = plain({.verb = "marginals", .utility = utility});
    for (std::size_t i = 0; i < utility.size(); ++i) EXPECT_NEAR(x[i], y[i], 1000 * own.epsilon());
  }
}

}  // namespace
}  // namespace softtricks::laws
