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

  /// The argmax as the places of its ones, found by plain sums; -1 if there is no member. For
  /// solvers that ask many times. Spans of one width lie side by side and are found together.
  template <class T>
  constexpr std::size_t entries_scratch() const {
    const std::size_t rows = kinds * static_cast<std::size_t>(nodes) + kinds + 2;
    return sizeof(T) * rows * static_cast<std::size_t>(nodes + SerialTeam<>::room) +
           2 * sizeof(Part) * static_cast<std::size_t>(nodes) + 8 * Scratch::alignment;
  }
  template <Plain T, class Team>
  SOFTTRICKS_SOLVER int argmax_entries(const Team& team, Vector<const T> utility, T length,
                                       int* entry, Scratch scratch) const {
    const int n = static_cast<int>(length);
    Spans<T> best{n, {}};
    const int stride = n + Team::room;  // blocks are taken whole, whatever lies behind a row's end
    for (Matrix<T>& kind : best.value) kind = {scratch.take<T>(n * stride + Team::room), stride};
    T* const arc = scratch.take<T>(2 * stride);
    team.each(n, [&](int s) { best.value[to_right](0, s) = best.value[to_left](0, s) = T(0); });
    for (int width = 1; width < n; ++width) {
      team.each(n - width, [&](int s) {
        arc[s] = utility[s * nodes + s + width];
        arc[stride + s] = s == 0 ? -infinity<T> : utility[(s + width) * nodes + s];
      });
      const int spans = Team::template whole_blocks<T>(n - width);
      team.template each_block_of<T>(spans, [&](auto block) {
        const auto inner = best.join(block, to_right, 0, to_left, width - 1, 1);
        block.write(best.value[arc_to_right].row(width), inner + block.read(arc));
        block.write(best.value[arc_to_left].row(width), inner + block.read(arc + stride));
      });
      team.template each_block_of<T>(spans, [&](auto block) {
        block.write(best.value[to_right].row(width),
                    best.join(block, arc_to_right, 1, to_right, width, 0));
        block.write(best.value[to_left].row(width),
                    best.join(block, to_left, 0, arc_to_left, width, 0));
      });
    }
    return collect(best, utility, entry, scratch.take<Part>(2 * n));
  }

 private:
  /// The best sums of all spans: [kind](width, s).
  template <class T>
  struct Spans {
    int n;
    Matrix<T> value[kinds];

    /// Of two parts that make up the spans of a block, the best: widths of the left one from
    /// `least` on, what it leaves to the right one of `rest`, which begins `gap` words after it.
    template <class Block>
    SOFTTRICKS_FN auto join(const Block& block, Kind left, int least, Kind right, int rest,
                            int gap) const {
      const auto sum = [&](int w) {
        return block.read(value[left].row(w)) + block.read(value[right].row(rest - w) + w + gap);
      };
      auto top = sum(least), other = top;  // two, so that they don't wait for each other
      int w = least + 1;
      const int end = right == arc_to_left ? rest : rest + 1;  // arcs are not empty
      for (; w + 1 < end; w += 2) {
        top = max(top, sum(w));
        other = max(other, sum(w + 1));
      }
      if (w < end) top = max(top, sum(w));
      return max(top, other);
    }
  };
  struct Part {
    Kind kind;
    int s, t;
  };

  /// The arcs of the best tree, by looking for the parts whose sums are the best ones.
  template <class T>
  SOFTTRICKS_FN int collect(const Spans<T>& best, Vector<const T> utility, int* entry,
                            Part* open) const {
    const auto value = [&](Kind kind, int s, int t) { return best.value[kind](t - s, s); };
    const int last = best.n - 1;
    int waiting = 0, count = 0;
    if (single_root == 0) {
      if (!(value(to_right, 0, last) > -infinity<T>)) return -1;
      open[waiting++] = {to_right, 0, last};
    } else {
      int first = 0;
      T top = -infinity<T>;
      for (int child = 1; child <= last; ++child) {
        const T sum = utility[child] + (value(to_left, 1, child) + value(to_right, child, last));
        first = sum > top ? child : first;
        top = max(top, sum);
      }
      if (first == 0) return -1;
      entry[count++] = first;
      open[waiting++] = {to_left, 1, first};
      open[waiting++] = {to_right, first, last};
    }
    while (waiting > 0) {
      const auto [kind, s, t] = open[--waiting];
      if (s == t) continue;
      if (kind == to_right) {
        int q = s + 1;
        while (value(arc_to_right, s, q) + value(to_right, q, t) < value(kind, s, t)) ++q;
        open[waiting++] = {arc_to_right, s, q};
        open[waiting++] = {to_right, q, t};
      } else if (kind == to_left) {
        int q = s;
        while (value(to_left, s, q) + value(arc_to_left, q, t) < value(kind, s, t)) ++q;
        open[waiting++] = {to_left, s, q};
        open[waiting++] = {arc_to_left, q, t};
      } else {
        const int e = kind == arc_to_right ? s * nodes + t : t * nodes + s;
        entry[count++] = e;
        int q = s;
        while (value(to_right, s, q) + value(to_left, q + 1, t) + utility[e] < value(kind, s, t)) {
          ++q;
        }
        open[waiting++] = {to_right, s, q};
        open[waiting++] = {to_left, q + 1, t};
      }
    }
    return count;
  }

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
