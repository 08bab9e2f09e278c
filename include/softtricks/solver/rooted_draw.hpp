#pragma once
/// An exact draw of an arborescence from what eliminate_rooted left.
///
/// Method   Vertices come back one after another, the last eliminated first, into a tree drawn for
///          the graph without them. An arc (i, j) of that graph weighs its own weight plus what
///          each vertex u, still to come, has left: f_i w_uj. One of these is drawn for every arc
///          that enters the tree: `via`. When u comes, the arcs drawn via u are cut: their
///          modifiers become children of u, and u's head is drawn by the shares f among the
///          vertices that still hang at the root. (Sum over the cut modifiers' heads of the product
///          of shares, no cycle = sum of the shares of the vertices still at the root.)
/// Accuracy Chances are quotients of sums of positive numbers; what has chance 0 is not drawn.
/// Cost     O(n^2) after the elimination, plus O(n) for every arc that is cut.
#include "softtricks/base/random.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/base/wide.hpp"

namespace softtricks {

/// What eliminate_rooted left, and the weights it began with.
template <class N>
struct RootedGraph {
  Matrix<N> own;
  Matrix<N> left;
  int vertices;
  bool light_root;
};

namespace rooted_draw {

/// The place in [0, count) drawn with chances proportional to term(k); `count` if all are 0.
template <class N, class T, class Term>
SOFTTRICKS_FN int pick(int count, Stream<T>& random, Term term) {
  N total(0);
  for (int k = 0; k < count; ++k) total = total + term(k);
  if (is_zero(total)) return count;
  const N inverse = reciprocal(total);
  const T target = random.next().below;
  T sum(0);
  int last = count;
  for (int k = 0; k < count; ++k) {
    const T chance = narrow(term(k) * inverse);
    if (!(chance > T(0))) continue;
    last = k;
    sum = sum + chance;
    if (sum > target) break;
  }
  return last;
}

/// Why arc (i, j) has weight when the vertices above `level` are gone: 0 for its own weight, or the
/// vertex through which it goes.
template <class N, class T>
SOFTTRICKS_FN int origin(const RootedGraph<N>& graph, int i, int j, int level, Stream<T>& random) {
  const int to_come = graph.vertices - 1 - level;
  if (to_come == 0) return 0;
  const int k = pick<N>(to_come + 1, random, [&](int term) {
    const int u = level + term;
    return term == 0 ? graph.own(i, j) : graph.left(i, u) * graph.left(u, j);
  });
  return k == 0 || k > to_come ? 0 : level + k;
}

/// hangs[j] for j < v: is j still reached from the root when the arcs via v are cut?
SOFTTRICKS_FN void find_hanging(int v, const int* head, const int* via, int* hangs) {
  constexpr int unknown = 2;
  hangs[0] = 1;
  for (int j = 1; j < v; ++j) hangs[j] = head[j] < 0 || via[j] == v ? 0 : unknown;
  for (int j = 1; j < v; ++j) {
    int k = j;
    while (hangs[k] == unknown) k = head[k];
    const int known = hangs[k];
    for (k = j; hangs[k] == unknown; k = head[k]) hangs[k] = known;
  }
}

}  // namespace rooted_draw

/// Fills head[1..vertices) with a draw. Vertices whose head is below 0 on entry are not there;
/// others hold anything else. False where no arborescence has weight.
/// via, hangs: [vertices] integers of scratch.
template <class N, class T>
SOFTTRICKS_FN bool draw_heads(const RootedGraph<N>& graph, Stream<T>& random, int* head, int* via,
                              int* hangs) {
  using rooted_draw::origin;
  for (int v = 1; v < graph.vertices; ++v) {
    if (head[v] < 0) continue;
    rooted_draw::find_hanging(v, head, via, hangs);
    const bool skip_root = graph.light_root && v > 1;
    const auto share = [&](int i) { return hangs[i] ? graph.left(i, v) : N(0); };
    int chosen = rooted_draw::pick<N>(v, random,
                                      [&](int i) { return skip_root && i == 0 ? N(0) : share(i); });
    if (chosen == v) chosen = 0;  // nothing else hangs at a light root
    if (is_zero(graph.left(chosen, v))) return false;
    for (int j = 1; j < v; ++j) {
      if (head[j] < 0 || via[j] != v) continue;
      head[j] = v;
      via[j] = origin(graph, v, j, v, random);
    }
    head[v] = chosen;
    via[v] = origin(graph, chosen, v, v, random);
  }
  return true;
}

}  // namespace softtricks
