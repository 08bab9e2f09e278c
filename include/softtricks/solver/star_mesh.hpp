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

template <class N>
SOFTTRICKS_FN void copy(const N* source, int stride, int count, N* target) {
  for (int j = 0; j < count; ++j) target[j] = source[static_cast<std::ptrdiff_t>(j) * stride];
}

/// A copy of `graph` with its vertices [first, last) in front and then eliminated.
template <class N, class Team>
SOFTTRICKS_SOLVER Reduced<N> without(const Team& team, const PairWeights<N>& own,
                                     const Reduced<N>& graph, int first, int last,
                                     Scratch& scratch) {
  const int size = graph.size, gone = last - first, after = size - last;
  int* const id = scratch.take<int>(size);
  N* const row = scratch.take<N>(size);
  const Matrix<N> old = graph.mesh, mesh{scratch.take<N>(size * size), size};
  copy(graph.id + first, 1, gone, id);
  copy(graph.id, 1, first, id + gone);
  copy(graph.id + last, 1, after, id + last);
  team.each(gone, [&](int i) {
    const int p = first + i;
    copy(&old(p, p) + 1, 1, gone - i - 1, &mesh(i, i) + 1);
    copy(&old(0, p), old.stride, first, &mesh(i, gone));
    copy(old.row(p) + last, 1, after, mesh.row(i) + last);
  });
  team.each(first, [&](int p) {
    copy(&old(p, p) + 1, 1, first - p - 1, &mesh(gone + p, gone + p) + 1);
    copy(old.row(p) + last, 1, after, mesh.row(gone + p) + last);
  });
  team.each(last, size, [&](int p) { copy(&old(p, p) + 1, 1, size - p - 1, &mesh(p, p) + 1); });
  for (int v = 0; v < gone; ++v) {
    eliminate_front(team, own, Reduced<N>{id + v, {&mesh(v, v), size}, size - v}, row);
  }
  return {id + gone, {&mesh(gone, gone), size}, size - gone};
}

/// Two conductances in series.
template <class N>
SOFTTRICKS_FN N series(const N& a, const N& b) {
  const N sum = a + b;
  return select(is_zero(sum), N(0), a * b * reciprocal(sum));
}

/// Visits (i, k) and (i, l) of three vertices with meshes ik, il, kl.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void across_three(const Team&, const PairWeights<N>& own, int i, int k, int l,
                                    const N& ik, const N& il, const N& kl, Visit& visit) {
  const N between = own(k, l) + kl;
  visit(i, k, ik + series(own(i, l) + il, between));
  visit(i, l, il + series(own(i, k) + ik, between));
}

/// Visits (i, k) and (i, l) of four vertices, i = id[a], k = id[2], l = id[3]; id[b] is eliminated.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void across_four(const Team& team, const PairWeights<N>& own,
                                   const Reduced<N>& graph, int a, int b, Visit& visit) {
  const int i = graph.id[a], j = graph.id[b], k = graph.id[2], l = graph.id[3];
  const Matrix<N> mesh = graph.mesh;
  const N to_i = own(i, j) + mesh(0, 1), to_k = own(j, k) + mesh(b, 2),
          to_l = own(j, l) + mesh(b, 3);
  const N degree = to_i + to_k + to_l;
  const N inverse = select(is_zero(degree), N(0), reciprocal(degree));
  const N share = to_i * inverse;
  across_three(team, own, i, k, l, mul_add(share, to_k, mesh(a, 2)),
               mul_add(share, to_l, mesh(a, 3)), mul_add(to_k * inverse, to_l, mesh(2, 3)), visit);
}

/// Visits the pairs between the first `left` vertices of `graph` and the others.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void across(const Team& team, const PairWeights<N>& own, const Reduced<N>& graph,
                              int left, Scratch scratch, Visit& visit) {
  const int size = graph.size, right = size - left;
  const int* const id = graph.id;
  const Matrix<N> mesh = graph.mesh;
  // The recursion's last steps, written out: most of its calls are these.
  if (size == 2) return visit(id[0], id[1], mesh(0, 1));
  if (size == 3 && left == 1) {
    return across_three(team, own, id[0], id[1], id[2], mesh(0, 1), mesh(0, 2), mesh(1, 2), visit);
  }
  if (size == 3) {
    return across_three(team, own, id[2], id[0], id[1], mesh(0, 2), mesh(1, 2), mesh(0, 1), visit);
  }
  if (size == 4 && left == 2) {
    across_four(team, own, graph, 0, 1, visit);
    across_four(team, own, graph, 1, 0, visit);
    return;
  }
  const Scratch frame = scratch;
  const bool halve_left = left >= right;
  const int begin = halve_left ? 0 : left, end = halve_left ? left : size;
  const int middle = begin + (end - begin) / 2;
  across(team, own, without(team, own, graph, middle, end, scratch), halve_left ? middle : left,
         scratch, visit);
  scratch = frame;
  across(team, own, without(team, own, graph, begin, middle, scratch),
         halve_left ? left - middle : left, scratch, visit);
}

/// Visits the pairs among the vertices of `graph`.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void within(const Team& team, const PairWeights<N>& own, const Reduced<N>& graph,
                              Scratch scratch, Visit& visit) {
  if (graph.size < 2) return;
  const int half = graph.size / 2;
  const Scratch frame = scratch;
  if (half >= 2) {
    within(team, own, without(team, own, graph, half, graph.size, scratch), scratch, visit);
    scratch = frame;
  }
  if (graph.size - half >= 2) {
    within(team, own, without(team, own, graph, 0, half, scratch), scratch, visit);
    scratch = frame;
  }
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
