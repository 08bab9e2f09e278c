#pragma once
/// The k largest of n numbers, by bisection on the bits of the k-th largest: O(n), whatever the
/// numbers are, and the same steps for every instance in a pack.
#include "softtricks/base/math.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// The largest number that k utilities reach, k >= 1.
template <class T, class Team>
SOFTTRICKS_SOLVER T kth_largest(const Team& team, Vector<const T> utility, T k) {
  using Bits = BitsOf<T>;
  constexpr int bits = 8 * sizeof(ScalarOf<T>);
  Bits reached = Bits(1) << (bits - 1);  // the least rank; the first step wraps round to 0
  for (int bit = bits - 1; bit >= 0; --bit) {
    const Bits trial = reached + (Bits(1) << bit);
    const T level = from_rank<T>(trial);
    const T reaching = team.sum(0, utility.size, T(0),
                                [&](int i) { return select(utility[i] >= level, T(1), T(0)); });
    reached = select(reaching >= k, trial, reached);
  }
  return from_rank<T>(reached);
}

/// x = 1 for the k largest, of equals the first, else 0; NaN where fewer are above -inf.
template <class T, class Team>
SOFTTRICKS_SOLVER void choose_largest(const Team& team, Vector<const T> utility, T k, Vector<T> x) {
  const T threshold = kth_largest(team, utility, k);
  const T above = team.sum(0, utility.size, T(0),
                           [&](int i) { return select(utility[i] > threshold, T(1), T(0)); });
  T left = k - above;  // how many of those equal to the threshold are in
  const T spoil = select(threshold > T(-infinity<T>), T(0), T(not_a_number<T>));
  for (int i = 0; i < utility.size; ++i) {
    const auto equal = (utility[i] == threshold) & (left > T(0));
    left = left - select(equal, T(1), T(0));
    x[i] = select(equal | (utility[i] > threshold), T(1), T(0)) + spoil;
  }
}

}  // namespace softtricks
