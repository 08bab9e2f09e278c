#pragma once
/// Elimination of vertices from a weighted directed graph with a root, and from it the sum over
/// arborescences, the rate of every arc, and exact draws (see rooted_draw.hpp).
///
/// Problem  Weights w_ij >= 0 of arcs from head i to modifier j, vertex 0 the root. Every other
///          vertex has one head, and all are reached from the root.
/// Method   The Laplacian's Schur complement, with diagonals taken as sums of what is left
///          [Tutte 1948; Grassmann, Taksar, Heyman 1985]: vertex v, d_v = sum_i w_iv, goes and
///          leaves w_ij += f_i w_vj, f_i = w_iv / d_v. The sum over arborescences is the product
///          of the d_v. Sums, products and quotients of positive numbers only.
/// Light root  Where exactly one arc may leave the root, its arcs are taken as infinitely light:
///          they stay out of d_v, but for the last vertex, whose only arc is from the root.
/// Cost     n^3 / 3 multiply-adds; the rates take 2 n^3 / 3 more.
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Eliminates the vertices vertices-1, ..., 1. On return weight(v, j), j < v, is the weight when v
/// went, weight(i, v), i < v, the share f_i, and degree[v] = d_v. A vertex without arcs into it has
/// degree 0 and leaves nothing.
template <class N, class Team>
SOFTTRICKS_SOLVER void eliminate_rooted(const Team& team, Matrix<N> weight, int vertices,
                                        bool light_root, N* degree) {
  for (int v = vertices - 1; v > 0; --v) {
    const int first = light_root && v > 1 ? 1 : 0;
    const N sum = team.sum(first, v, N(0), [&](int i) { return weight(i, v); });
    const N inverse = select(is_zero(sum), N(0), reciprocal(sum));
    const N* const out = weight.row(v);
    team.each(v, [&](int i) {
      N* const target = weight.row(i);
      const N share = target[v] * inverse;
      target[v] = share;
      // The diagonal fills with numbers that nobody reads.
      for (int j = 1; j < v; ++j) target[j] = mul_add(share, out[j], target[j]);
    });
    team.once([&] { degree[v] = sum; });
  }
}

namespace rooted {

/// from_v[j] += sum_i share[i] rate(i, j) and along[i] = sum_j rate(i, j) out[j], for `count` rows
/// from row i and all 1 <= j < v: every rate is read once for both.
template <int count, class N>
SOFTTRICKS_FN void both_products(Matrix<N> rate, int i, int v, const N* share, const N* out,
                                 N* from_v, N* along) {
  const N* row[count];
  N sum[count], part[count];
  for (int r = 0; r < count; ++r) {
    row[r] = rate.row(i + r);
    part[r] = share[i + r];
    sum[r] = N(0);
  }
  for (int j = 1; j < v; ++j) {
    N total = from_v[j];
    const N o = out[j];
    for (int r = 0; r < count; ++r) {
      const N here = row[r][j];
      total = mul_add(part[r], here, total);
      sum[r] = mul_add(here, o, sum[r]);
    }
    from_v[j] = total;
  }
  for (int r = 0; r < count; ++r) along[i + r] = sum[r];
}

}  // namespace rooted

/// The rates g_ij = d log(sum over arborescences) / d w_ij of all arcs, in place of what
/// eliminate_rooted left; 0 on the diagonal. By the chain rule, from the last vertex eliminated to
/// the first: with g of the graph without v and h_i = sum_j g_ij w_vj,
///   g_vj = sum_i f_i g_ij,   g_iv = (1 + h_i - sum_k f_k h_k) / d_v,
/// without the 1 for a light root. The one subtraction costs w_ij g_ij, the chance of the arc, a
/// few roundings of absolute accuracy: f_i h_i and f_k h_k are at most the number of children.
/// memory: [3 * vertices] numbers.
template <class N, class Team>
SOFTTRICKS_SOLVER void arc_rates(const Team& team, Matrix<N> weight, int vertices, bool light_root,
                                 const N* degree, N* memory) {
  N *const share = memory, *const out = memory + vertices, *const along = out + vertices;
  team.once([&] { weight(0, 0) = N(0); });
  for (int v = 1; v < vertices; ++v) {
    N* const from_v = weight.row(v);
    team.each(v, [&](int i) {
      share[i] = weight(i, v);
      out[i] = from_v[i];
      from_v[i] = N(0);
    });
    team.once([&] {
      int i = 0;
      for (; i + 4 <= v; i += 4) {
        rooted::both_products<4>(weight, i, v, share, out, from_v, along);
      }
      for (; i < v; ++i) rooted::both_products<1>(weight, i, v, share, out, from_v, along);
    });
    const N mean = team.sum(0, v, N(0), [&](int i) { return share[i] * along[i]; });
    const N inverse = select(is_zero(degree[v]), N(0), reciprocal(degree[v]));
    const N rest = N(1) - mean;
    team.each(v, [&](int i) { weight(i, v) = inverse * (along[i] + rest); });
    team.once([&] {
      if (light_root && v > 1) weight(0, v) = inverse * along[0];
      from_v[v] = N(0);
    });
  }
}

}  // namespace softtricks
