#pragma once
/// Soft choices of k items: argmax of u.x - f(x) over {0 <= x <= 1, sum x = k} for the regularizers
/// f that treat items alike. Each has the form x_i = h(u_i - c) for a threshold c with
/// sum_i h(u_i - c) = k:
///
///   squared norm    h(d) = min(1, max(0, d))   [Duchi et al. 2008; sparsemax: Martins, Astudillo
///   2016] binary entropy  h(d) = 1 / (1 + exp(-d))   [Amos, Koltun, Kolter 2019] Shannon entropy
///   h(d) = min(1, exp(d))      [constrained softmax: Martins, Kreutzer 2017]
///
/// c is found to machine precision. It is kept as center + offset, for c itself may be so large
/// that its rounding would show in x; differences u_i - center that matter are exact.
#include "softtricks/base/monotone_root.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

template <class T>
struct ItemRange {
  T least, most;  // of the utilities above -inf
  T count;        // how many these are
};

template <class T, class Team>
SOFTTRICKS_FN ItemRange<T> item_range(const Team& team, Vector<const T> utility) {
  const T none(-infinity<T>);
  const auto finite = [&](int i) { return utility[i] > none; };
  ItemRange<T> range;
  range.most = team.template maximum<T>(0, utility.size, none, [&](int i) { return utility[i]; });
  range.least = -team.template maximum<T>(
      0, utility.size, none, [&](int i) { return select(finite(i), -utility[i], none); });
  range.count =
      team.sum(0, utility.size, T(0), [&](int i) { return select(finite(i), T(1), T(0)); });
  return range;
}

struct ClipShape {
  template <class T>
  SOFTTRICKS_FN static T value(T d) {
    return max(T(0), min(T(1), d));
  }
  /// Exact once the linear piece that holds the root is reached.
  template <class T>
  SOFTTRICKS_FN static T newton(T excess, T, T free, T) {
    return excess / free;
  }
  template <class T>
  SOFTTRICKS_FN static T slope(T x) {
    return select((x > T(0)) & (x < T(1)), T(1), T(0));
  }
};

struct SigmoidShape {
  template <class T>
  SOFTTRICKS_FN static T value(T d) {
    return sigmoid(d);
  }
  /// Newton's step for the logarithm of the sum: exact where all items are unlikely, and nearly the
  /// plain step close to the root.
  template <class T>
  SOFTTRICKS_FN static T newton(T, T total, T slopes, T k) {
    return log(total / k) * total / slopes;
  }
  template <class T>
  SOFTTRICKS_FN static T slope(T x) {
    return x * (T(1) - x);
  }
};

struct CappedExpShape {
  template <class T>
  SOFTTRICKS_FN static T value(T d) {
    return min(T(1), exp(min(d, T(1))));
  }
  /// Exact once the capped items are known: free items then share k - capped.
  template <class T>
  SOFTTRICKS_FN static T newton(T, T total, T free, T k) {
    return log(free / (k - (total - free)));
  }
  template <class T>
  SOFTTRICKS_FN static T slope(T x) {
    return select(x < T(1), x, T(0));
  }
};

/// The search step for `offset` in sum_i h(u_i - center - offset) = k.
template <class Shape, class T>
struct ChoiceStep {
  Vector<const T> utility;
  T k, center;

  SOFTTRICKS_FN RootStep<T> operator()(T offset) const {
    T total(0), slopes(0);
    for (int i = 0; i < utility.size; ++i) {
      const T h = Shape::value(utility[i] - center - offset);
      total = total + h;
      slopes = slopes + Shape::slope(h);
    }
    const T excess = total - k;
    return {excess, offset + Shape::newton(excess, total, slopes, k)};
  }
};

/// 40 nats below the least utility every item is in; as far above the largest, hardly any.
inline constexpr int choice_margin = 40;

/// A threshold c with |sum_i h(u_i - c) - k| <= tolerance, as far as c's own rounding allows.
template <class Shape, class T, class Team>
SOFTTRICKS_SOLVER T choice_threshold(const Team&, Vector<const T> utility, T k,
                                     const ItemRange<T>& range, T tolerance) {
  const T margin{ScalarOf<T>(choice_margin)};
  return monotone_root(range.least - margin, range.most + margin, range.most - T(1), tolerance,
                       ChoiceStep<Shape, T>{utility, k, T(0)});
}

/// x_i = h(u_i - c) with sum k; all NaN where fewer than k utilities are above -inf.
template <class Shape, class T, class Team>
SOFTTRICKS_SOLVER void capped_choice(const Team& team, Vector<const T> utility, T k, Vector<T> x) {
  using Scalar = ScalarOf<T>;
  const ItemRange<T> range = item_range(team, utility);
  const T center = choice_threshold<Shape>(team, utility, k, range, T(Scalar(0.25)));
  const T reach = T(Scalar(2 * choice_margin)) + T(Scalar(8) * epsilon<T>) * abs(center);
  const T offset = monotone_root(-reach, reach, T(0), T(epsilon<T>) * k,
                                 ChoiceStep<Shape, T>{utility, k, center});
  const T spoil = select(range.count < k, T(not_a_number<T>), T(0));
  team.each(utility.size, [&](int i) {
    // Where all items there are must be in, the threshold has no lower end.
    const T all = select(utility[i] > T(-infinity<T>), T(1), T(0));
    const T some = Shape::value(utility[i] - center - offset);
    x[i] = select(range.count == k, all, some) + spoil;
  });
}

/// The vector-Jacobian product at the soft choice x: slope_i (g_i - mean of g weighted by slope).
template <class Shape, class T, class Team>
SOFTTRICKS_SOLVER void capped_choice_vjp(const Team& team, Vector<const T> x,
                                         Vector<const T> cotangent, Vector<T> out) {
  T slopes(0), most(0), pivot(0);
  for (int i = 0; i < x.size; ++i) {
    const T slope = Shape::slope(x[i]);
    slopes = slopes + slope;
    // Differences to the cotangent that weighs most keep small products exact.
    pivot = select(slope > most, cotangent[i], pivot);
    most = max(most, slope);
  }
  T sum(0);
  for (int i = 0; i < x.size; ++i) {
    const T slope = Shape::slope(x[i]);
    sum = sum + select(slope > T(0), slope * (cotangent[i] - pivot), T(0));
  }
  const T mean = select(slopes > T(0), sum / slopes, T(0));
  team.each(x.size, [&](int i) {
    const T slope = Shape::slope(x[i]);
    const T spoil = x[i] - x[i];  // NaN where x is
    out[i] = select(slope > T(0), slope * (cotangent[i] - pivot - mean), T(0)) + spoil;
  });
}

}  // namespace softtricks
