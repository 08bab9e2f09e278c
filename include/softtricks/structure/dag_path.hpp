#pragma once
#include <string>

#include "softtricks/base/status.hpp"
#include "softtricks/solver/inside_outside.hpp"

namespace softtricks {

/// Paths from vertex 0 to the last of `nodes` vertices along edges (i, j), i < j. Any directed
/// acyclic graph is one of these: vertices in topological order, utility -inf where there is no
/// edge.
///
/// Set       0/1 vectors over edges, row-major, one where the path takes the edge: size
///           nodes (nodes-1) / 2; 2^(nodes-2) members. An instance of length m ends in vertex m-1.
/// argmax    Longest path in topological order, O(nodes^2) time. With utilities -cost: the shortest
///           path, costs of either sign. [Bellman 1958]
/// marginals Inside and outside on the same program, O(nodes^2) time and scratch; all other verbs
///           the same way. See solver/inside_outside.hpp. [Mensch, Blondel 2018]
struct DagPath : Derivations<DagPath> {
  int nodes = 2;

  constexpr DagPath() = default;
  SOFTTRICKS_FN constexpr explicit DagPath(int vertices) : nodes(vertices) {}

  static constexpr const char* name = "dag_path";
  static constexpr const char* field_names[] = {"nodes"};
  static constexpr int fields = 1;

  SOFTTRICKS_FN constexpr int size() const { return nodes * (nodes - 1) / 2; }
  SOFTTRICKS_FN int longest() const { return nodes; }
  Status check() const {
    if (nodes >= 2 && nodes <= 16384) return {};
    return Status::error("dag_path: nodes must be in [2, 16384], got " + std::to_string(nodes));
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0, e = 0; i < nodes; ++i) {
      for (int j = i + 1; j < nodes; ++j, ++e) f(e, j + 1);
    }
  }

  /// Node v: the path has come to vertex v; the last: it has arrived.
  SOFTTRICKS_FN constexpr int node_count() const { return nodes + 1; }
  SOFTTRICKS_FN constexpr int most_rules() const { return nodes; }
  template <bool top_down, class F>
  SOFTTRICKS_FN void for_each_node(F f) const {
    const auto ends = [&](auto visit) {
      for (int v = 0; v < nodes; ++v) visit(Rule{Rule::none, v, Rule::none, v + 1});
    };
    if (top_down) f(Node{nodes}, ends);
    in_order<top_down>(nodes, [&](int v) {
      f(Node{v, Rule::none, v == 0}, [&](auto visit) {
        // Edge (i, v) is followed in its column by (i + 1, v), nodes - i - 2 entries on.
        for (int i = 0, e = v - 1; i < v; e += nodes - i - 2, ++i) visit(Rule{e, i});
      });
    });
    if (!top_down) f(Node{nodes}, ends);
  }
};

}  // namespace softtricks
