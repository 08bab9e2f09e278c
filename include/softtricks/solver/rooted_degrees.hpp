#pragma once
/// What the degrees that eliminate_rooted left say: whether plain numbers did, and the logarithm of
/// the sum over arborescences.
///
/// One child  An arc of which exactly one may be taken is light: left out of degrees, or, in wide
///            numbers, told by a weight as long as others are not spread over 1e5 nats and more.
#include "softtricks/base/dual.hpp"
#include "softtricks/base/wide.hpp"

namespace softtricks {

/// The exponent of a light weight, negative; exact in float when doubled.
inline constexpr int featherweight = 1 << 21, half_featherweight = 1 << 20;

template <class N>
inline constexpr bool is_wide_number = requires(N x) {
  x.exponent;
};

/// Are the degrees of vertices 1 .. vertices-1 that are `there` in range? What falls out of the
/// range of plain numbers is then nothing beside a degree. `light`: it left a vertex no degree.
template <class N, class Mask, class There>
SOFTTRICKS_FN Mask degrees_fit(const N* degree, int vertices, Mask all, bool light, There there) {
  for (int q = 1; q < vertices; ++q) {
    Mask fine = all;
    if constexpr (is_wide_number<N>) {
      if (light) fine = !is_zero(degree[q]);
    } else {
      const auto d = value_of(degree[q]);
      using T = decltype(d + d);
      const T floor(sizeof(ScalarOf<T>) == 4 ? ScalarOf<T>(1e-18) : ScalarOf<T>(1e-150));
      fine = (d >= floor) & (d <= T(1) / floor);
    }
    all = all & (fine | !there(q));
  }
  return all;
}

/// The sum of the logarithms; -inf if there is no arborescence. `counted`: light arcs were told by
/// their weight, and one must have been taken.
template <class T, class N, class There>
SOFTTRICKS_FN T log_of_degrees(const N* degree, int vertices, bool counted, There there) {
  T sum(0), children(0);
  for (int q = 1; q < vertices; ++q) {
    N d = degree[q];
    T child(0);
    if constexpr (is_wide_number<N>) {
      if (counted) {
        child = select(d.exponent < T(ScalarOf<T>(-half_featherweight)), T(1), T(0));
        d.exponent = d.exponent + child * T(ScalarOf<T>(featherweight));
      }
    }
    const T term = select(is_zero(d), T(-infinity<T>), log(d));
    sum = sum + select(there(q), term, T(0));
    children = children + select(there(q), child, T(0));
  }
  if constexpr (is_wide_number<N>) {
    if (counted) sum = select(children == T(1), sum, T(-infinity<T>));
  }
  return sum;
}

}  // namespace softtricks
