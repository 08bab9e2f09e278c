#pragma once
/// The spanning tree of largest sum of utilities in the complete graph, edges (i, j), i < j,
/// row-major; vertices 0 .. length-1 of `nodes`. NaN where -inf utilities leave none.
///
/// Method   The tree grows by the best edge out of it [Prim 1957]; on plain numbers, and on packs,
/// where
///          control flow may not depend on the data.
/// Cost     O(n^2) time and scratch; a pack O(n^3), all of it shared by its instances.
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/star_mesh.hpp"

namespace softtricks {

template <Plain T, class Team>
SOFTTRICKS_SOLVER void best_tree(const Team& team, Vector<const T> utility, int nodes, T length,
                                 Vector<T> x, Scratch scratch) {
  const int n = static_cast<int>(length), stride = (n + 15) / 16 * 16;
  const Matrix<T> full{scratch.take<T>(stride * n), stride};
  T* const key = scratch.take<T>(stride);
  int* const parent = scratch.take<int>(stride);
  int* const closed = scratch.take<int>(stride);
  team.each(n, [&](int i) {
    for (int j = 0; j < stride; ++j) full(i, j) = -infinity<T>;
  });
  team.each(n, [&](int i) {
    const T* const row = utility.data + PairWeights<T>::index(nodes, i, i + 1);
    for (int j = i + 1; j < n; ++j) full(i, j) = full(j, i) = row[j - i - 1];
  });
  team.each(stride, [&](int j) {
    key[j] = full(0, j);
    parent[j] = 0;
    closed[j] = j == 0 || j >= n;
  });
  team.each(utility.size, [&](int e) { x[e] = T(0); });
  bool connected = true;
  for (int step = 1; step < n; ++step) {
    const int v = team.template argmax<T>(0, stride,
                                          [&](int j) { return closed[j] ? -infinity<T> : key[j]; });
    if (closed[v] || key[v] == -infinity<T>) {
      connected = false;
      break;
    }
    const int p = parent[v];
    team.once([&] {
      x[PairWeights<T>::index(nodes, p < v ? p : v, p < v ? v : p)] = T(1);
      closed[v] = 1;
    });
    const T* const row = full.row(v);
    team.each(stride, [&](int j) {
      const bool better = row[j] > key[j];
      key[j] = better ? row[j] : key[j];
      parent[j] = better ? v : parent[j];
    });
  }
  if (!connected) team.each(utility.size, [&](int e) { x[e] = not_a_number<T>; });
}

/// The edges of the vertex that joined are picked out by comparison.
template <class T, class Team>
requires(Lanes<T>::count > 1) SOFTTRICKS_SOLVER
    void best_tree(const Team&, Vector<const T> utility, int nodes, T length, Vector<T> x,
                   Scratch scratch) {
  T* const key = scratch.take<T>(nodes);      // best utility into the tree; -inf once inside
  T* const parent = scratch.take<T>(nodes);   // the tree vertex it leads to; -1: none yet
  T* const barrier = scratch.take<T>(nodes);  // 0, or -inf once inside
  T* const edge_in = scratch.take<T>(nodes);  // utility of the edge to the vertex that joined
  const auto number = [](int v) { return T(static_cast<ScalarOf<T>>(v)); };
  const T none(-infinity<T>);
  for (int v = 0; v < nodes; ++v) {
    key[v] = edge_in[v] = none;
    parent[v] = T(-1);
    barrier[v] = T(0);
  }
  T joins(0), spoil(0);
  for (int step = 1; step < nodes; ++step) {
    for (int v = 0; v < nodes; ++v) {
      const MaskOf<T> here = joins == number(v);
      barrier[v] = select(here, none, barrier[v]);
      key[v] = select(here, none, key[v]);
    }
    for (int i = 0, e = 0; i < nodes; ++i) {
      const MaskOf<T> from_i = joins == number(i);
      for (int j = i + 1; j < nodes; ++j, ++e) {
        edge_in[j] = select(from_i, utility[e], edge_in[j]);
        edge_in[i] = select(joins == number(j), utility[e], edge_in[i]);
      }
    }
    T best = none, next(-1);
    for (int v = 1; v < nodes; ++v) {
      const MaskOf<T> closer = edge_in[v] + barrier[v] > key[v];
      key[v] = select(closer, edge_in[v], key[v]);
      parent[v] = select(closer, joins, parent[v]);
      next = select(key[v] > best, number(v), next);
      best = max(best, key[v]);
    }
    joins = next;
    spoil = select((number(step) < length) & (joins < T(0)), T(not_a_number<T>), spoil);
  }
  for (int i = 0, e = 0; i < nodes; ++i) {
    for (int j = i + 1; j < nodes; ++j, ++e) {
      const MaskOf<T> chosen = (parent[j] == number(i)) | (parent[i] == number(j));
      x[e] = select(chosen, T(1), T(0)) + spoil;
    }
  }
}

}  // namespace softtricks
