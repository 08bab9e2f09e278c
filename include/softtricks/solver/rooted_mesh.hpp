#pragma once
/// Every arc of a weighted directed graph with a root against all that does without it.
///
/// Problem  As in rooted_elimination.hpp. The sum over arborescences is linear in the weight of an
///          arc: w_ij a + b.
/// Method   Halves of the vertex set are eliminated recursively, so that each pair (i, j) is at
///          last alone with the root, as in star_mesh.hpp. Own weights are kept apart from what the
///          eliminated vertices left, so that w_ij enters neither a nor b.
/// Accuracy Only sums, products and quotients of positive numbers: a / b has full relative
///          accuracy, whatever the spread of the weights.
/// Cost     About 2.8 n^3 multiply-adds, 4 n^2 numbers of scratch.
#include "softtricks/base/dual.hpp"
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/base/wide.hpp"

namespace softtricks {

/// A graph on the vertices id[0..size), id[0] = 0 the root, out of which others have been
/// eliminated: `mesh` holds what these left behind, beside the vertices' own weights.
template <class N>
struct RootedMesh {
  const int* id;
  Matrix<N> mesh;
  int size;
  bool light_root;  // see rooted_elimination.hpp
};

namespace rooted_mesh {

/// Eliminates the last vertex of `graph`. into, out: [graph.size] numbers of scratch each.
template <class N, class Team>
SOFTTRICKS_SOLVER void eliminate_last(const Team& team, Matrix<N> own, const RootedMesh<N>& graph,
                                      N* into, N* out) {
  const int v = graph.size - 1;
  const int* const id = graph.id;
  const Matrix<N> mesh = graph.mesh;
  team.each(v, [&](int i) {
    into[i] = own(id[i], id[v]) + mesh(i, v);
    out[i] = own(id[v], id[i]) + mesh(v, i);
  });
  const N degree = team.sum(graph.light_root ? 1 : 0, v, N(0), [&](int i) { return into[i]; });
  const N inverse = select(is_zero(degree), N(0), reciprocal(degree));
  team.each(v, [&](int i) {
    const N share = into[i] * inverse;
    N* const target = mesh.row(i);
    for (int j = 1; j < v; ++j) target[j] = mul_add(share, out[j], target[j]);
  });
}

/// A copy of `graph` with its vertices [first, last) behind the others and then eliminated.
template <class N, class Team>
SOFTTRICKS_SOLVER RootedMesh<N> without(const Team& team, Matrix<N> own, const RootedMesh<N>& graph,
                                        int first, int last, Scratch& scratch) {
  const int size = graph.size, kept = size - (last - first);
  int* const from = scratch.take<int>(size);
  int* const id = scratch.take<int>(size);
  N* const into = scratch.take<N>(size);
  N* const out = scratch.take<N>(size);
  const Matrix<N> mesh{scratch.take<N>(size * size), size};
  team.each(size, [&](int i) {
    from[i] = i < first ? i : i < kept ? i + (last - first) : i - kept + first;
    id[i] = graph.id[from[i]];
  });
  team.each(size, [&](int i) {
    const N* const source = graph.mesh.row(from[i]);
    for (int j = 0; j < size; ++j) mesh(i, j) = source[from[j]];
  });
  for (int left = size; left > kept; --left) {
    eliminate_last(team, own, RootedMesh<N>{id, mesh, left, graph.light_root}, into, out);
  }
  return {id, mesh, kept, graph.light_root};
}

/// Visits both arcs between the two vertices beside the root.
template <class N, class Visit>
SOFTTRICKS_FN void between(Matrix<N> own, const RootedMesh<N>& graph, Visit& visit) {
  const int i = graph.id[1], j = graph.id[2];
  const Matrix<N> mesh = graph.mesh;
  const N to_i = own(0, i) + mesh(0, 1), to_j = own(0, j) + mesh(0, 2);
  const N there = own(i, j) + mesh(1, 2), back = own(j, i) + mesh(2, 1);
  const N both = graph.light_root ? N(0) : to_i * to_j;  // children of the root
  visit(i, j, to_i, both + to_i * mesh(1, 2) + to_j * back);
  visit(j, i, to_j, both + to_j * mesh(2, 1) + to_i * there);
}

/// Visits the arcs between the vertices [1, split) of `graph` and the others.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void across(const Team& team, Matrix<N> own, const RootedMesh<N>& graph,
                              int split, Scratch scratch, Visit& visit) {
  if (graph.size == 3) return between(own, graph, visit);
  const Scratch frame = scratch;
  const bool halve_left = split - 1 >= graph.size - split;
  const int begin = halve_left ? 1 : split, end = halve_left ? split : graph.size;
  const int middle = begin + (end - begin) / 2;
  across(team, own, without(team, own, graph, middle, end, scratch), halve_left ? middle : split,
         scratch, visit);
  scratch = frame;
  across(team, own, without(team, own, graph, begin, middle, scratch),
         halve_left ? split - (middle - begin) : split, scratch, visit);
}

/// Visits the arcs among the vertices of `graph` and from the root to them.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void within(const Team& team, Matrix<N> own, const RootedMesh<N>& graph,
                              Scratch scratch, Visit& visit) {
  if (graph.size < 2) return;
  if (graph.size == 2) return visit(0, graph.id[1], N(1), graph.mesh(0, 1));
  const int split = 1 + (graph.size - 1) / 2;
  const Scratch frame = scratch;
  within(team, own, without(team, own, graph, split, graph.size, scratch), scratch, visit);
  scratch = frame;
  within(team, own, without(team, own, graph, 1, split, scratch), scratch, visit);
  scratch = frame;
  across(team, own, graph, split, scratch, visit);
}

}  // namespace rooted_mesh

/// Calls visit(i, j, a, b) once for every arc: its weight times a is the sum over the
/// arborescences with it, b that over those without, up to a common factor.
template <class N, class Team, class Visit>
SOFTTRICKS_FN void for_each_arc(const Team& team, Matrix<N> own, int vertices, bool light_root,
                                Scratch scratch, Visit visit) {
  int* const id = scratch.take<int>(vertices);
  const Matrix<N> mesh{scratch.take<N>(vertices * vertices), vertices};
  team.each(vertices, [&](int i) {
    id[i] = i;
    for (int j = 0; j < vertices; ++j) mesh(i, j) = N(0);
  });
  rooted_mesh::within(team, own, RootedMesh<N>{id, mesh, vertices, light_root}, scratch, visit);
}

/// How the chance p of an arc, with a and b from for_each_arc, changes where the logarithm of its
/// weight changes at the given rate: p (1 - p) (rate - d log b + d log a), each factor with full
/// relative accuracy.
template <class N, class T>
SOFTTRICKS_FN T change_of_chance(const N& weight, const Dual<N>& a, const Dual<N>& b, T rate) {
  const auto part = [](const N& x, const N& of) {
    return select(is_zero(of), N(0), x * reciprocal(of));
  };
  const N in = weight * a.value, all = in + b.value;
  const T both = min(T(1), narrow(part(in, all))) * min(T(1), narrow(part(b.value, all)));
  const N drift = part(b.tangent, b.value) - part(a.tangent, a.value);
  return select(both > T(0), both * (rate - narrow(drift)), T(0));
}

/// Bytes of scratch that `for_each_arc` takes for n vertices.
template <class N>
constexpr std::size_t arc_scratch(int n) {
  const std::size_t m = static_cast<std::size_t>(n);
  return 4 * m * m * sizeof(N) + 64 * (m * sizeof(N) + m * sizeof(int) + 5 * Scratch::alignment);
}

}  // namespace softtricks
