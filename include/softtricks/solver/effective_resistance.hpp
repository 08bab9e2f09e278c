#pragma once
/// Effective resistances between all pairs of vertices of a weighted complete graph.
///
/// Method   Star-mesh elimination of the vertices n-1, ..., 1 (see star_mesh.hpp), then back: with
///          f_k = w_vk / d_v for the weights w_vk of vertex v when it was eliminated,
///          R_vj = 1 / d_v + h_j - (1/2) sum_k f_k h_k, h_j = sum_k f_k R_jk.
///          The one subtraction is harmless for w_vj R_vj: its error stays below rounding / d_v. It
///          does cost 1 - w R its relative accuracy; for_each_pair keeps that, at several times the
///          work.
/// Cost     n^3 / 2 multiply-adds, 2 n^2 numbers of scratch.
#include "softtricks/base/math.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Lower triangle of weights as they stand when each vertex goes: on entry weight(i, j), j < i, is
/// the graph; on return weight(v, k) is f_k and inverse_degree[v] = 1 / d_v (0 for isolated
/// vertices).
template <class N, class Team>
SOFTTRICKS_SOLVER void eliminate_all(const Team& team, Matrix<N> weight, int vertices,
                                     N* inverse_degree) {
  for (int v = vertices - 1; v > 0; --v) {
    N* const row = weight.row(v);
    const N degree = team.sum(0, v, N(0), [&](int k) { return row[k]; });
    const N inverse = select(is_zero(degree), N(0), reciprocal(degree));
    team.each(1, v, [&](int i) {
      const N share = row[i] * inverse;
      N* const target = weight.row(i);
      for (int j = 0; j < i; ++j) target[j] = mul_add(share, row[j], target[j]);
    });
    team.each(v, [&](int k) { row[k] = row[k] * inverse; });
    team.once([&] { inverse_degree[v] = inverse; });
  }
}

/// Fills `resistance`, full and symmetric, from what eliminate_all left. h: [vertices] numbers.
template <class N, class Team>
SOFTTRICKS_SOLVER void resistances(const Team& team, Matrix<N> share, const N* inverse_degree,
                                   int vertices, Matrix<N> resistance, N* h) {
  const N half(0.5);
  team.once([&] { resistance(0, 0) = N(0); });
  for (int v = 1; v < vertices; ++v) {
    const N* const f = share.row(v);
    // Four rows at a time: h is then loaded and stored once for four multiply-adds.
    team.each(v, [&](int j) { h[j] = N(0); });
    int k = 0;
    for (; k + 4 <= v; k += 4) {
      const N f0 = f[k], f1 = f[k + 1], f2 = f[k + 2], f3 = f[k + 3];
      const N *r0 = resistance.row(k), *r1 = resistance.row(k + 1);
      const N *r2 = resistance.row(k + 2), *r3 = resistance.row(k + 3);
      team.each(v, [&](int j) {
        h[j] = mul_add(f3, r3[j], mul_add(f2, r2[j], mul_add(f1, r1[j], mul_add(f0, r0[j], h[j]))));
      });
    }
    for (; k < v; ++k) {
      const N fk = f[k];
      const N* const row = resistance.row(k);
      team.each(v, [&](int j) { h[j] = mul_add(fk, row[j], h[j]); });
    }
    const N mean = half * team.sum(0, v, N(0), [&](int j) { return f[j] * h[j]; });
    const N offset = inverse_degree[v] - mean;
    N* const row = resistance.row(v);
    team.each(v, [&](int j) { row[j] = h[j] + offset; });
    team.each(v, [&](int j) { resistance(j, v) = row[j]; });
    team.once([&] { row[v] = N(0); });
  }
}

}  // namespace softtricks
