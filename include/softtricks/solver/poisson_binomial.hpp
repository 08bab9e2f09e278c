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

/// Calls visit(i, a, b) for i = n-1 .. 0: a and b are the joint probabilities of "k are in" with
/// item i in and with item i out. suffix: [k + 1] numbers of scratch.
template <class N, class Team, class Visit>
SOFTTRICKS_SOLVER void for_each_item(const Team& team, const Chance<N>* chance, int n, int k,
                                     Matrix<N> prefix, N* suffix, Visit visit) {
  // suffix[j] = P(k - j of the items after i are in): aligned with the prefixes it is joined to.
  team.each(k + 1, [&](int j) { suffix[j] = N(j == k ? 1 : 0); });
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

}  // namespace softtricks
