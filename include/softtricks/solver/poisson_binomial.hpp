#pragma once
/// Counting with independent items: the law of how many of n items are in when item i is in with
/// probability p_i and out with q_i = 1 - p_i.
///
/// A k-subset law with weights exp(u_i) is this law conditioned on the count k, for p_i =
/// sigmoid(u_i - c) and any tilt c. With c such that the expected count is about k, every number
/// met is a probability and the count k is likely: nothing overflows, and what underflows is
/// negligible, whatever the spread of u [conditional Poisson sampling: Chen, Dempster, Liu 1994].
///
/// Cost     O(n k); nothing is subtracted, so results have full relative accuracy.
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Chances of one item: in, out.
template <class N>
struct Chance {
  N in, out;
};

/// Fills prefix, [n + 1, k + 1]: prefix(i, j) = P(j of the first i items are in).
template <class N, class Team>
SOFTTRICKS_SOLVER void count_prefixes(const Team& team, const Chance<N>* chance, int n, int k,
                                      Matrix<N> prefix) {
  team.each(k + 1, [&](int j) { prefix(0, j) = N(j == 0 ? 1 : 0); });
  for (int i = 0; i < n; ++i) {
    const Chance<N> item = chance[i];
    const N* const before = prefix.row(i);
    N* const after = prefix.row(i + 1);
    after[0] = item.out * before[0];
    team.each(1, k + 1,
              [&](int j) { after[j] = mul_add(item.in, before[j - 1], item.out * before[j]); });
  }
}

/// Calls visit(i, a, b) for i = n-1 .. 0: a and b are the weights of all choices with item i in and
/// with item i out. suffix: [k + 1], what a choice of j items weighs; overwritten.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void for_each_item(const Team& team, const Chance<N>* chance, int n, int k,
                                     Matrix<N> prefix, N* suffix, Visit visit) {
  // From here on suffix[j] is what the items after i make of j items before them.
  for (int i = n - 1; i >= 0; --i) {
    const Chance<N> item = chance[i];
    const N* const before = prefix.row(i);
    const N without = team.sum(0, k + 1, N(0), [&](int j) { return before[j] * suffix[j]; });
    const N with = team.sum(0, k, N(0), [&](int j) { return before[j] * suffix[j + 1]; });
    for (int j = 0; j < k; ++j) {
      suffix[j] = mul_add(item.in, suffix[j + 1], item.out * suffix[j]);
    }
    suffix[k] = item.out * suffix[k];
    visit(i, item.in * with, item.out * without);
  }
}

/// The law p(x) ~ exp(u.x) of choices of `least` to `most` items, as independent items under a tilt
/// c, conditioned on their count: exp(u.x) ~ P(x) exp(c |x|), so a count j weighs exp(c (j - a)).
/// The anchor a is the bound at which c pushes, so that no weight is above 1; c = 0 where neither
/// does.
template <class N, class T, class Team>
class CountedItems {
 public:
  SOFTTRICKS_SOLVER CountedItems(const Team& team, Vector<const T> utility, int least, int most,
                                 T tilt, MaskOf<T> feasible, Scratch& scratch)
      : team_(team),
        utility_(utility),
        items_(utility.size),
        least_(least),
        most_(most),
        tilt_(tilt),
        anchor_(select(tilt < T(0), T(ScalarOf<T>(least)), T(ScalarOf<T>(most)))),
        feasible_(feasible),
        chance_(scratch.take<Chance<N>>(items_)),
        prefix_{scratch.take<N>((items_ + 1) * (most + 1)), most + 1},
        weight_(scratch.take<N>(most + 1)) {
    team.each(items_, [&](int i) {
      const T d = utility[i] - tilt;
      chance_[i] = {N(sigmoid(d)), N(sigmoid(-d))};
    });
    team.each(most + 1, [&](int j) {
      weight_[j] = j < least ? N(0) : N(exp(min(tilt_ * beyond_anchor(j), T(0))));
    });
  }
  /// Bytes that it takes.
  static constexpr std::size_t scratch(int items, int most) {
    const std::size_t n = static_cast<std::size_t>(items), columns = static_cast<std::size_t>(most);
    return sizeof(N) * ((n + 2) * (columns + 1) + 2 * n) + 4 * Scratch::alignment;
  }

  SOFTTRICKS_SOLVER T log_partition() {
    count();
    const T independent =
        team_.sum(0, items_, T(0), [&](int i) { return softplus(utility_[i] - tilt_); });
    const T value = mul_add(anchor_, tilt_, independent) + log(total());
    return select(feasible_, value, T(-infinity<T>));
  }

  SOFTTRICKS_SOLVER void marginals(Vector<T> out) {
    count();
    for_each_item(team_, chance_, items_, most_, prefix_, weight_,
                  [&](int i, T in, T not_in) { out[i] = in / (in + not_in) + spoil(); });
  }

  /// On duals. Cotangents are taken relative to the middle one where the count hardly varies: what
  /// is common to all items then counts for nothing, and must not cancel.
  SOFTTRICKS_SOLVER void marginals_vjp(Vector<const T> cotangent, T middle, Vector<T> out) {
    const T common = select(tilt_ == T(0), T(0), middle);
    team_.each(items_, [&](int i) {
      const T slope = chance_[i].in.value * chance_[i].out.value;
      const T change = select(slope == T(0), T(0), slope * (cotangent[i] - common));
      chance_[i].in.tangent = change;
      chance_[i].out.tangent = -change;
    });
    team_.each(most_ + 1,
               [&](int j) { weight_[j].tangent = weight_[j].value * common * beyond_anchor(j); });
    count();
    for_each_item(team_, chance_, items_, most_, prefix_, weight_, [&](int i, N in, N not_in) {
      // d [a/(a+b)] = (da b - a db) / (a+b)^2, by relative changes
      const T all = in.value + not_in.value;
      const T weight = (in.value / all) * (not_in.value / all);
      const T rate = in.tangent / in.value - not_in.tangent / not_in.value;
      out[i] = select(weight > T(0), weight * rate, T(0)) + spoil();
    });
  }

  /// The count, if it is open, then items one by one from the last.
  SOFTTRICKS_SOLVER void sample(const Stream<T>& stream, Vector<T> x) {
    count();
    Stream<T> random = stream;
    T left = least_ == most_ ? T(ScalarOf<T>(most_)) : draw_count(random.next());
    for (int i = items_ - 1; i >= 0; --i) {
      const T* const before = prefix_.row(i);
      T with(0), without(0);
      for (int j = 0; j <= most_; ++j) {
        const auto here = left == T(ScalarOf<T>(j));
        without = select(here, before[j], without);
        if (j > 0) with = select(here, before[j - 1], with);
      }
      const T in = chance_[i].in * with, not_in = chance_[i].out * without;
      const auto chosen = bernoulli(random.next(), in, not_in);
      x[i] = select(chosen, T(1), T(0));
      left = left - x[i];
    }
    team_.each(items_, [&](int i) { x[i] = x[i] + spoil(); });
  }

 private:
  SOFTTRICKS_FN void count() { count_prefixes(team_, chance_, items_, most_, prefix_); }
  SOFTTRICKS_FN T spoil() const { return select(feasible_, T(0), T(not_a_number<T>)); }
  SOFTTRICKS_FN T beyond_anchor(int j) const { return T(ScalarOf<T>(j)) - anchor_; }
  SOFTTRICKS_FN T total() const {
    T sum(0);
    for (int j = least_; j <= most_; ++j) sum = sum + prefix_(items_, j) * weight_[j];
    return sum;
  }
  SOFTTRICKS_FN T draw_count(const Uniform<T>& u) const {
    const T mark = total() * u.below;
    T sum(0), drawn{ScalarOf<T>(most_)};
    auto open = mark == mark;
    for (int j = least_; j <= most_; ++j) {
      sum = sum + prefix_(items_, j) * weight_[j];
      const auto here = open & (sum >= mark);
      drawn = select(here, T(ScalarOf<T>(j)), drawn);
      open = open & !here;
    }
    return drawn;
  }

  const Team& team_;
  const Vector<const T> utility_;
  const int items_, least_, most_;
  const T tilt_, anchor_;
  const MaskOf<T> feasible_;
  Chance<N>* const chance_;  // [items]
  const Matrix<N> prefix_;   // [items + 1, most + 1]
  N* const weight_;          // [most + 1]: of each count
};

}  // namespace softtricks
