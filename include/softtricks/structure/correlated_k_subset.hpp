#pragma once
#include <string>

#include "softtricks/base/status.hpp"
#include "softtricks/solver/counted_chain.hpp"
#include "softtricks/solver/inside_outside.hpp"

namespace softtricks {

/// Exactly `k` of `items` items in a row, with utilities for neighbours that are both in: the
/// paper's correlated top k.
///
/// Set       0/1 vectors of items numbers, k of them ones, then items-1 for the pairs (i, i+1), one
///           where both are in: binomial(items, k) members. An instance of length m uses items 0 ..
///           m-1.
/// argmax    Dynamic program over items and counts, O(items k). [Paulus et al. 2020]
/// marginals Of items and of pairs, by inside and outside on the same program, O(items k) time and
///           scratch; log_partition and marginals_vjp, too. See solver/counted_chain.hpp.
/// sample    By the text for any program, solver/inside_outside.hpp.
struct CorrelatedKSubset : Derivations<CorrelatedKSubset> {
  int items = 1;
  int k = 1;

  constexpr CorrelatedKSubset() = default;
  SOFTTRICKS_FN constexpr CorrelatedKSubset(int of, int count) : items(of), k(count) {}

  static constexpr const char* name = "correlated_k_subset";
  static constexpr const char* field_names[] = {"items", "k"};
  static constexpr int fields = 2;
  static constexpr int count_field = 1;  // k, which instances may differ in

  SOFTTRICKS_FN constexpr int size() const { return 2 * items - 1; }
  SOFTTRICKS_FN int longest() const { return items; }
  Status check() const {
    if (items < 1 || items > (1 << 26)) {
      return Status::error("correlated_k_subset: items must be in [1, 2^26], got " +
                           std::to_string(items));
    }
    if (k < 1 || k > items || 2.0 * items * (k + 1.0) >= (1 << 28)) {
      return Status::error(
          "correlated_k_subset: k must be in [1, items = " + std::to_string(items) +
          "] and items * k below 2^27, got " + std::to_string(k));
    }
    return {};
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0; i < items; ++i) f(i, i + 1);
    for (int i = 0; i + 1 < items; ++i) f(items + i, i + 2);
  }

  /// Entries that are 0 in all members.
  template <class F>
  SOFTTRICKS_FN void for_each_idle_entry(F f) const {
    for (int pair = items; k == 1 && pair < size(); ++pair) f(pair);
  }

  /// Node (i (k+1) + j) 2 + in: j of items 0 .. i are in, item i is or isn't; the last: all is
  /// said.
  SOFTTRICKS_FN constexpr int node_count() const { return items * row() + 1; }
  SOFTTRICKS_FN constexpr int most_rules() const { return 2 * items; }
  template <bool top_down, class F>
  SOFTTRICKS_FN void for_each_node(F f) const {
    const auto ends = [&](auto visit) {
      for (int i = k - 1; i < items; ++i) {
        for (int in = 0; in < 2; ++in) {
          visit(Rule{Rule::none, i * row() + 2 * k + in, Rule::none, i + 1});
        }
      }
    };
    if (top_down) f(Node{items * row()}, ends);
    in_order<top_down>(items, [&](int i) {
      in_order<top_down>(k + 1, [&](int j) {
        in_order<top_down>(2, [&](int in) {
          const int node = i * row() + 2 * j + in;
          const bool leaf = i == 0 && j == in;
          f(Node{node, in == 1 ? i : Rule::none, leaf}, [&](auto visit) {
            // Not more items than there are, and none to count without.
            if (i == 0 || j > i + 1 || j < in) return;
            const int before = node - row() - 3 * in;  // item i-1 out, one fewer if this is in
            visit(Rule{Rule::none, before});
            visit(Rule{in == 1 ? items + i - 1 : Rule::none, before + 1});
          });
        });
      });
    });
    if (!top_down) f(Node{items * row()}, ends);
  }

  /// What all verbs but `sample` keep; the sums need less scratch than the text for any program.
  SOFTTRICKS_FN std::int64_t working_numbers() const {
    return std::int64_t{1} * size() + 3 * std::int64_t{1} * node_count();
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team&, Vector<const T> utility, T,
                                    Scratch scratch) const {
    return CountedChain<T, T, Team>(k, utility, {}).log_partition(scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team&, Vector<const T> utility, T, Vector<T> out,
                                   Scratch scratch) const {
    CountedChain<T, T, Team>(k, utility, {}).marginals(out, scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team&, Vector<const T> utility, T,
                                       Vector<const T> cotangent, Vector<T> out,
                                       Scratch scratch) const {
    CountedChain<Dual<T>, T, Team>(k, utility, cotangent).marginals(out, scratch);
  }

 private:
  SOFTTRICKS_FN constexpr int row() const { return 2 * (k + 1); }
};

}  // namespace softtricks
