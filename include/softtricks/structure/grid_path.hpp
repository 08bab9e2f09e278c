#pragma once
#include <string>

#include "softtricks/base/status.hpp"
#include "softtricks/solver/inside_outside.hpp"

namespace softtricks {

/// Paths over a grid of `rows` x `columns` vertices from corner (0, 0) to the opposite one, by
/// steps to the right, down, or both at once: alignments of two sequences.
///
/// Set       0/1 vectors over vertices, row-major, one where the path passes: size rows x columns,
///           as many members as the Delannoy number of rows-1 and columns-1. An instance of length
///           m uses rows 0 .. m-1.
/// argmax    Dynamic program, O(rows columns). With utilities -cost: the shortest path, or dynamic
///           time warping. [Sakoe, Chiba 1978]
/// marginals Inside and outside on the same program, O(rows columns) time and scratch; all other
///           verbs the same way. See solver/inside_outside.hpp. [Mensch, Blondel 2018]
struct GridPath : Derivations<GridPath> {
  int rows = 1;
  int columns = 1;

  constexpr GridPath() = default;
  SOFTTRICKS_FN constexpr GridPath(int down, int across) : rows(down), columns(across) {}

  static constexpr const char* name = "grid_path";
  static constexpr const char* field_names[] = {"rows", "columns"};
  static constexpr int fields = 2;

  SOFTTRICKS_FN constexpr int size() const { return rows * columns; }
  SOFTTRICKS_FN int longest() const { return rows; }
  Status check() const {
    if (rows >= 1 && columns >= 1 && 1.0 * rows * columns < (1 << 28)) return {};
    return Status::error(
        "grid_path: rows and columns must be at least 1 and rows * columns below "
        "2^28, got rows = " +
        std::to_string(rows) + ", columns = " + std::to_string(columns));
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int e = 0; e < size(); ++e) f(e, e / columns + 1);
  }

  /// Node e: the path has come to vertex e; the last: it has arrived.
  SOFTTRICKS_FN constexpr int node_count() const { return size() + 1; }
  SOFTTRICKS_FN constexpr int most_rules() const { return rows < 3 ? 3 : rows; }
  template <bool top_down, class F>
  SOFTTRICKS_FN void for_each_node(F f) const {
    const auto ends = [&](auto visit) {
      for (int r = 0; r < rows; ++r) {
        visit(Rule{Rule::none, (r + 1) * columns - 1, Rule::none, r + 1});
      }
    };
    if (top_down) f(Node{size()}, ends);
    in_order<top_down>(rows, [&](int r) {
      in_order<top_down>(columns, [&](int c) {
        const int node = r * columns + c;
        f(Node{node, node, node == 0}, [&](auto visit) {
          if (c > 0) visit(Rule{Rule::none, node - 1});
          if (r > 0) visit(Rule{Rule::none, node - columns});
          if (c > 0 && r > 0) visit(Rule{Rule::none, node - columns - 1});
        });
      });
    });
    if (!top_down) f(Node{size()}, ends);
  }
};

}  // namespace softtricks
