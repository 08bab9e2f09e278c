#pragma once
/// Scaling a matrix exp(u) to row and column sums 1: x_ij = exp(u_ij - a_i - b_j), the doubly
/// stochastic matrix of largest u.x - sum of x log x.
///
/// Method   Rows and columns in turn [Sinkhorn 1964] while that converges fast; then Newton's
///          method on the convex dual, rows always balanced (the semi-dual), whose
///          Hessian in b is the Laplacian of solver/bipartite_laplacian.hpp. Steps are halved until
///          the columns' error falls, and doubled while that halves it.
/// Range    exp is taken of u_ij - a_i - b_j for anchors a, b that follow the solution [stabilised
///          scaling: Schmitzer 2019], the difference exact, and x is that times the scales of row
///          and column: precision does not depend on the size of utilities. Utilities spread
///          far start from the prices of the best assignment.
/// Result   Rows sum to 1 to rounding, columns within sinkhorn_tolerance; where parts of the matrix
///          hang together by less than a rounding, within 16 times that. 300 rounds at most; some
///          40 are the most that was seen from prices.
/// Cost     2 n^2 multiply-adds a sweep, 2/3 n^3 a Newton step; 3 n^2 numbers of scratch.
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/bipartite_laplacian.hpp"

namespace softtricks {

/// By how much a column's sum may be off.
template <Plain T>
SOFTTRICKS_FN T sinkhorn_tolerance(int n) {
  return epsilon<T> * max(T(4), sqrt(static_cast<T>(n)));
}

template <class T>
constexpr std::size_t sinkhorn_scratch(int stride) {
  const std::size_t n = static_cast<std::size_t>(stride);
  return sizeof(T) * n * (3 * n + 10) + 13 * Scratch::alignment;
}

/// utility: [n, stride], stride a multiple of 16, -inf in the columns from n on.
template <Plain T, class Team>
class Sinkhorn {
 public:
  SOFTTRICKS_FN Sinkhorn(const Team& team, Matrix<const T> utility, int n, Scratch& memory)
      : team_(team),
        utility_(utility),
        n_(n),
        stride_(utility.stride),
        tolerance_(sinkhorn_tolerance<T>(n)),
        kernel_{take(memory, n), stride_},
        soft_{take(memory, n), stride_},
        weight_{take(memory, n), stride_},
        row_anchor_(take(memory)),
        column_anchor_(take(memory)),
        row_scale_(take(memory)),
        column_scale_(take(memory)),
        before_(take(memory)),
        column_sum_(take(memory)),
        current_(take(memory)),
        noise_(take(memory)),
        step_(take(memory)),
        ones_(take(memory)) {}

  /// From column anchors, or from the best of each column after the best of each row.
  SOFTTRICKS_SOLVER void start(const T* column_anchor) {
    const auto difference = []<class V>(const V& u, const V& b) { return u - b; };
    team_.each(stride_, [&](int j) {
      ones_[j] = column_scale_[j] = row_scale_[j] = T(1);
      column_anchor_[j] = column_anchor == nullptr || j >= n_ ? T(0) : column_anchor[j];
      column_sum_[j] = j < n_ ? -infinity<T> : T(0);
      row_anchor_[j] = T(0);
    });
    for (int i = 0; i < n_; ++i) {
      row_anchor_[i] =
          team_.template map_maximum<T>(stride_, difference, utility_.row(i), column_anchor_);
      if (column_anchor != nullptr) continue;
      const T top = row_anchor_[i];
      const auto higher = [=]<class V>(const V& most, const V& u) { return max(most, u - V(top)); };
      team_.map(n_, column_sum_, higher, column_sum_, utility_.row(i));
    }
    if (column_anchor == nullptr) {
      team_.each(n_, [&](int j) { column_anchor_[j] = column_sum_[j]; });
    }
    weigh();
  }

  /// False where no step makes the error smaller any more, and it is not small: then columns were
  /// far off while parts of the matrix hang together by less than a rounding. That does not happen
  /// from the prices of the best assignment.
  SOFTTRICKS_SOLVER bool solve() {
    int stalled = 0;
    Error error = balance_rows();
    bool sweeping = true;
    for (int round = 0; round < most_rounds; ++round) {
      if (error.largest <= tolerance_) {
        if (!far_from_anchors()) return true;
        anchor();
        error = balance_rows();
        continue;
      }
      if (sweeping) {
        const T before = error.total;
        balance_columns();
        error = balance_rows();
        const T rate = error.total / before;
        sweeping = round < 2 || rate * rate_needed() < T(1);
      } else {
        const Error now = newton(error);
        const bool slow = !(now.total < T(0.7) * error.total), none = !(now.total < error.total);
        const bool small = now.largest <= T(16) * tolerance_;
        error = now;
        if (slow && small) return true;
        if (none && ++stalled == most_stalled) return false;
      }
    }
    return false;
  }

  /// x_ij for j < count.
  SOFTTRICKS_FN void write_row(int i, T* target) const {
    const T scale = row_scale_[i];
    const auto value = [=]<class V>(const V& w, const V& s) { return w * (V(scale) * s); };
    team_.map(n_, target, value, kernel_.row(i), column_scale_);
  }

 private:
  struct Error {
    T largest, total;
  };
  /// How far, in nats, scales may go.
  static constexpr int anchor_reach = sizeof(T) == 4 ? 20 : 200;
  static constexpr int most_rounds = 300;
  static constexpr int most_stalled = 3;
  static constexpr int most_halvings = 12;

  SOFTTRICKS_FN T* take(Scratch& memory, int rows = 1) const {
    return memory.take<T>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride_));
  }

  /// A sweep must shrink the error by this factor to be worth its time beside Newton's steps.
  SOFTTRICKS_FN T rate_needed() const {
    const T digits = sizeof(T) == 4 ? T(14) : T(34);
    return exp(digits / (T(8) + T(0.5) * static_cast<T>(n_)));
  }

  SOFTTRICKS_SOLVER void weigh() {
    for (int i = 0; i < n_; ++i) {
      const T a = row_anchor_[i];
      const auto weight = [=]<class V>(const V& u, const V& b) {
        V high, low, top, rest;
        exact_difference(u, V(a), high, low);
        exact_difference(high, b, top, rest);
        return select(top > V(-1000), exp(top + (low + rest)), V(0));
      };
      team_.map(stride_, kernel_.row(i), weight, utility_.row(i), column_anchor_);
    }
  }

  /// Rows to sum 1; the columns' sums and their error.
  SOFTTRICKS_SOLVER Error balance_rows() {
    team_.map(
        stride_, column_sum_, []<class V>(const V&) { return V(0); }, ones_);
    const auto add = [&](int i, auto... more) {
      const T scale[] = {balance_row(i), balance_row(more)...};
      const auto sum = [&]<class V, class... Others>(const V& before, const V& first,
                                                     const Others&... others) {
        V total = V(scale[0]) * first;
        int p = 0;
        ((total = mul_add(V(scale[++p]), others, total)), ...);
        return before + total;
      };
      team_.map(stride_, column_sum_, sum, column_sum_, kernel_.row(i), kernel_.row(more)...);
    };
    int i = 0;
    for (; i + 4 <= n_; i += 4) add(i, i + 1, i + 2, i + 3);
    for (; i < n_; ++i) add(i);
    const auto away = []<class V>(const V& sum, const V& s) { return abs(sum * s - V(1)); };
    return {team_.template map_maximum<T>(n_, away, column_sum_, column_scale_),
            team_.template map_sum<T>(n_, away, column_sum_, column_scale_)};
  }
  SOFTTRICKS_FN T balance_row(int i) const {
    const auto product = []<class V>(const V& w, const V& s) { return w * s; };
    const T scale =
        T(1) / team_.template map_sum<T>(stride_, product, kernel_.row(i), column_scale_);
    team_.once([&] { row_scale_[i] = scale; });
    return scale;
  }
  SOFTTRICKS_FN void balance_columns() {
    team_.map(
        n_, column_scale_, []<class V>(const V& sum) { return V(1) / sum; }, column_sum_);
  }

  /// A Newton step, halved until the error falls.
  SOFTTRICKS_SOLVER Error newton(const Error& error) {
    for (int i = 0; i < n_; ++i) {
      const T scale = row_scale_[i];
      const auto value = [=]<class V>(const V& w, const V& s) { return w * (V(scale) * s); };
      team_.map(stride_, soft_.row(i), value, kernel_.row(i), column_scale_);
    }
    join_columns(team_, {soft_.data, stride_}, n_, ones_, weight_);
    team_.each(stride_, [&](int j) {
      current_[j] = j < n_ ? column_sum_[j] * column_scale_[j] - T(1) : T(0);
      noise_[j] = T(0);
      before_[j] = column_scale_[j];
    });
    potentials(team_, weight_, n_, current_, noise_, step_, epsilon<T>);
    const auto size = []<class V>(const V& d) { return abs(d); };
    const T longest = team_.template map_maximum<T>(n_, size, step_);
    const T most = T(2 * anchor_reach) / longest;
    T length = min(T(1), most);
    Error now = move_columns(length);
    for (int halving = 0; !(now.total < error.total) && halving < most_halvings; ++halving) {
      now = move_columns(length = length * T(0.5));
    }
    // Entries that tend to 0 lose one nat a step: such steps are worth going on with.
    while (length >= T(1) && T(2) * length <= most && now.largest > tolerance_) {
      const Error further = move_columns(T(2) * length);
      if (!(further.total < T(0.5) * now.total)) {
        now = move_columns(length);
        break;
      }
      now = further;
      length = T(2) * length;
    }
    if (!far_from_anchors()) return now;
    anchor();
    return balance_rows();
  }
  SOFTTRICKS_SOLVER Error move_columns(T length) {
    const auto moved = [=]<class V>(const V& s, const V& d) { return s * exp(-V(length) * d); };
    team_.map(n_, column_scale_, moved, before_, step_);
    return balance_rows();
  }

  /// Have scales grown so large that entries may have been lost?
  SOFTTRICKS_SOLVER bool far_from_anchors() const {
    const T most = exp(T(anchor_reach));
    const auto spread = []<class V>(const V& s) { return max(s, V(1) / s); };
    return team_.template map_maximum<T>(n_, spread, column_scale_) > most ||
           team_.template map_maximum<T>(n_, spread, row_scale_) > most;
  }
  /// Anchors where the scales are.
  SOFTTRICKS_SOLVER void anchor() {
    const auto moved = []<class V>(const V& a, const V& s) { return a - log(s); };
    team_.map(n_, row_anchor_, moved, row_anchor_, row_scale_);
    team_.map(n_, column_anchor_, moved, column_anchor_, column_scale_);
    team_.each(stride_, [&](int j) { row_scale_[j] = column_scale_[j] = T(1); });
    weigh();
  }

  const Team& team_;
  const Matrix<const T> utility_;
  const int n_, stride_;
  const T tolerance_;
  const Matrix<T> kernel_;  // exp(utility - anchors)
  const Matrix<T> soft_;    // kernel * scales
  const Matrix<T> weight_;
  T* const row_anchor_;
  T* const column_anchor_;
  T* const row_scale_;
  T* const column_scale_;
  T* const before_;
  T* const column_sum_;
  T* const current_;
  T* const noise_;
  T* const step_;
  T* const ones_;
};

}  // namespace softtricks
