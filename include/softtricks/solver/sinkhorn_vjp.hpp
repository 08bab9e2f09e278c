#pragma once
/// The vector-Jacobian product of Sinkhorn scaling at its result x, without the iterations; and of
/// what else balances rows and columns.
///
/// Problem  x_ij = f(u_ij - a_i - b_j) with fixed row and column sums changes by
///          dx_ij = s_ij (du_ij - da_i - db_j), s_ij the slope of f, where da and db keep the sums.
///          For f = exp, s = x; for Euclidean projection, f = max(0, .), s is 1 on the support. The
///          Jacobian is symmetric, so the same with du = g is the product:
///          out_ij = s_ij (g_ij - a_i + y_j), a and y the potentials of a bipartite graph of
///          conductances s under the currents that g drives.
/// Method   Rows are eliminated by hand, columns by solver/bipartite_laplacian.hpp.
/// Accuracy g is taken relative to that of each row's largest s, whose own result is minus the
///          sum of the others': near a permutation, where all derivatives are small, nothing
///          cancels. Errors are roundings of the largest of the other entries, times that of g.
/// Cost     2/3 n^3 multiply-adds, 3 n^2 numbers of scratch.
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/bipartite_laplacian.hpp"

namespace softtricks {

template <Plain T, class Team>
class SinkhornVjp {
 public:
  SOFTTRICKS_FN SinkhornVjp(const Team& team, int n, int stride, Scratch& memory)
      : team_(team),
        n_(n),
        stride_(stride),
        soft_{take(memory, n), stride},
        slope_{take(memory, n), stride},
        weight_{take(memory, n), stride},
        current_(take(memory)),
        noise_(take(memory)),
        potential_(take(memory)),
        mean_(take(memory)),
        inverse_(take(memory)),
        pivot_(memory.take<int>(static_cast<std::size_t>(stride))) {}

  /// x (the slopes), g and out: [n, n].
  SOFTTRICKS_SOLVER void solve(const T* x, const T* g, T* out) {
    team_.each(stride_, [&](int j) { current_[j] = noise_[j] = T(0); });
    T spoil(0);  // NaN where x has one
    for (int i = 0; i < n_; ++i) spoil = spoil + read_row(i, x + n_ * i, g + n_ * i);
    join_columns(team_, {soft_.data, stride_}, n_, inverse_, weight_);
    potentials(team_, weight_, n_, current_, noise_, potential_);
    for (int i = 0; i < n_; ++i) write_row(i, spoil - spoil, out + n_ * i);
  }

 private:
  SOFTTRICKS_FN T* take(Scratch& memory, int rows = 1) const {
    return memory.take<T>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride_));
  }

  /// Returns the sum of the row.
  SOFTTRICKS_SOLVER T read_row(int i, const T* x, const T* g) {
    T* const soft = soft_.row(i);
    T* const slope = slope_.row(i);
    const auto itself = []<class V>(const V& v) { return v; };
    const auto product = []<class V>(const V& a, const V& b) { return a * b; };
    team_.each(n_, stride_, [&](int j) { soft[j] = slope[j] = T(0); });
    team_.map(n_, soft, itself, x);
    const int largest =
        team_.template map_leader<T>(n_, [&](const auto& at) { return at.read(soft); }).place;
    const int pivot = largest < 0 ? 0 : largest;
    const auto relative = [middle = g[pivot]]<class V>(const V& v, const V& c) {
      return select(v == V(0), V(0), c - V(middle));
    };
    team_.map(n_, slope, relative, x, g);
    const T sum = team_.template map_sum<T>(stride_, itself, soft);
    const T inverse = sum > T(0) ? T(1) / sum : T(0);
    const T mean = inverse * team_.template map_sum<T>(stride_, product, soft, slope);
    const auto add_current = [=]<class V>(const V& c, const V& v, const V& s) {
      return c - v * (s - V(mean));
    };
    team_.map(stride_, current_, add_current, current_, soft, slope);
    const auto size = []<class V>(const V& v, const V& s) { return v * abs(s); };
    const T sizes = inverse * team_.template map_sum<T>(stride_, size, soft, slope);
    const T rounding = epsilon<T> * max(T(4), sqrt(static_cast<T>(n_)));
    const auto add_noise = [=]<class V>(const V& total, const V& v, const V& s) {
      return total + V(rounding) * v * (abs(s) + V(sizes));
    };
    team_.map(stride_, noise_, add_noise, noise_, soft, slope);
    team_.once([&] {
      pivot_[i] = pivot;
      inverse_[i] = inverse;
      mean_[i] = mean;
    });
    return sum;
  }

  SOFTTRICKS_SOLVER void write_row(int i, T spoil, T* out) const {
    const T* const soft = soft_.row(i);
    const auto itself = []<class V>(const V& v) { return v; };
    const auto product = []<class V>(const V& a, const V& b) { return a * b; };
    const T across = team_.template map_sum<T>(stride_, product, soft, potential_);
    const T own = mean_[i] + inverse_[i] * across;
    const auto flow = [=]<class V>(const V& v, const V& s, const V& y) {
      return v * (s - V(own) + y) + V(spoil);
    };
    team_.map(n_, out, flow, soft, slope_.row(i), potential_);
    const int pivot = pivot_[i];
    team_.once([&] { out[pivot] = T(0); });
    const T others = team_.template map_sum<T>(n_, itself, out);
    team_.once([&] { out[pivot] = spoil - others; });
  }

  const Team& team_;
  const int n_, stride_;
  const Matrix<T> soft_;
  const Matrix<T> slope_;  // cotangent, relative to that of the row's largest entry
  const Matrix<T> weight_;
  T* const current_;
  T* const noise_;  // by how much it may be off
  T* const potential_;
  T* const mean_;     // of the row's slopes
  T* const inverse_;  // of the row's sum
  int* const pivot_;  // the row's largest entry
};

}  // namespace softtricks
