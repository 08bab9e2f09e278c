#include "softtricks/structure/spanning_tree.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

using Edges = std::vector<std::pair<int, int>>;

Edges edges_of(int nodes) {
  Edges edges;
  for (int i = 0; i < nodes; ++i) {
    for (int j = i + 1; j < nodes; ++j) edges.emplace_back(i, j);
  }
  return edges;
}

/// Union-find: nodes - 1 edges, none of which closes a cycle.
bool is_tree(int nodes, const Member& x) {
  const Edges edges = edges_of(nodes);
  std::vector<int> parent(static_cast<std::size_t>(nodes));
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](int v) {
    while (parent[static_cast<std::size_t>(v)] != v) v = parent[static_cast<std::size_t>(v)];
    return v;
  };
  int taken = 0;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (x[e] == 0) continue;
    const int a = root(edges[e].first), b = root(edges[e].second);
    if (a == b) return false;
    parent[static_cast<std::size_t>(a)] = b;
    ++taken;
  }
  return taken == nodes - 1;
}

/// The hull: x >= 0, sum x = nodes - 1, and at most |S| - 1 within each vertex set S [Edmonds
/// 1971].
double outside(int nodes, const Numbers& x) {
  const Edges edges = edges_of(nodes);
  double worst = -*std::min_element(x.begin(), x.end());
  for (unsigned set = 1; set < (1u << nodes); ++set) {
    double inside = 0;
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const bool both = (set >> edges[e].first & 1u) && (set >> edges[e].second & 1u);
      inside += both ? x[e] : 0;
    }
    const double excess = inside - (__builtin_popcount(set) - 1);
    worst = std::max(worst, set + 1 == (1u << nodes) ? std::fabs(excess) : excess);
  }
  return worst;
}

Subject spanning_tree(int nodes) {
  const int size = nodes * (nodes - 1) / 2;
  const auto part = [nodes](std::int64_t length) {
    const Edges edges = edges_of(nodes);
    Part small{{length}, {}};
    for (std::size_t e = 0; e < edges.size(); ++e) {
      if (edges[e].second < length) small.entries.push_back(static_cast<int>(e));
    }
    return small;
  };
  return {"spanning_tree",
          {nodes},
          static_cast<std::size_t>(size),
          subsets_where(size, [nodes](const Member& x) { return is_tree(nodes, x); }),
          std::pow(nodes, nodes - 2),
          [nodes](const Numbers& x) { return outside(nodes, x); },
          nodes,
          part,
          engines_of(SpanningTree{nodes}, {nodes})};
}

const bool enrolled = [] {
  for (const int nodes : {2, 3, 4, 5}) subjects().push_back(spanning_tree(nodes));
  large_engines().emplace_back(210, engines_of(SpanningTree{21}, {21}));
  return true;
}();

/// Cayley's formula, where nobody can enumerate; by symmetry every edge has marginal 2 / nodes.
TEST(SpanningTree, CayleyOnLargeGraphs) {
  for (const int nodes : {6, 7, 13, 16, 33, 64, 100}) {
    const std::size_t size = static_cast<std::size_t>(nodes * (nodes - 1) / 2);
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const LibraryEngine engine("spanning_tree", {nodes}, dtype);
      const Numbers zero(size, 0.0);
      const double log_count = (nodes - 2) * std::log(nodes);
      EXPECT_NEAR(engine({.verb = "log_partition", .utility = zero}).at(0), log_count,
                  100 * engine.epsilon() * log_count);
      for (const double x : engine({.verb = "marginals", .utility = zero})) {
        EXPECT_NEAR(x, 2.0 / nodes, 100 * engine.epsilon());
      }
    }
  }
}

/// A tree's own edges allowed and no others: one member, certain.
TEST(SpanningTree, OnlyOneTreeAllowed) {
  const int nodes = 23;
  const Edges edges = edges_of(nodes);
  Numbers utility(edges.size(), -std::numeric_limits<double>::infinity()), tree(edges.size(), 0.0);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (edges[e].first != (edges[e].second - 1) / 2) continue;
    utility[e] = 3.0 - static_cast<double>(e);
    tree[e] = 1;
  }
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const LibraryEngine engine("spanning_tree", {nodes}, dtype);
    EXPECT_EQ(engine({.verb = "argmax", .utility = utility}), tree);
    const Numbers marginals = engine({.verb = "marginals", .utility = utility});
    for (std::size_t e = 0; e < tree.size(); ++e) {
      EXPECT_NEAR(marginals[e], tree[e], tree[e] * 8 * engine.epsilon());
    }
    EXPECT_EQ(engine({.verb = "sample", .utility = utility}), tree);
    EXPECT_EQ(engine({"marginals_vjp", utility, {}, Numbers(edges.size(), 1.5)}),
              Numbers(edges.size(), 0.0));
  }
}

}  // namespace
}  // namespace softtricks::laws
