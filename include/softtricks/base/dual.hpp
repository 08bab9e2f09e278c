#pragma once
/// A number that carries its derivative in one direction.
///
/// The Jacobian of every map "utilities to marginals" is symmetric (it is the Hessian of the log
/// partition function), so running a marginals solver on duals seeded with a cotangent gives the
/// vector-Jacobian product, at about three times the cost and with the solver's own accuracy.
#include "softtricks/base/math.hpp"

namespace softtricks {

template <class N>
struct Dual {
  N value;
  N tangent;

  Dual() = default;
  SOFTTRICKS_FN Dual(N v, N t) : value(v), tangent(t) {}
  SOFTTRICKS_FN explicit Dual(N v) : value(v), tangent(N(0)) {}
  template <class U>
  requires std::is_arithmetic_v<U> &&(!std::is_same_v<U, N>)SOFTTRICKS_FN explicit Dual(U v)
      : value(N(v)), tangent(N(0)) {}
};

template <class N>
struct Lanes<Dual<N>> : Lanes<N> {};

template <class N>
SOFTTRICKS_FN Dual<N> operator+(const Dual<N>& a, const Dual<N>& b) {
  return {a.value + b.value, a.tangent + b.tangent};
}
template <class N>
SOFTTRICKS_FN Dual<N> operator-(const Dual<N>& a, const Dual<N>& b) {
  return {a.value - b.value, a.tangent - b.tangent};
}
template <class N>
SOFTTRICKS_FN Dual<N> operator*(const Dual<N>& a, const Dual<N>& b) {
  return {a.value * b.value, mul_add(a.value, b.tangent, a.tangent * b.value)};
}
template <class N>
SOFTTRICKS_FN Dual<N> mul_add(const Dual<N>& a, const Dual<N>& b, const Dual<N>& c) {
  return {mul_add(a.value, b.value, c.value),
          mul_add(a.value, b.tangent, mul_add(a.tangent, b.value, c.tangent))};
}
template <class Mask, class N>
SOFTTRICKS_FN Dual<N> select(Mask condition, const Dual<N>& yes, const Dual<N>& no) {
  return {select(condition, yes.value, no.value), select(condition, yes.tangent, no.tangent)};
}
template <class N>
SOFTTRICKS_FN Dual<N> reciprocal(const Dual<N>& x) {
  const N inverse = reciprocal(x.value);
  return {inverse, N(0) - x.tangent * inverse * inverse};
}
template <class N>
SOFTTRICKS_FN Dual<N> operator/(const Dual<N>& a, const Dual<N>& b) {
  return a * reciprocal(b);
}
template <class N>
SOFTTRICKS_FN Dual<N> operator-(const Dual<N>& x) {
  return {-x.value, -x.tangent};
}
template <class N>
SOFTTRICKS_FN Dual<N> exp(const Dual<N>& x) {
  const N e = exp(x.value);
  return {e, e * x.tangent};
}
template <class N>
SOFTTRICKS_FN Dual<N> softplus(const Dual<N>& x) {
  return {softplus(x.value), sigmoid(x.value) * x.tangent};
}
template <class N>
SOFTTRICKS_FN N value_of(const Dual<N>& x) {
  return x.value;
}
template <class N>
SOFTTRICKS_FN N value_of(const N& x) {
  return x;
}
template <class N>
SOFTTRICKS_FN auto is_zero(const Dual<N>& x) {
  return is_zero(x.value);
}

/// d + exp(-d) - 1, never negative; by Taylor's series near 0, where the closed form cancels.
template <class N>
SOFTTRICKS_FN N exp_excess(const N& d) {
  using T = decltype(value_of(d));
  using Scalar = ScalarOf<T>;
  constexpr int degree = sizeof(Scalar) == 4 ? 8 : 14;
  double factorial = 1;
  for (int i = 2; i <= degree; ++i) factorial *= i;
  N series(T(Scalar(1 / factorial)));
  for (int i = degree; i > 2; --i) {
    factorial /= i;
    series = mul_add(series, -d, N(T(Scalar(1 / factorial))));
  }
  return select(abs(value_of(d)) < T(Scalar(0.5)), series * d * d, d + exp(-d) - N(1));
}

/// log density at u of the Exponential law on u >= 0 whose rate has the logarithm `log_rate`.
template <class N>
SOFTTRICKS_FN N exponential_log_prob(const N& log_rate, const N& u) {
  using T = decltype(value_of(u));
  // A rate beyond the range counts as the largest one: 0 times it must not be NaN.
  const T most(sizeof(ScalarOf<T>) == 4 ? 88 : 709);
  const N rate = exp(select(value_of(log_rate) < most, log_rate, N(most)));
  return select(value_of(u) >= T(0), log_rate - rate * u, N(T(-infinity<T>)));
}

}  // namespace softtricks
