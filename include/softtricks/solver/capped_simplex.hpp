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
  T mean, variance;
};

template <class T, class Team>
SOFTTRICKS_FN ItemRange<T> item_range(const Team& team, Vector<const T> utility) {
  const auto itself = []<class V>(const V& u) { return u; };
  const auto negative = []<class V>(const V& u) {
    return select(u > V(-infinity<V>), -u, V(-infinity<V>));
  };
  ItemRange<T> range;
  range.most = team.template map_maximum<T>(utility.size, itself, utility.data);
  range.least = -team.template map_maximum<T>(utility.size, negative, utility.data);
  const auto powers = [=, middle = range.most]<class V>(const V& u) {
    const V there = select(u > V(-infinity<V>), V(1), V(0));
    const V d = select(u > V(-infinity<V>), u - V(middle), V(0));
    return Several<V, 3>{{there, d, d * d}};
  };
  const auto sums = team.template map_sums<T, 3>(utility.size, powers, utility.data);
  range.count = sums.part[0];
  const T below = sums.part[1] / range.count;
  range.mean = range.most + below;
  range.variance = max(T(0), sums.part[2] / range.count - below * below);
  return range;
}

/// Is x a 0/1 vector with k ones?
template <class T, class Team>
SOFTTRICKS_FN MaskOf<T> is_choice(const Team& team, Vector<const T> x, T k) {
  const auto ones_and_others = []<class V>(const V& v) {
    return Several<V, 2>{{v, select((v == V(0)) | (v == V(1)), V(0), V(1))}};
  };
  const auto sums = team.template map_sums<T, 2>(x.size, ones_and_others, x.data);
  return (sums.part[0] == k) & (sums.part[1] == T(0));
}

/// Each shape guesses its threshold as if utilities were spread like a normal law: h is nearly the
/// distribution function of a variable of variance `own`, the sum of both nearly logistic.
template <class T>
SOFTTRICKS_FN T guessed_middle(const ItemRange<T>& range, T k, double own) {
  const T log_odds = log((range.count - k) / k);
  const T logistic_deviation{ScalarOf<T>(1.8137993642342178)};  // pi / sqrt 3
  return range.mean + sqrt(range.variance + T(ScalarOf<T>(own))) / logistic_deviation * log_odds;
}

struct ClipShape {
  static constexpr bool smooth = false;
  template <class T>
  SOFTTRICKS_FN static T guess(const ItemRange<T>& range, T k) {
    const T guess = guessed_middle(range, k, 1.0 / 12) - T(ScalarOf<T>(0.5));
    return select(k == T(1), range.most - T(1),
                  guess);  // from there few pieces are left [Michelot]
  }
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
  static constexpr bool smooth = true;
  template <class T>
  SOFTTRICKS_FN static T guess(const ItemRange<T>& range, T k) {
    return guessed_middle(range, k, 3.2898681336964524);  // pi^2 / 3
  }
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
  static constexpr bool smooth = false;
  template <class T>
  SOFTTRICKS_FN static T guess(const ItemRange<T>& range, T k) {
    return guessed_middle(range, k, 1);
  }
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
template <class Shape, class T, class Team>
struct ChoiceStep {
  const Team& team;
  Vector<const T> utility;
  T k, center;

  SOFTTRICKS_FN RootStep<T> operator()(T offset) const {
    const auto value_and_slope = [=, center = center]<class V>(const V& u) {
      const V h = Shape::value(u - V(center) - V(offset));
      return Several<V, 2>{{h, Shape::slope(h)}};
    };
    const auto sums = team.template map_sums<T, 2>(utility.size, value_and_slope, utility.data);
    const T total = sums.part[0], excess = total - k;
    return {excess, offset + Shape::newton(excess, total, sums.part[1], k)};
  }
};

/// 40 nats below the least utility every item is in; as far above the largest, hardly any.
inline constexpr int choice_margin = 40;

/// A threshold c with |sum_i h(u_i - c) - k| <= tolerance, as far as c's own rounding allows.
template <class Shape, class T, class Team>
SOFTTRICKS_SOLVER RootEnd<T> choice_threshold(const Team& team, Vector<const T> utility, T k,
                                              const ItemRange<T>& range, T tolerance) {
  const T margin{ScalarOf<T>(choice_margin)};
  return monotone_root(range.least - margin, range.most + margin, Shape::guess(range, k), tolerance,
                       T(0), ChoiceStep<Shape, T, Team>{team, utility, k, T(0)});
}

/// x_i = h(u_i - c) with sum k; all NaN where fewer than k utilities are above -inf.
template <class Shape, class T, class Team>
SOFTTRICKS_SOLVER void capped_choice(const Team& team, Vector<const T> utility, T k, Vector<T> x) {
  using Scalar = ScalarOf<T>;
  const ItemRange<T> range = item_range(team, utility);
  const RootEnd<T> near = choice_threshold<Shape>(team, utility, k, range, T(Scalar(0.25)));
  const T center = near.at;
  const T reach = T(Scalar(2 * choice_margin)) + T(Scalar(8) * epsilon<T>) * abs(center);
  // Where h is smooth the step squares the error: a short one needs no check.
  const T settled = Shape::smooth ? sqrt(T(epsilon<T>)) * T(Scalar(0.25)) : T(0);
  const T offset = monotone_root(-reach, reach, near.expected - center, T(epsilon<T>) * k, settled,
                                 ChoiceStep<Shape, T, Team>{team, utility, k, center})
                       .expected;
  // Where all items there are must be in, the threshold has no lower end.
  const T everyone = select(range.count == k, T(1), T(0));
  const T spoil = select(range.count < k, T(not_a_number<T>), T(0));
  const auto choice = [=]<class V>(const V& u) {
    const V all = select(u > V(-infinity<V>), V(1), V(0));
    return select(V(everyone) == V(1), all, Shape::value(u - V(center) - V(offset))) + V(spoil);
  };
  team.map(utility.size, x.data, choice, utility.data);
}

/// The vector-Jacobian product at the soft choice x: slope_i (g_i - mean of g weighted by slope).
template <class Shape, class T, class Team>
SOFTTRICKS_SOLVER void capped_choice_vjp(const Team& team, Vector<const T> x,
                                         Vector<const T> cotangent, Vector<T> out) {
  const auto slope_of = []<class V>(const V& v) { return Shape::slope(v); };
  const T most = team.template map_maximum<T>(x.size, slope_of, x.data);
  // Differences to the cotangent that weighs most keep small products exact.
  const auto of_heaviest = [=]<class V>(const V& v, const V& g) {
    return select(Shape::slope(v) == V(most), g, V(-infinity<V>));
  };
  const T pivot = team.template map_maximum<T>(x.size, of_heaviest, x.data, cotangent.data);
  const auto moments = [=]<class V>(const V& v, const V& g) {
    const V slope = Shape::slope(v);
    return Several<V, 2>{{slope, select(slope > V(0), slope * (g - V(pivot)), V(0))}};
  };
  const auto sums = team.template map_sums<T, 2>(x.size, moments, x.data, cotangent.data);
  const T mean = select(sums.part[0] > T(0), sums.part[1] / sums.part[0], T(0));
  const auto product = [=]<class V>(const V& v, const V& g) {
    const V slope = Shape::slope(v);
    const V spoil = v - v;  // NaN where x is
    return select(slope > V(0), slope * (g - V(pivot) - V(mean)), V(0)) + spoil;
  };
  team.map(x.size, out.data, product, x.data, cotangent.data);
}

}  // namespace softtricks
