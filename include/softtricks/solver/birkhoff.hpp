#pragma once
/// The doubly stochastic matrix nearest to a matrix u: x_ij = max(0, u_ij - a_i - b_j), the one of
/// largest u.x - |x|^2 / 2.
///
/// Method   Semismooth Newton [Qi, Sun 1993] on the dual, convex and piecewise quadratic, with the
///          a_i eliminated: each row is kept at sum 1 by its threshold [Michelot 1986]. The Hessian
///          in b is the Laplacian of solver/bipartite_laplacian.hpp for conductances 1 on the
///          support, so that a step is exact once the support is right. Along a step the dual is
///          searched for its minimum, which is where its slope changes sign.
/// Slow     Where columns get no better, their part of the support has other than as many rows, or
///          entries that are 0 in the end come and go. Then entries below 0, but not by more than
///          the error, count as support: they join the parts, and do no harm where they are 0 in
///          the end. Each further time, entries four times as far below.
/// Start    Prices of the best assignment: whatever the size of utilities, what is left to do is
///          then of size 1.
/// Accuracy Prices are anchors, of the size of utilities, plus small remainders; u_ij minus anchors
/// is
///          taken exactly, so that x does not see the size of utilities. Rows sum to 1 to rounding,
///          columns within birkhoff_tolerance, or within 16 times that where no step helps.
/// Cost     2/3 n^3 multiply-adds a step at most, less on a small support; some 5 steps as a rule,
///          22 the most that was seen. 3 n^2 numbers of scratch.
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/bipartite_laplacian.hpp"

namespace softtricks {

/// By how much a column's sum may be off.
template <Plain T>
SOFTTRICKS_FN T birkhoff_tolerance(int n) {
  return epsilon<T> * max(T(4), sqrt(static_cast<T>(n)));
}

template <class T>
constexpr std::size_t birkhoff_scratch(int stride) {
  const std::size_t n = static_cast<std::size_t>(stride);
  return sizeof(T) * n * (3 * n + 10) + 13 * Scratch::alignment;
}

/// utility: [n, stride], stride a multiple of 16, -inf in the columns from n on.
template <Plain T, class Team>
class BirkhoffProjection {
 public:
  SOFTTRICKS_FN BirkhoffProjection(const Team& team, Matrix<const T> utility, int n,
                                   Scratch& memory)
      : team_(team),
        utility_(utility),
        n_(n),
        stride_(utility.stride),
        tolerance_(birkhoff_tolerance<T>(n)),
        rest_{take(memory, n), stride_},
        support_{take(memory, n), stride_},
        weight_{take(memory, n), stride_},
        row_anchor_(take(memory)),
        column_anchor_(take(memory)),
        row_price_(take(memory)),
        column_price_(take(memory)),
        before_(take(memory)),
        column_sum_(take(memory)),
        current_(take(memory)),
        noise_(take(memory)),
        step_(take(memory)),
        inverse_(take(memory)) {}

  /// `prices`: of the best assignment's columns.
  SOFTTRICKS_SOLVER void solve(const T* prices) {
    start(prices);
    Error error = balance_rows();
    T reach(0);
    int stalled = 0;
    for (int round = 0; round < most_rounds; ++round) {
      if (far_from_anchors()) {
        anchor();
        error = balance_rows();
      }
      if (error.largest <= tolerance_) return;
      const T before = error.total;
      error = newton(error, reach * error.largest);
      if (error.total < T(0.7) * before) {
        reach = min(reach, T(0.25));
        stalled = 0;
      } else {
        reach = max(T(1), T(4) * reach);
        if (++stalled > 2 && error.largest <= T(16) * tolerance_) return;
      }
    }
  }

  /// x_ij for j < n; 0 where that may be rounding alone, and 1 where it is alone in its row.
  SOFTTRICKS_FN void write_row(int i, T* target) const {
    const auto x = [price = row_price_[i], least = tolerance_]<class V>(const V& r, const V& b) {
      const V value = entry(price)(r, b);
      return select(value > V(least), value, V(0));
    };
    const T sum = team_.template map_sum<T>(n_, x, rest_.row(i), column_price_);
    const auto share = [=]<class V>(const V& r, const V& b) { return x(r, b) / V(sum); };
    team_.map(n_, target, share, rest_.row(i), column_price_);
  }

 private:
  struct Error {
    T largest, total;
  };
  static constexpr int most_rounds = 300;
  static constexpr int most_trials = 40;

  SOFTTRICKS_FN T* take(Scratch& memory, int rows = 1) const {
    return memory.take<T>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride_));
  }
  SOFTTRICKS_FN static auto entry(T price) {
    return [price]<class V>(const V& r, const V& b) { return max((r - b) - V(price), V(0)); };
  }

  SOFTTRICKS_SOLVER void start(const T* prices) {
    team_.each(stride_, [&](int j) {
      column_anchor_[j] = j < n_ ? prices[j] : T(0);
      column_price_[j] = T(0);
      row_price_[j] = T(-1);
    });
    const auto difference = []<class V>(const V& u, const V& b) { return u - b; };
    for (int i = 0; i < n_; ++i) {
      const T best = team_.template map_maximum<T>(n_, difference, utility_.row(i), column_anchor_);
      team_.once([&] { row_anchor_[i] = best; });
      subtract_anchors(i);
    }
  }
  SOFTTRICKS_FN void subtract_anchors(int i) {
    const auto rest = [a = row_anchor_[i]]<class V>(const V& u, const V& b) {
      V high, low, top, more;
      exact_difference(u, V(a), high, low);
      exact_difference(high, b, top, more);
      return select(u == V(-infinity<V>), u, top + (low + more));
    };
    team_.map(stride_, rest_.row(i), rest, utility_.row(i), column_anchor_);
  }
  SOFTTRICKS_SOLVER bool far_from_anchors() const {
    const auto size = []<class V>(const V& price) { return abs(price); };
    return team_.template map_maximum<T>(n_, size, column_price_) > T(1) ||
           team_.template map_maximum<T>(n_, size, row_price_) > T(2);
  }
  /// Anchors where prices are; what they can't hold stays.
  SOFTTRICKS_SOLVER void anchor() {
    const auto move = [](T& base, T& price) {
      T sum, left;
      exact_difference(base, -price, sum, left);
      base = sum;
      price = left;
    };
    team_.each(n_, [&](int j) {
      move(column_anchor_[j], column_price_[j]);
      move(row_anchor_[j], row_price_[j]);
    });
    for (int i = 0; i < n_; ++i) subtract_anchors(i);
  }

  /// Rows to sum 1; the columns' sums and their error.
  SOFTTRICKS_SOLVER Error balance_rows() {
    team_.each(stride_, [&](int j) { column_sum_[j] = T(0); });
    for (int i = 0; i < n_; ++i) {
      const T price = threshold(i);
      team_.once([&] { row_price_[i] = price; });
      const auto add = [=]<class V>(const V& sum, const V& r, const V& b) {
        return sum + entry(price)(r, b);
      };
      team_.map(n_, column_sum_, add, column_sum_, rest_.row(i), column_price_);
    }
    const auto away = []<class V>(const V& sum) { return abs(sum - V(1)); };
    return {team_.template map_maximum<T>(n_, away, column_sum_),
            team_.template map_sum<T>(n_, away, column_sum_)};
  }
  /// The price at which row i sums to 1, by Newton's method: it rises from the first step on, and
  /// ends where as many entries are left as before.
  SOFTTRICKS_SOLVER T threshold(int i) const {
    T price = row_price_[i], left(-1);
    for (bool rising = false;; rising = true) {
      const auto part = [=]<class V>(const V& r, const V& b) {
        const V x = entry(price)(r, b);
        return Several<V, 2>{{x, select(x > V(0), V(1), V(0))}};
      };
      const auto sums = team_.template map_sums<T, 2>(n_, part, rest_.row(i), column_price_);
      const T count = sums.part[1];
      const auto value = []<class V>(const V& r, const V& b) { return r - b; };
      const T next =
          count > T(0)
              ? price + (sums.part[0] - T(1)) / count
              : team_.template map_maximum<T>(n_, value, rest_.row(i), column_price_) - T(1);
      if (count == left || (rising && !(next > price))) return next;
      price = next;
      left = count;
    }
  }

  /// A Newton step; entries above -reach count as support.
  SOFTTRICKS_SOLVER Error newton(const Error& error, T reach) {
    for (int i = 0; i < n_; ++i) {
      const auto inside = [lower = row_price_[i] - reach]<class V>(const V& r, const V& b) {
        return select((r - b) - V(lower) > V(0), V(1), V(0));
      };
      const auto itself = []<class V>(const V& v) { return v; };
      team_.map(stride_, support_.row(i), inside, rest_.row(i), column_price_);
      const T count = team_.template map_sum<T>(n_, itself, support_.row(i));
      team_.once([&] { inverse_[i] = T(1) / count; });
    }
    join_columns(team_, {support_.data, stride_}, n_, inverse_, weight_);
    team_.each(stride_, [&](int j) {
      current_[j] = j < n_ ? column_sum_[j] - T(1) : T(0);
      noise_[j] = T(0);
      before_[j] = column_price_[j];
    });
    potentials(team_, weight_, n_, current_, noise_, step_);
    return search(error);
  }

  /// Along the step to where the dual's slope is half of what it was, or less.
  SOFTTRICKS_SOLVER Error search(const Error& error) {
    const T slope = fall();
    if (!(slope > T(0))) return error;
    T low(0), low_slope = slope, high = infinity<T>, high_slope(0), length(1);
    Error now = error;
    for (int trial = 0; trial < most_trials; ++trial) {
      now = move_columns(length);
      const T here = fall();
      if (abs(here) <= T(0.5) * slope || now.largest <= tolerance_) break;
      (here > T(0) ? low : high) = length;
      (here > T(0) ? low_slope : high_slope) = here;
      length = high == infinity<T> ? T(2) * length
                                   : low + (high - low) * (low_slope / (low_slope - high_slope));
    }
    return now;
  }
  /// How fast the dual falls along the step.
  SOFTTRICKS_FN T fall() const {
    const auto product = []<class V>(const V& sum, const V& d) { return (sum - V(1)) * d; };
    return team_.template map_sum<T>(n_, product, column_sum_, step_);
  }
  SOFTTRICKS_FN Error move_columns(T length) {
    const auto moved = [=]<class V>(const V& b, const V& d) { return mul_add(V(length), d, b); };
    team_.map(n_, column_price_, moved, before_, step_);
    return balance_rows();
  }

  const Team& team_;
  const Matrix<const T> utility_;
  const int n_, stride_;
  const T tolerance_;
  const Matrix<T> rest_;  // utility - anchors
  const Matrix<T> support_;
  const Matrix<T> weight_;
  T* const row_anchor_;
  T* const column_anchor_;
  T* const row_price_;  // beyond the anchor
  T* const column_price_;
  T* const before_;
  T* const column_sum_;
  T* const current_;
  T* const noise_;
  T* const step_;
  T* const inverse_;  // of the row's entries in the support
};

}  // namespace softtricks
