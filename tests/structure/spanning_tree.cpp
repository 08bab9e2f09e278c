#include "softtricks/structure/spanning_tree.hpp"

#include <gtest/gtest.h>

#include "../laws/relax.hpp"

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

/// The tree of largest total weight, by Kruskal.
Member best_tree(int nodes, const std::vector<Real>& weight) {
  const Edges edges = edges_of(nodes);
  std::vector<std::size_t> order(edges.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return weight[a] > weight[b]; });
  std::vector<int> component(static_cast<std::size_t>(nodes));
  std::iota(component.begin(), component.end(), 0);
  Member tree(edges.size(), 0);
  for (const std::size_t e : order) {
    const int from = component[static_cast<std::size_t>(edges[e].first)];
    const int to = component[static_cast<std::size_t>(edges[e].second)];
    if (from == to) continue;
    std::replace(component.begin(), component.end(), from, to);
    tree[e] = 1;
  }
  return tree;
}

/// How much of x forests cannot hold, for more nodes than `outside` can take. x is in the hull if
/// and only if for each vertex there is a way to split edges between their ends that leaves 0 to
/// that vertex and at most 1 to each other; the largest is sought by augmenting paths.
double outside_by_flows(int nodes, const Numbers& x) {
  const auto n = static_cast<std::size_t>(nodes);
  const Edges edges = edges_of(nodes);
  double worst = 0;
  for (std::size_t without = 0; without < n; ++without) {
    std::vector<Numbers> at(n, Numbers(n, 0.0));  // what of the edge with j vertex i has
    Numbers load(n, 0.0);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      auto [i, j] = edges[e];
      if (static_cast<std::size_t>(j) != without) std::swap(i, j);
      at[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = x[e];
      load[static_cast<std::size_t>(i)] += x[e];
    }
    const auto most = [&](std::size_t v) { return v == without ? 0.0 : 1.0; };
    const auto relieve = [&](std::size_t start) {
      std::vector<std::size_t> before(n, n), queue{start};
      before[start] = start;
      for (std::size_t next = 0; next < queue.size(); ++next) {
        const std::size_t i = queue[next];
        for (std::size_t j = 0; j < n; ++j) {
          if (before[j] < n || at[i][j] < 1e-15) continue;
          before[j] = i;
          queue.push_back(j);
          if (load[j] > most(j) - 1e-15) continue;
          double amount = std::min(most(j) - load[j], load[start] - most(start));
          for (std::size_t k = j; k != start; k = before[k]) {
            amount = std::min(amount, at[before[k]][k]);
          }
          for (std::size_t k = j; k != start; k = before[k]) {
            at[before[k]][k] -= amount;
            at[k][before[k]] += amount;
          }
          load[start] -= amount;
          load[j] += amount;
          return true;
        }
      }
      return false;
    };
    for (std::size_t v = 0; v < n; ++v) {
      while (load[v] > most(v) + 1e-15 && relieve(v)) {
      }
      worst = std::max(worst, load[v] - most(v));
    }
  }
  return worst;
}

/// A soft sample is in the hull, and no tree is better to first order.
void expect_soft_tree(int nodes, const Engine& engine, const RegularizerSubject& regularizer,
                      const Numbers& utility) {
  const Numbers x = engine({.verb = "relax", .utility = utility, .regularizer = regularizer.name});
  const double rounding = nodes * 16 * engine.epsilon();
  EXPECT_LE(nodes <= 10 ? outside(nodes, x) : outside_by_flows(nodes, x), rounding);
  EXPECT_NEAR(static_cast<double>(std::accumulate(x.begin(), x.end(), Real(0))), nodes - 1,
              rounding);
  expect_not_better(engine, regularizer, utility, x,
                    best_tree(nodes, gain_slopes(engine, regularizer, utility, x)));
}

TEST(SpanningTree, SoftSamplesAreOptimalOnLargerGraphs) {
  Random random(41);
  for (const int nodes : {10, 16, 30}) {
    const std::vector<std::int64_t> shape{nodes};
    const Engines engines = library_engines("spanning_tree", shape);
    for (const double scale : {0.3, 1.0, 3.0}) {
      for (int draw = 0; draw < (sanitized ? 1 : 6); ++draw) {
        for (std::size_t k = 0; k < engines.size(); ++k) {
          const Engine& engine = *engines[k];
          Numbers utility = engine.rounded(normal(random, edges_of(nodes).size(), scale));
          if (draw % 3 == 2)
            mask(random, {best_tree(nodes, {utility.begin(), utility.end()})}, utility);
          for (const RegularizerSubject& r : regularizer_subjects()) {
            SCOPED_TRACE(engine.name + " " + r.name + ", " + std::to_string(nodes) +
                         " nodes, scale " + std::to_string(scale));
            expect_soft_tree(nodes, engine, r, utility);
            expect_derivative_along(engine, *engines[k | 1], r.name, utility, random);
          }
        }
      }
    }
  }
}

/// Spreads that leave hard samples, levels far apart with near ties, ties.
TEST(SpanningTree, SoftSamplesAreFiniteAtAnySpread) {
  Random random(42);
  for (const auto& engine : library_engines("spanning_tree", {12})) {
    for (int draw = 0; draw < 60; ++draw) {
      const double scales[] = {30, 300, 4000};
      Numbers utility = normal(random, edges_of(12).size(), draw % 2 ? scales[draw % 3] : 1);
      for (double& u : utility) {
        if (draw % 4 == 0) u -= 1000.0 * static_cast<double>(random() % 4);
        if (draw % 10 == 2) u = std::round(u);
      }
      utility = engine->rounded(utility);
      for (const RegularizerSubject& r : regularizer_subjects()) {
        SCOPED_TRACE(engine->name + " " + r.name);
        const Numbers x = (*engine)({.verb = "relax", .utility = utility, .regularizer = r.name});
        EXPECT_LE(outside(12, x), 12 * 16 * engine->epsilon());
        const Numbers vjp = (*engine)({"relax_vjp", utility, x, utility, r.name});
        for (const double value : vjp) EXPECT_TRUE(std::isfinite(value));
      }
    }
  }
}

TEST(SpanningTree, RefusesSoftSamplesOfVeryLargeGraphs) {
  Call call;
  call.structure = "spanning_tree";
  call.shape = {257};
  call.verb = "relax";
  call.regularizer = "squared_norm";
  EXPECT_NE(run(call).message().find("at most 256 nodes"), std::string::npos);
}

}  // namespace
}  // namespace softtricks::laws
