#pragma once
/// A number with its exponent kept apart: mantissa * 2^exponent, both of type T, the exponent
/// integral. It has T's relative precision and no practical limit of range, so that weights
/// exp(u) with u spread over thousands of nats can be added, multiplied and divided like any other.
///
/// Canonical form: 1 <= |mantissa| < 2, or mantissa = 0 and exponent = zero_exponent.
#include "softtricks/base/math.hpp"

namespace softtricks {

template <class T>
struct Wide {
  /// Below every exponent that occurs, and still far from overflow when doubled.
  static constexpr ScalarOf<T> zero_exponent = -1e30f;

  T mantissa;
  T exponent;

  Wide() = default;
  SOFTTRICKS_FN Wide(T m, T e) : mantissa(m), exponent(e) {}
  template <class U>
  requires std::is_arithmetic_v<U> SOFTTRICKS_FN explicit Wide(U x)
      : Wide(normalized(T(x), T(0))) {}

  SOFTTRICKS_FN static Wide normalized(T m, T e) {
    T mantissa, exponent;
    split2(m, mantissa, exponent);
    const auto zero = m == T(0);
    return {select(zero, T(0), mantissa), select(zero, T(zero_exponent), e + exponent)};
  }
};

template <class T>
struct Lanes<Wide<T>> : Lanes<T> {};

template <class T>
SOFTTRICKS_FN Wide<T> operator+(const Wide<T>& a, const Wide<T>& b) {
  const T top = max(a.exponent, b.exponent);
  return Wide<T>::normalized(
      scale2(a.mantissa, a.exponent - top) + scale2(b.mantissa, b.exponent - top), top);
}
template <class T>
SOFTTRICKS_FN Wide<T> operator-(const Wide<T>& a, const Wide<T>& b) {
  return a + Wide<T>(-b.mantissa, b.exponent);
}
template <class T>
SOFTTRICKS_FN Wide<T> operator*(const Wide<T>& a, const Wide<T>& b) {
  return Wide<T>::normalized(a.mantissa * b.mantissa, a.exponent + b.exponent);
}
template <class T>
SOFTTRICKS_FN Wide<T> mul_add(const Wide<T>& a, const Wide<T>& b, const Wide<T>& c) {
  const T exponent = a.exponent + b.exponent;
  const T top = max(exponent, c.exponent);
  return Wide<T>::normalized(
      mul_add(scale2(a.mantissa, exponent - top), b.mantissa, scale2(c.mantissa, c.exponent - top)),
      top);
}
template <class T>
SOFTTRICKS_FN Wide<T> reciprocal(const Wide<T>& x) {
  return Wide<T>::normalized(T(1) / x.mantissa, -x.exponent);
}
template <class Mask, class T>
SOFTTRICKS_FN Wide<T> select(Mask condition, const Wide<T>& yes, const Wide<T>& no) {
  return {select(condition, yes.mantissa, no.mantissa),
          select(condition, yes.exponent, no.exponent)};
}
template <class T>
SOFTTRICKS_FN auto is_zero(const Wide<T>& x) {
  return x.mantissa == T(0);
}

/// x as an N, which is T or Wide<T>.
template <class N, class T>
SOFTTRICKS_FN N widen(T x) {
  if constexpr (std::is_same_v<N, T>) {
    return x;
  } else {
    return N::normalized(x, T(0));
  }
}

/// The nearest T; 0 below its range. x must not be above it.
template <class T>
SOFTTRICKS_FN T narrow(const Wide<T>& x) {
  return scale2(x.mantissa, x.exponent);
}
template <class T>
SOFTTRICKS_FN T narrow(const T& x) {
  return x;
}

/// log(x) for x > 0, to T's absolute precision at the size of the result.
template <class T>
SOFTTRICKS_FN T log(const Wide<T>& x) {
  return mul_add(x.exponent, T(0.6931471805599453), log(x.mantissa));
}

/// exp(high + low), |low| at most half a unit in the last place of high, with a mantissa between
/// 1/3 and 3 instead of the canonical one. The exponent k = high/ln 2 is removed in three steps
/// (Cody and Waite), so that the mantissa is good to rounding, as measured, for |high| < 20,000 in
/// float and 1e6 in double; where multiply-adds are fused, 2^22 and 1e12. Beyond, mantissas stay
/// finite and order is kept, but a ratio of two such numbers is exact only where their arguments
/// are equal.
template <class T>
SOFTTRICKS_FN Wide<T> exp_apart(T high, T low = T(0)) {
  using Scalar = ScalarOf<T>;
  // ln 2 in pieces of 10 (float) or 21 (double) bits: k times a piece is exact.
  constexpr bool single = sizeof(Scalar) == 4;
  constexpr double first = single ? 0.693359375 : 0.69314670562744140625;
  constexpr double second = single ? -0.00021219253540039062 : 4.7493250778643414e-07;
  constexpr double third =
      single ? 0.693147180559945309417 - first - second : -3.883266933445891e-15;
  // Adding and taking away a number whose last place is 1 rounds to an integer.
  const T round(Scalar(1.5) * Scalar(std::uint64_t{1} << Ieee<Scalar>::mantissa_bits));
  const T k = (high * T(Scalar(1.4426950408889634)) + round) - round;
  T rest = high - k * T(Scalar(first));
  rest = rest - k * T(Scalar(second));
  rest = rest - k * T(Scalar(third)) + low;
  rest = max(T(Scalar(-1)), min(T(Scalar(1)), rest));
  return select(high == T(-infinity<T>), Wide<T>(T(0), T(Wide<T>::zero_exponent)),
                Wide<T>(exp_near_zero(rest), k));
}

/// The same in canonical form.
template <class T>
SOFTTRICKS_FN Wide<T> exp_wide(T high, T low) {
  const Wide<T> apart = exp_apart(high, low);
  return Wide<T>::normalized(apart.mantissa, apart.exponent);
}

}  // namespace softtricks
