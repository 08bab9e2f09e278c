#pragma once
/// All permutations of n columns as a dynamic program: rows take columns in turn, and what matters
/// of the columns taken is only which. [Bellman 1962; Held, Karp 1962] Node: a set of columns, of
/// which the first rows have one each; rules: the column of the last of these rows. The sum over
/// its derivations is the permanent, whose exact computation is #P-hard [Valiant 1979]: every
/// method known takes time exponential in n.
///
/// Cost     n 2^(n-1) rules, 2^n nodes. Sums of positive numbers alone: unlike the inclusion and
///          exclusion of [Ryser 1963], of the same cost, nothing cancels.
#include <bit>

#include "softtricks/solver/inside_outside.hpp"

namespace softtricks {

/// Entry of row i and column j: i n + j. Instances of length m use the first m of both.
struct PermutationProgram : Derivations<PermutationProgram> {
  int columns = 1;

  SOFTTRICKS_FN constexpr explicit PermutationProgram(int n) : columns(n) {}

  SOFTTRICKS_FN constexpr int size() const { return columns * columns; }
  SOFTTRICKS_FN constexpr int longest() const { return columns; }
  /// Node s: the columns whose bits s has; the last: all rows of the instance have theirs.
  SOFTTRICKS_FN constexpr int node_count() const { return (1 << columns) + 1; }
  SOFTTRICKS_FN constexpr int most_rules() const { return columns; }

  template <bool top_down, class F>
  SOFTTRICKS_FN void for_each_node(F f) const {
    const auto ends = [&](auto visit) {
      for (int m = 1; m <= columns; ++m) visit(Rule{Rule::none, (1 << m) - 1, Rule::none, m});
    };
    if (top_down) f(Node{1 << columns}, ends);
    in_order<top_down>(1 << columns, [&](int set) {
      const int row = std::popcount(static_cast<unsigned>(set)) - 1;
      f(Node{set, Rule::none, set == 0}, [&](auto visit) {
        for (int left = set; left != 0; left &= left - 1) {
          const int column = std::countr_zero(static_cast<unsigned>(left));
          visit(Rule{row * columns + column, set ^ (1 << column)});
        }
      });
    });
    if (!top_down) f(Node{1 << columns}, ends);
  }
};

}  // namespace softtricks
