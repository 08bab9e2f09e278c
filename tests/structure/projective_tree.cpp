#include "softtricks/structure/projective_tree.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

using Heads = std::vector<int>;  // of each word; that of word 0 is not used

bool reaches_root(const Heads& head, int word) {
  for (std::size_t steps = 0; word != 0; ++steps) {
    if (steps == head.size()) return false;
    word = head[static_cast<std::size_t>(word)];
  }
  return true;
}

/// Every word between the ends of an arc descends from the arc's head.
bool is_projective(const Heads& head) {
  const int n = static_cast<int>(head.size());
  for (int m = 1; m < n; ++m) {
    const int h = head[static_cast<std::size_t>(m)];
    for (int between = std::min(h, m) + 1; between < std::max(h, m); ++between) {
      int up = between;
      while (up != 0 && up != h) up = head[static_cast<std::size_t>(up)];
      if (up != h) return false;
    }
  }
  return true;
}

std::vector<Member> trees(int nodes, int single_root) {
  std::vector<Member> found;
  Heads head(static_cast<std::size_t>(nodes), 0);
  const auto n = static_cast<std::size_t>(nodes);
  for (bool more = true; more;) {
    bool fits = true;
    for (int m = 1; m < nodes && fits; ++m) fits = reaches_root(head, m);
    const auto children = std::count(head.begin() + 1, head.end(), 0);
    if (fits && is_projective(head) && (single_root == 0 || children == 1)) {
      Member x(n * n, 0);
      for (std::size_t m = 1; m < n; ++m) x[static_cast<std::size_t>(head[m]) * n + m] = 1;
      found.push_back(x);
    }
    more = false;
    for (std::size_t m = 1; m < n; ++m) {  // counting with `nodes` as the base
      more = ++head[m] < nodes;
      if (more) break;
      head[m] = 0;
    }
  }
  return found;
}

double binomial(int n, int k) { return k == 0 ? 1 : binomial(n - 1, k - 1) * n / k; }

/// What holds for all points of the hull: x >= 0, one head a word, none for the root, and an arc
/// into every set of words without the root.
double outside(int nodes, int single_root, const Numbers& x) {
  const auto n = static_cast<std::size_t>(nodes);
  double worst = -*std::min_element(x.begin(), x.end());
  for (std::size_t m = 0; m < n; ++m) {
    double heads = 0;
    for (std::size_t h = 0; h < n; ++h) heads += x[h * n + m];
    worst = std::max({worst, std::fabs(heads - (m == 0 ? 0 : 1)), x[m * n + m]});
  }
  for (unsigned set = 2; set < (1u << nodes); set += 2) {
    double in = 0;
    for (std::size_t h = 0; h < n; ++h) {
      for (std::size_t m = 0; m < n; ++m)
        in += !(set >> h & 1u) && (set >> m & 1u) ? x[h * n + m] : 0;
    }
    worst = std::max(worst, 1 - in);
  }
  double children = 0;
  for (std::size_t m = 1; m < n; ++m) children += x[m];
  return single_root == 1 ? std::max(worst, std::fabs(children - 1)) : worst;
}

Subject projective_tree(int nodes, int single_root) {
  const auto part = [nodes, single_root](std::int64_t length) -> std::optional<Part> {
    if (length < 2 && single_root == 1) return std::nullopt;
    if (length < 2) return Part{{length, 0}, {}};  // the root alone
    Part small{{length, single_root}, {}};
    for (int h = 0; h < length; ++h) {
      for (int m = 0; m < length; ++m) small.entries.push_back(h * nodes + m);
    }
    return small;
  };
  const int n = nodes - 1;
  const double count =
      single_root == 1 ? binomial(3 * n - 2, n - 1) / n : binomial(3 * n, n) / (2 * n + 1);
  return {"projective_tree",
          {nodes, single_root},
          static_cast<std::size_t>(nodes * nodes),
          trees(nodes, single_root),
          std::round(count),
          [nodes, single_root](const Numbers& x) { return outside(nodes, single_root, x); },
          nodes,
          part,
          engines_of(ProjectiveTree{nodes, single_root}, {nodes, single_root})};
}

const bool enrolled = [] {
  for (const int single_root : {0, 1}) {
    for (const int nodes : {2, 3, 4, 5}) subjects().push_back(projective_tree(nodes, single_root));
  }
  large_engines().emplace_back(169, engines_of(ProjectiveTree{13, 0}, {13, 0}));
  return true;
}();

TEST(ProjectiveTree, CountsItsTrees) {
  for (const int single_root : {0, 1}) {
    const int n = 19;
    const LibraryEngine engine("projective_tree", {n + 1, single_root}, Dtype::float64);
    const double count =
        single_root == 1 ? binomial(3 * n - 2, n - 1) / n : binomial(3 * n, n) / (2 * n + 1);
    EXPECT_NEAR(engine({.verb = "log_partition", .utility = Numbers(400, 0.0)}).at(0),
                std::log(count), 1e-10);
  }
}

}  // namespace
}  // namespace softtricks::laws
