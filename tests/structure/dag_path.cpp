#include "softtricks/structure/dag_path.hpp"

#include <gtest/gtest.h>

#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

/// Place of edge (i, j), i < j, by counting off the rows before it.
int edge(int nodes, int i, int j) {
  int place = j - i - 1;
  for (int row = 0; row < i; ++row) place += nodes - row - 1;
  return place;
}

/// A path is the set of vertices that it visits between its ends.
std::vector<Member> paths(int nodes) {
  std::vector<Member> found;
  for (unsigned visited = 0; visited < (1u << (nodes - 2)); ++visited) {
    Member x(static_cast<std::size_t>(nodes * (nodes - 1) / 2));
    int from = 0;
    for (int v = 1; v < nodes; ++v) {
      if (v + 1 < nodes && ((visited >> (v - 1)) & 1u) == 0) continue;
      x[static_cast<std::size_t>(edge(nodes, from, v))] = 1;
      from = v;
    }
    found.push_back(x);
  }
  return found;
}

/// The hull: a flow x >= 0 of one unit from the first vertex to the last.
double outside(int nodes, const Numbers& x) {
  double worst = -*std::min_element(x.begin(), x.end());
  for (int v = 0; v < nodes; ++v) {
    double leaves = (v + 1 == nodes ? 1.0 : 0.0) - (v == 0 ? 1.0 : 0.0);
    for (int w = v + 1; w < nodes; ++w) leaves += x[static_cast<std::size_t>(edge(nodes, v, w))];
    for (int w = 0; w < v; ++w) leaves -= x[static_cast<std::size_t>(edge(nodes, w, v))];
    worst = std::max(worst, std::fabs(leaves));
  }
  return worst;
}

Subject dag_path(int nodes) {
  const auto part = [nodes](std::int64_t length) {
    Part small{{length}, {}};
    for (int i = 0; i < length; ++i) {
      for (int j = i + 1; j < length; ++j) small.entries.push_back(edge(nodes, i, j));
    }
    return small;
  };
  return {"dag_path",
          {nodes},
          static_cast<std::size_t>(nodes * (nodes - 1) / 2),
          paths(nodes),
          std::pow(2.0, nodes - 2),
          [nodes](const Numbers& x) { return outside(nodes, x); },
          nodes,
          part,
          engines_of(DagPath{nodes}, {nodes})};
}

const bool enrolled = [] {
  for (const int nodes : {2, 3, 4, 6}) subjects().push_back(dag_path(nodes));
  large_engines().emplace_back(435, engines_of(DagPath{30}, {30}));
  return true;
}();

/// All utilities 0: a path visits each vertex between its ends or not, like a fair coin, so an edge
/// is taken where both its ends are visited and none between them.
TEST(DagPath, CountsItsPaths) {
  const int nodes = 40;
  const Numbers zero(static_cast<std::size_t>(nodes * (nodes - 1) / 2), 0.0);
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const LibraryEngine engine("dag_path", {nodes}, dtype);
    EXPECT_NEAR(engine({.verb = "log_partition", .utility = zero}).at(0),
                (nodes - 2) * std::log(2.0), 500 * engine.epsilon());
    const Numbers x = engine({.verb = "marginals", .utility = zero});
    for (int i = 0; i < nodes; ++i) {
      for (int j = i + 1; j < nodes; ++j) {
        const int coins = j - i + 1 - (i == 0 ? 1 : 0) - (j + 1 == nodes ? 1 : 0);
        const double p = std::pow(0.5, coins);
        EXPECT_NEAR(x[static_cast<std::size_t>(edge(nodes, i, j))], p, 100 * engine.epsilon() * p);
      }
    }
  }
}

}  // namespace
}  // namespace softtricks::laws
