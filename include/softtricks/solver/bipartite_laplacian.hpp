#pragma once
/// Potentials of a weighted bipartite graph of n rows and n columns under given currents.
///
/// Problem  Conductances x_ij >= 0 between row i and column j. `join_columns` removes the rows: it
///          leaves w_jk = sum_i x_ij x_ik / r_i between columns, r_i = sum_j x_ij. `potentials`
///          solves sum_k w_jk (y_j - y_k) = c_j by star-mesh elimination: removing vertex v adds
///          w_vj w_vk / d_v to w_jk and c_v w_vj / d_v to c_j [Kirchhoff 1847; Kennelly 1899].
/// Accuracy The diagonal is never formed and nothing is subtracted: each number that elimination
///          makes of the weights has full relative accuracy, however nearly the graph falls apart.
///          Where it does fall apart, the last vertex of each part has potential 0.
/// Cost     n^3 / 2 + n^3 / 6 multiply-adds.
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Where the row of an upper triangle that starts at entry j is read from, by whole registers.
SOFTTRICKS_FN int block_start(int j) { return j / 16 * 16; }

/// weight(j, k) = sum_i x_ij x_ik inverse_i for j < k. x: [n, stride], stride a multiple of 16, 0
/// in the columns from n on. Four rows at a time, so that sums stay in registers.
template <Plain T, class Team>
SOFTTRICKS_SOLVER void join_columns(const Team& team, Matrix<const T> x, int n, const T* inverse,
                                    Matrix<T> weight) {
  const int stride = x.stride;
  team.each(n * stride, [&](int e) { weight.data[e] = T(0); });
  const auto add = [&](int i, auto... more) {
    for (int j = 0; j + 1 < n; ++j) {
      const int start = block_start(j + 1);
      T* const target = weight.row(j) + start;
      const T share[] = {x(i, j) * inverse[i], x(more, j) * inverse[more]...};
      T most = T(0);
      for (const T s : share) most = max(most, s);
      if (most == T(0)) continue;
      const auto sum = [&]<class V, class... Others>(const V& w, const V& first,
                                                     const Others&... others) {
        V total = mul_add(V(share[0]), first, w);
        int p = 0;
        ((total = mul_add(V(share[++p]), others, total)), ...);
        return total;
      };
      team.map(stride - start, target, sum, static_cast<const T*>(target), x.row(i) + start,
               (x.row(more) + start)...);
    }
  };
  int i = 0;
  for (; i + 4 <= n; i += 4) add(i, i + 1, i + 2, i + 3);
  for (; i < n; ++i) add(i);
}

/// potential_j for the current_j into vertex j, known up to noise_j. A vertex passes on what comes
/// to it; where that may be noise alone, as between parts of the graph that hardly hang together,
/// it counts for nothing: through a tiny conductance it would drive huge potentials. Parts joined
/// by less than `least` count as apart. weight (its upper triangle counts), current and noise,
/// [stride], are used up; these two must be 0 from n on.
template <Plain T, class Team>
SOFTTRICKS_SOLVER void potentials(const Team& team, Matrix<T> weight, int n, T* current, T* noise,
                                  T* potential, T least = std::numeric_limits<T>::min()) {
  const int stride = weight.stride;
  const auto itself = []<class V>(const V& v) { return v; };
  for (int v = 0; v < n; ++v) {
    const int start = block_start(v), count = stride - start;
    T* const row = weight.row(v) + start;
    team.each(start, v + 1, [&](int j) { weight(v, j) = T(0); });
    const T degree = team.template map_sum<T>(count, itself, row);
    const T inverse = degree < least ? T(0) : T(1) / degree;
    const T doubt = noise[v], passed = abs(current[v]) > doubt ? current[v] : T(0);
    team.map(
        count, row, [=]<class V>(const V& w) { return w * V(inverse); }, row);
    const auto add = [](T from) {
      return [from]<class V>(const V& sum, const V& share) { return mul_add(V(from), share, sum); };
    };
    team.map(count, current + start, add(passed), current + start, row);
    team.map(count, noise + start, add(doubt), noise + start, row);
    for (int j = v + 1; j < n; ++j) {
      const T along = weight(v, j) * degree;
      if (along == T(0)) continue;
      const int first = block_start(j + 1);
      const auto mesh = [=]<class V>(const V& w, const V& share) {
        return mul_add(V(along), share, w);
      };
      team.map(stride - first, weight.row(j) + first, mesh, weight.row(j) + first,
               weight.row(v) + first);
    }
    team.once([&] { potential[v] = passed * inverse; });
  }
  team.each(n, stride, [&](int j) { potential[j] = T(0); });
  for (int v = n - 1; v >= 0; --v) {
    const int start = block_start(v);
    const auto product = []<class V>(const V& share, const V& y) { return share * y; };
    const T others =
        team.template map_sum<T>(stride - start, product, weight.row(v) + start, potential + start);
    team.once([&] { potential[v] = potential[v] + others; });
  }
}

}  // namespace softtricks
