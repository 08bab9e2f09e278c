#pragma once
#include <string>

#include "softtricks/base/shape.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/solver/inside_outside.hpp"

namespace softtricks {

/// Projective dependency trees over `nodes` words, rooted in word 0: arcs drawn above the sentence
/// do not cross. single_root = 1: the root has exactly one child; 0: any number.
///
/// Set       0/1 matrices [head, modifier], row-major: size nodes^2. With n = nodes - 1,
///           binomial(3n, n) / (2n + 1) members, or binomial(3n - 2, n - 1) / n with a single root.
///           The root's column and the diagonal count for nothing and are 0. An instance of length
///           m uses words 0 .. m-1.
/// argmax    Eisner's program over spans, O(nodes^3) time, O(nodes^2) scratch. [Eisner 1996]
/// marginals Inside and outside on the same program; all other verbs the same way. See
///           solver/inside_outside.hpp.
struct ProjectiveTree : Derivations<ProjectiveTree> {
  int nodes = 2;
  int single_root = 0;

  constexpr ProjectiveTree() = default;
  SOFTTRICKS_FN constexpr ProjectiveTree(int words, int single)
      : nodes(words), single_root(single) {}

  static constexpr const char* name = "projective_tree";
  static constexpr const char* field_names[] = {"nodes", "single_root"};
  static constexpr int fields = 2;
  static constexpr std::int64_t field_defaults[] = {required_field, 0};

  SOFTTRICKS_FN constexpr int size() const { return nodes * nodes; }
  SOFTTRICKS_FN int longest() const { return nodes; }
  Status check() const {
    if (nodes < 2 || nodes > 4096) {
      return Status::error("projective_tree: nodes must be in [2, 4096], got " +
                           std::to_string(nodes));
    }
    if (single_root == 0 || single_root == 1) return {};
    return Status::error("projective_tree: single_root must be 0 or 1, got " +
                         std::to_string(single_root));
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int e = 0; e < size(); ++e) {
      const int head = e / nodes, modifier = e % nodes;
      const int later = head > modifier ? head : modifier;
      f(e, later == 0 ? 2 : later + 1);
    }
  }

  /// Entries that are 0 in all members.
  template <class F>
  SOFTTRICKS_FN void for_each_idle_entry(F f) const {
    for (int e = 0; e < size(); ++e) {
      if (e % nodes == 0 || e % nodes == e / nodes) f(e);
    }
  }

  /// What covers the words from s to t. `to_right`: s heads all the others; `to_left`: t does.
  /// `arc_*` ends with the arc between s and t; `*` alone may have more words under its far end.
  enum Kind { arc_to_right, arc_to_left, to_right, to_left };
  static constexpr int kinds = 4;

  /// Nodes by the width t - s, then s, then kind; the last: the sentence is done.
  SOFTTRICKS_FN int span(Kind kind, int s, int t) const {
    return ((t - s) * nodes + s) * kinds + kind;
  }
  SOFTTRICKS_FN constexpr int node_count() const { return kinds * nodes * nodes + 1; }
  SOFTTRICKS_FN constexpr int most_rules() const { return nodes * (nodes + 1) / 2; }
  template <bool top_down, class F>
  SOFTTRICKS_FN void for_each_node(F f) const {
    const int root = kinds * nodes * nodes;
    const auto ends = [&](auto visit) { for_each_end(visit); };
    if (top_down) f(Node{root}, ends);
    in_order<top_down>(nodes, [&](int width) {
      in_order<top_down>(nodes - width, [&](int s) {
        in_order<top_down>(kinds, [&](int kind) {
          const int t = s + width;
          f(node_of(static_cast<Kind>(kind), s, t),
            [&](auto visit) { for_each_rule(static_cast<Kind>(kind), s, t, visit); });
        });
      });
    });
    if (!top_down) f(Node{root}, ends);
  }

 private:
  SOFTTRICKS_FN Node node_of(Kind kind, int s, int t) const {
    const bool ends_with_arc = kind < to_right && s < t;
    const int entry = kind == arc_to_right ? s * nodes + t : t * nodes + s;
    return {span(kind, s, t), ends_with_arc ? entry : Rule::none, s == t && kind >= to_right};
  }

  template <class F>
  SOFTTRICKS_FN void for_each_rule(Kind kind, int s, int t, F f) const {
    if (kind == to_right) {
      for (int q = s + 1; q <= t; ++q) {
        f(Rule{Rule::none, span(arc_to_right, s, q), span(to_right, q, t)});
      }
    } else if (kind == to_left) {
      for (int q = s; q < t; ++q) {
        f(Rule{Rule::none, span(to_left, s, q), span(arc_to_left, q, t)});
      }
    } else if (kind == arc_to_right || s > 0) {  // nothing heads the root
      for (int q = s; q < t; ++q) {
        f(Rule{Rule::none, span(to_right, s, q), span(to_left, q + 1, t)});
      }
    }
  }

  template <class F>
  SOFTTRICKS_FN void for_each_end(F f) const {
    for (int last = 0; last < nodes; ++last) {
      if (single_root == 0) f(Rule{Rule::none, span(to_right, 0, last), Rule::none, last + 1});
      for (int child = 1; single_root == 1 && child <= last; ++child) {
        f(Rule{child, span(to_left, 1, child), span(to_right, child, last), last + 1});
      }
    }
  }
};

}  // namespace softtricks
