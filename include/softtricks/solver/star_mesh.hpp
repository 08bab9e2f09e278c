#pragma once
/// Star-mesh elimination on a weighted complete graph, and from it the conductance that joins each
/// pair of vertices through the rest of the graph.
///
/// Problem  Weights w_ij >= 0. Removing vertex v and joining its neighbours by
///          w_ij += w_vi w_vj / d_v, d_v = sum_i w_vi, keeps every effective conductance between
///          the others, and the sum over spanning trees of the product of weights is d_v times that
///          of the smaller graph (Kirchhoff 1847; Kennelly 1899).
/// Method   `eliminate_front` is that step. `for_each_pair` hands out, for every pair (i, j), its
/// own
///          weight and the conductance c_ij of all other paths: halves of the vertex set are
///          eliminated recursively, so that each pair is at last alone with the rest. The recursion
///          is the one Harvey and Xu (2016) use with matrix inverses; here it is subtraction free.
/// Accuracy Only sums, products and quotients of positive numbers: every c_ij has full relative
///          accuracy, whatever the spread of the weights.
/// Cost     About 1.4 n^3 multiply-adds, 4 n^2 numbers of scratch.
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Weights of the pairs i < j of n vertices, row-major in a packed upper triangle.
template <class N>
struct PairWeights {
  N* data;
  int vertices;

  SOFTTRICKS_FN static int index(int vertices, int i, int j) {
    return i * vertices - i * (i + 1) / 2 + (j - i - 1);
  }
  SOFTTRICKS_FN N& operator()(int i, int j) const {
    return i < j ? data[index(vertices, i, j)] : data[index(vertices, j, i)];
  }
};

/// A graph on the vertices id[0..size) out of which others have been eliminated: `mesh`, the upper
/// triangle, holds what these left behind, beside the vertices' own weights.
template <class N>
struct Reduced {
  const int* id;
  Matrix<N> mesh;
  int size;
};

/// Eliminates vertex graph.id[0] from the rest of `graph`; returns its degree d.
/// row: [graph.size] numbers of scratch.
template <class N, class Team>
SOFTTRICKS_SOLVER N eliminate_front(const Team& team, const PairWeights<N>& own,
                                const Reduced<N>& graph, N* row) {
  const int* const id = graph.id;
  const Matrix<N> mesh = graph.mesh;
  team.each(1, graph.size, [&](int j) { row[j] = own(id[0], id[j]) + mesh(0, j); });
  const N degree = team.sum(1, graph.size, N(0), [&](int j) { return row[j]; });
  const N inverse = select(is_zero(degree), N(0), reciprocal(degree));
  team.each(1, graph.size, [&](int i) {
    const N share = row[i] * inverse;
    N* const target = mesh.row(i);
    for (int j = i + 1; j < graph.size; ++j) target[j] = mul_add(share, row[j], target[j]);
  });
  return degree;
}

namespace star_mesh {

/// A copy of `graph` with its vertices [first, last) in front and then eliminated.
template <class N, class Team>
SOFTTRICKS_SOLVER Reduced<N> without(const Team& team, const PairWeights<N>& own,
                                 const Reduced<N>& graph, int first, int last, Scratch& scratch) {
  const int size = graph.size, gone = last - first;
  int* const id = scratch.take<int>(size);
  int* const old = scratch.take<int>(size);
  N* const row = scratch.take<N>(size);
  const Matrix<N> mesh{scratch.take<N>(size * size), size};
  team.each(size, [&](int l) {
    old[l] = l < gone ? first + l : (l < last ? l - gone : l);
    id[l] = graph.id[old[l]];
  });
  team.each(size, [&](int i) {
    const int p = old[i];
    N* const target = mesh.row(i);
    for (int j = i + 1; j < size; ++j) {
      const int q = old[j];
      target[j] = p < q ? graph.mesh(p, q) : graph.mesh(q, p);
    }
  });
  for (int v = 0; v < gone; ++v) {
    eliminate_front(team, own, Reduced<N>{id + v, {&mesh(v, v), size}, size - v}, row);
  }
  return {id + gone, {&mesh(gone, gone), size}, size - gone};
}

/// Visits the pairs between the first `left` vertices of `graph` and the others.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void across(const Team& team, const PairWeights<N>& own,
                                 const Reduced<N>& graph, int left, Scratch scratch, Visit& visit) {
  const int right = graph.size - left;
  if (graph.size == 2) return visit(graph.id[0], graph.id[1], graph.mesh(0, 1));
  const Scratch frame = scratch;
  if (left >= right) {
    const int half = left / 2;
    across(team, own, without(team, own, graph, half, left, scratch), half, scratch, visit);
    scratch = frame;
    across(team, own, without(team, own, graph, 0, half, scratch), left - half, scratch, visit);
  } else {
    const int half = right / 2;
    across(team, own, without(team, own, graph, left + half, graph.size, scratch), left, scratch,
           visit);
    scratch = frame;
    across(team, own, without(team, own, graph, left, left + half, scratch), left, scratch, visit);
  }
}

/// Visits the pairs among the vertices of `graph`.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void within(const Team& team, const PairWeights<N>& own,
                                 const Reduced<N>& graph, Scratch scratch, Visit& visit) {
  if (graph.size < 2) return;
  const int half = graph.size / 2;
  const Scratch frame = scratch;
  within(team, own, without(team, own, graph, half, graph.size, scratch), scratch, visit);
  scratch = frame;
  within(team, own, without(team, own, graph, 0, half, scratch), scratch, visit);
  scratch = frame;
  across(team, own, graph, half, scratch, visit);
}

}  // namespace star_mesh

/// The whole graph on `own.vertices` vertices, nothing eliminated; the last vertex comes first, so
/// that vertex 0 is the last to be eliminated.
template <class N, class Team>
SOFTTRICKS_SOLVER Reduced<N> whole_graph(const Team& team, const PairWeights<N>& own,
                                     Scratch& scratch) {
  const int n = own.vertices;
  int* const id = scratch.take<int>(n);
  const Matrix<N> mesh{scratch.take<N>(n * n), n};
  team.each(n, [&](int i) {
    id[i] = n - 1 - i;
    for (int j = i + 1; j < n; ++j) mesh(i, j) = N(0);
  });
  return {id, mesh, n};
}

/// Calls visit(i, j, c) once for every pair, c the conductance between i and j through the rest of
/// the graph: the graph without the weight own(i, j). visit may change own(i, j); later pairs see
/// the change.
template <class N, class Team, class Visit>
SOFTTRICKS_FN void for_each_pair(const Team& team, const PairWeights<N>& own, Scratch scratch,
                                 Visit visit) {
  const Reduced<N> graph = whole_graph(team, own, scratch);
  star_mesh::within(team, own, graph, scratch, visit);
}

/// Bytes of scratch that `for_each_pair` takes for n vertices.
template <class N>
constexpr std::size_t pair_scratch(int n) {
  const std::size_t m = static_cast<std::size_t>(n);
  return 4 * m * m * sizeof(N) +
         32 * (m * sizeof(N) + m * sizeof(int) * 2 + 4 * Scratch::alignment);
}

}  // namespace softtricks
