#pragma once
/// The best arborescence of a dense directed graph.
///
/// Problem  A utility for every arc from a head i to a modifier j. Choose one head for each
///          modifier so that all are reached from the root and the sum is largest.
/// Method   Every modifier takes its best head; a cycle becomes one vertex, whose arcs are worth
///          what they gain over the cycle's arc that they replace, and takes its best head in turn
///          [Chu, Liu 1965; Edmonds 1967]. Cycles are found by walking from modifier to head
///          [Gabow, Galil, Spencer, Tarjan 1986]. A vertex keeps a column with the worth of every
///          original head, so that a cycle of k vertices costs k passes over n numbers.
/// Shy root Where as few arcs as possible are to leave the root, it is asked last.
/// Levels   Where utilities are infinite, their number counts first. Where finite ones are of two
///          sizes, up to 1e9 and from 1.2e21 on, the small ones are weighed apart, last.
/// Accuracy Differences are taken in double.
/// Cost     O(n^2) at most; where no cycle occurs, one pass over the utilities.
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Which arcs there are. The root is a head only; `shy`: as few arcs as possible are to leave it.
struct HeadChoice {
  int heads;  // vertices that may be heads, the root among them
  int root;
  bool shy;
};

namespace best_heads {

/// A stride for which rows of 8-byte numbers are whole registers.
constexpr int stride_of(int heads) { return (heads + 15) / 16 * 16; }

/// Utilities from `huge` on have no digits in common with those up to `middling`.
inline constexpr double huge = 1.2e21, middling = 1e9;

/// What the arcs into one vertex, perhaps a former cycle, are worth: [stride] each.
struct Column {
  double* value;
  double* level;
  double* fine;
  int* into;  // the modifier that the arc enters
};

template <int parts, class Team, class Utility>
class Contraction {
  static constexpr bool levels = parts > 1, fines = parts > 2;

 public:
  SOFTTRICKS_FN Contraction(const Team& team, const HeadChoice& choice, Utility utility,
                            Scratch& scratch)
      : team_(team), choice_(choice), utility_(utility), stride_(stride_of(choice.heads)) {
    const int n = choice.heads;
    value_ = {scratch.take<double>(n * stride_), stride_};
    level_ = {scratch.take<double>(levels ? n * stride_ : 0), stride_};
    fine_ = {scratch.take<double>(fines ? n * stride_ : 0), stride_};
    into_ = {scratch.take<int>(n * stride_), stride_};
    int** const of_nodes[] = {&parent_, &from_, &entered_, &replaced_};
    for (int** const array : of_nodes) *array = scratch.take<int>(2 * n);
    int** const of_vertices[] = {&node_, &state_, &path_, &loaded_};
    for (int** const array : of_vertices) *array = scratch.take<int>(n);
    group_ = scratch.take<int>(stride_);
  }

  /// head[j]: the best head of modifier j alone on entry, of the best arborescence on return. False
  /// if there is none.
  SOFTTRICKS_FN bool run(int* head) {
    const int n = choice_.heads;
    for (int i = 0; i < stride_; ++i) group_[i] = i;
    for (int i = 0; i < n; ++i) {
      node_[i] = i;
      state_[i] = i == choice_.root ? finished : untouched;
      loaded_[i] = 0;
      from_[i] = head[i];
      entered_[i] = i;
      parent_[i] = -1;
    }
    nodes_ = n;
    for (int start = 0; start < n; ++start) {
      if (state_[group_[start]] == untouched && !walk(group_[start])) return false;
    }
    expand(head);
    return true;
  }

 private:
  enum State { untouched, on_path, finished };

  /// Follows heads until a finished vertex is met, contracting the cycles on the way.
  SOFTTRICKS_FN bool walk(int vertex) {
    int length = 0;
    for (;;) {
      state_[vertex] = on_path;
      path_[length++] = vertex;
      int next = group_[from_[node_[vertex]]];
      while (state_[next] == on_path) {
        length = contract(next, length);
        const int i = best_of(next);
        if (i < 0) return false;
        from_[node_[next]] = i;
        entered_[node_[next]] = into_(next, i);
        next = group_[i];
      }
      if (state_[next] == finished) break;
      vertex = next;
    }
    for (int k = 0; k < length; ++k) state_[path_[k]] = finished;
    return true;
  }

  SOFTTRICKS_FN Column column(int vertex) const {
    return {value_.row(vertex), level_.row(vertex), fine_.row(vertex), into_.row(vertex)};
  }

  /// The arcs into an original vertex.
  SOFTTRICKS_FN void load(int j) {
    if (loaded_[j]) return;
    loaded_[j] = 1;
    const Column c = column(j);
    constexpr double inf = infinity<double>;
    team_.each(stride_, [&](int i) {
      const double u = i < choice_.heads && i != j ? double(utility_(i, j)) : -inf;
      if constexpr (levels) {
        c.level[i] = u == inf ? 1 : u == -inf ? -inf : 0;
        c.value[i] = u == inf || u == -inf ? 0 : u;
        if constexpr (fines) {
          const bool small = u < huge && u > -huge;
          c.fine[i] = small ? u : 0;
          c.value[i] = small ? 0 : c.value[i];
        }
      } else {
        c.value[i] = u;
      }
      c.into[i] = j;
    });
  }

  /// The head of the best arc into a vertex, -1 if there is none. From a shy root only where there
  /// is no other: arcs of cycles never come from the root, so that its count is the same for all
  /// its arcs into a vertex.
  SOFTTRICKS_FN int best_of(int vertex) const {
    const Column c = column(vertex);
    constexpr double none = -infinity<double>;
    const int skip = choice_.shy ? choice_.root : -1;
    const auto last = [&](int i) { return fines ? c.fine[i] : c.value[i]; };
    int best = 0;
    bool found = true;
    if constexpr (levels) {
      const double top = team_.template maximum<double>(
          0, stride_, none, [&](int i) { return i == skip ? none : c.level[i]; });
      const double most = !fines ? 0 : team_.template maximum<double>(0, stride_, none, [&](int i) {
        return i != skip && c.level[i] == top ? c.value[i] : none;
      });
      best = team_.template argmax<double>(0, stride_, [&](int i) {
        const bool first = i != skip && c.level[i] == top && (!fines || c.value[i] == most);
        return first ? last(i) : none;
      });
      found = top > none;
    } else {
      best = team_.template argmax<double>(0, stride_,
                                           [&](int i) { return i == skip ? none : c.value[i]; });
      found = best != skip && c.value[best] > none;
    }
    if (found) return best;
    const bool from_root = skip >= 0 && (levels ? c.level[skip] : c.value[skip]) > none;
    return from_root ? skip : -1;
  }

  /// Makes one vertex, under the name `last`, of the path's end from `last` on. Returns the length
  /// of the path that is left, the new vertex at its end.
  SOFTTRICKS_FN int contract(int last, int length) {
    const int made = nodes_++;
    int first = length;
    do {
      const int member = path_[--first];
      load(member);
      count_from_own_arc(member);
      parent_[node_[member]] = made;
    } while (path_[first] != last);
    for (int k = first + 1; k < length; ++k) merge(last, path_[k]);
    const Column c = column(last);
    team_.each(stride_, [&](int i) {
      const bool inside = group_[i] == last;
      c.value[i] = inside ? -infinity<double> : c.value[i];
      if constexpr (levels) c.level[i] = inside ? -infinity<double> : c.level[i];
    });
    node_[last] = made;
    parent_[made] = -1;
    return first + 1;
  }

  /// Arcs are worth what they gain over the one taken.
  SOFTTRICKS_FN void count_from_own_arc(int vertex) {
    const Column c = column(vertex);
    const int taken = from_[node_[vertex]];
    const double value = c.value[taken];
    const double level = levels ? c.level[taken] : 0, fine = fines ? c.fine[taken] : 0;
    team_.each(stride_, [&](int i) {
      c.value[i] -= value;
      if constexpr (levels) c.level[i] -= level;
      if constexpr (fines) c.fine[i] -= fine;
    });
  }

  /// Arcs into `other` become arcs into `vertex`; of two from one head, the better stays.
  SOFTTRICKS_FN void merge(int vertex, int other) {
    const Column to = column(vertex), from = column(other);
    team_.each(stride_, [&](int i) {
      bool better = from.value[i] > to.value[i];
      if constexpr (fines) {
        better = better || (from.value[i] == to.value[i] && from.fine[i] > to.fine[i]);
      }
      if constexpr (levels) {
        better = from.level[i] > to.level[i] || (from.level[i] == to.level[i] && better);
        to.level[i] = better ? from.level[i] : to.level[i];
      }
      if constexpr (fines) to.fine[i] = better ? from.fine[i] : to.fine[i];
      to.value[i] = better ? from.value[i] : to.value[i];
      to.into[i] = better ? from.into[i] : to.into[i];
      group_[i] = group_[i] == other ? vertex : group_[i];
    });
  }

  /// From the last cycle made to the original vertices: the arc into a cycle replaces that of the
  /// member it enters, down to the modifier.
  SOFTTRICKS_FN void expand(int* head) {
    for (int k = 0; k < nodes_; ++k) replaced_[k] = k == choice_.root;
    for (int k = nodes_ - 1; k >= 0; --k) {
      if (replaced_[k]) continue;
      head[entered_[k]] = from_[k];
      for (int inner = entered_[k]; inner != k; inner = parent_[inner]) replaced_[inner] = 1;
    }
  }

  const Team& team_;
  const HeadChoice choice_;
  const Utility utility_;
  const int stride_;
  Matrix<double> value_, level_, fine_;
  Matrix<int> into_;
  // Of nodes: original vertices, then cycles as they were made.
  int *parent_, *from_, *entered_, *replaced_;
  // Of vertices as they stand, under the name of one of their original vertices.
  int *node_, *state_, *path_, *loaded_;
  int* group_;  // of original vertices: what they are part of now
  int nodes_ = 0;
};

}  // namespace best_heads

/// Improves head[j], the best head of each modifier alone, to the best arborescence's. False if
/// there is none. utility(i, j) is the utility of the arc from i to j != i. With 2 parts, some may
/// be +inf; with 3, finite ones may be of two sizes.
template <int parts, class Team, class Utility>
SOFTTRICKS_SOLVER bool improve_to_best_heads(const Team& team, const HeadChoice& choice,
                                             Utility utility, int* head, Scratch scratch) {
  return best_heads::Contraction<parts, Team, Utility>(team, choice, utility, scratch).run(head);
}

/// Fills in head[j] of the best arborescence for all modifiers j < modifiers but the root; with a
/// shy root, one with exactly one arc from it. False if there is none. row(i)[j] is the utility of
/// the arc from i < modifiers to j; that of the arc from the root to j is from_root(j). head:
/// [choice.heads].
template <class T, class Team, class Row, class FromRoot>
SOFTTRICKS_FN bool choose_best_heads(const Team& team, const HeadChoice& choice, int modifiers,
                                     Row row, FromRoot from_root, int* head, Scratch scratch) {
  if (choice.root >= choice.heads) return false;
  T* const best = scratch.take<T>(choice.heads);
  T* const largest = scratch.take<T>(choice.heads);  // of finite sizes
  T* const middle = scratch.take<T>(choice.heads);   // of those below huge
  const auto note_size = [=](T u, int j) {
    const T size = abs(u) < infinity<T> ? abs(u) : T(0);
    largest[j] = max(largest[j], size);
    middle[j] = max(middle[j], size < T(best_heads::huge) ? size : T(0));
  };
  team.each(choice.heads, [&](int j) {
    best[j] = -infinity<T>;
    largest[j] = middle[j] = T(0);
    head[j] = -1;
  });
  for (int i = 0; i < modifiers; ++i) {
    if (i == choice.root) continue;
    const T* const here = row(i);
    team.each(modifiers, [&](int j) {
      const bool better = (here[j] > best[j]) & (i != j);
      note_size(i != j ? here[j] : T(0), j);
      best[j] = better ? here[j] : best[j];
      head[j] = better ? i : head[j];
    });
  }
  // From a shy root only where there is no other head.
  bool levels = false, complete = true, split = false, apart = true;
  for (int j = 0; j < modifiers; ++j) {
    if (j == choice.root) continue;
    const T first = from_root(j);
    note_size(first, j);
    split = split || largest[j] >= T(best_heads::huge);
    apart = apart && middle[j] <= T(best_heads::middling);
    if (head[j] < 0 ? first > -infinity<T> : !choice.shy && first >= best[j]) {
      best[j] = first;
      head[j] = choice.root;
    }
    complete = complete && head[j] >= 0;
    levels = levels || best[j] == infinity<T> || first == infinity<T>;
  }
  if (!complete) return false;
  const auto utility = [=](int i, int j) { return i == choice.root ? from_root(j) : row(i)[j]; };
  const bool found = split && apart ? improve_to_best_heads<3>(team, choice, utility, head, scratch)
                     : levels       ? improve_to_best_heads<2>(team, choice, utility, head, scratch)
                              : improve_to_best_heads<1>(team, choice, utility, head, scratch);
  int children = 0;
  for (int j = 0; j < modifiers; ++j) children += j != choice.root && head[j] == choice.root;
  return found && (!choice.shy || children == 1);
}

/// Bytes of scratch that `choose_best_heads` takes.
constexpr std::size_t best_heads_scratch(int heads) {
  const std::size_t n = static_cast<std::size_t>(heads), stride = (n + 15) / 16 * 16;
  return n * stride * (3 * sizeof(double) + sizeof(int)) + 16 * sizeof(double) * stride +
         16 * Scratch::alignment;
}

}  // namespace softtricks
