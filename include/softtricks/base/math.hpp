#pragma once
/// The vocabulary of numbers. Every solver is written against these names, found by
/// argument-dependent lookup for packs, duals and wide numbers, and here for float and double.
///
///   Lanes<T>      Scalar (float or double), Bits (unsigned, as wide), Word (32 bits), Mask, count
///   select        lane-wise choice; `any`: is it true in some lane
///   exp exp_near_zero log log_of_normal log1m log_from_both, min max abs, to_bits from_bits
///   mul_add       a * b + c, rounded once where the machine can
///   scale2        x * 2^e for integral e;  split2  x = mantissa * 2^exponent, 1 <= |mantissa| < 2
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "softtricks/base/config.hpp"

namespace softtricks {

template <class T>
struct Lanes;

template <>
struct Lanes<float> {
  using Scalar = float;
  using Bits = std::uint32_t;
  using Int = std::int32_t;
  using Word = std::uint32_t;
  using Mask = bool;
  static constexpr int count = 1;
};

template <>
struct Lanes<double> {
  using Scalar = double;
  using Bits = std::uint64_t;
  using Int = std::int64_t;
  using Word = std::uint32_t;
  using Mask = bool;
  static constexpr int count = 1;
};

template <class T>
using ScalarOf = typename Lanes<T>::Scalar;
template <class T>
using BitsOf = typename Lanes<T>::Bits;
template <class T>
using IntOf = typename Lanes<T>::Int;
template <class T>
using WordOf = typename Lanes<T>::Word;
template <class T>
using MaskOf = typename Lanes<T>::Mask;

template <class T>
concept Plain = std::is_same_v<T, float> || std::is_same_v<T, double>;

/// The layout of an IEEE number.
template <class Scalar>
struct Ieee;
template <>
struct Ieee<float> {
  using Int = std::int32_t;
  static constexpr int mantissa_bits = 23, bias = 127;
};
template <>
struct Ieee<double> {
  using Int = std::int64_t;
  static constexpr int mantissa_bits = 52, bias = 1023;
};

template <class T>
inline constexpr ScalarOf<T> infinity = std::numeric_limits<ScalarOf<T>>::infinity();
template <class T>
inline constexpr ScalarOf<T> not_a_number = std::numeric_limits<ScalarOf<T>>::quiet_NaN();
template <class T>
inline constexpr ScalarOf<T> epsilon = std::numeric_limits<ScalarOf<T>>::epsilon();

template <Plain T>
SOFTTRICKS_FN T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}
SOFTTRICKS_FN bool any(bool condition) { return condition; }
template <Plain T>
SOFTTRICKS_FN T min(T a, T b) {
  return a < b ? a : b;
}
template <Plain T>
SOFTTRICKS_FN T max(T a, T b) {
  return a > b ? a : b;
}
template <Plain T>
SOFTTRICKS_FN T exp(T x) {
  return std::exp(x);
}
/// exp(x) to rounding for |x| <= ln(2) / 2; positive and increasing for |x| <= 1.
template <Plain T>
SOFTTRICKS_FN T exp_near_zero(T x) {
  return std::exp(x);
}
template <Plain T>
SOFTTRICKS_FN T log(T x) {
  return std::log(x);
}
/// log(x) for a positive normal number.
template <Plain T>
SOFTTRICKS_FN T log_of_normal(T x) {
  return std::log(x);
}
/// log(x) for x in [0, 1], not subnormal, given also 1 - x, exact to rounding near both ends.
template <Plain T>
SOFTTRICKS_FN T log_from_both(T x, T one_minus_x) {
  return one_minus_x < T(0.25) ? std::log1p(-one_minus_x) : std::log(x);
}
/// log(1 - x) for x in [0, 1).
template <class T>
SOFTTRICKS_FN T log1m(T x) {
  return log_from_both(T(1) - x, x);
}
template <Plain T>
SOFTTRICKS_FN T sqrt(T x) {
  return std::sqrt(x);
}
template <Plain T>
SOFTTRICKS_FN T abs(T x) {
  return std::fabs(x);
}
template <Plain T>
SOFTTRICKS_FN T mul_add(T a, T b, T c) {
  return a * b + c;
}

template <Plain T>
SOFTTRICKS_FN BitsOf<T> to_bits(T x) {
  BitsOf<T> bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
template <Plain T>
SOFTTRICKS_FN T from_bits(BitsOf<T> bits) {
  T x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

/// x * 2^e for integral e; 0 where e is below the normal range. e must not exceed it.
template <Plain T>
SOFTTRICKS_FN T scale2(T x, T e) {
  using L = Ieee<T>;
  const T low = static_cast<T>(-L::bias);  // the biased exponent 0 is the number 0
  const auto biased = static_cast<typename L::Int>(max(e, low)) + L::bias;
  return x * from_bits<T>(static_cast<BitsOf<T>>(biased) << L::mantissa_bits);
}

/// Splits a normal number x into mantissa * 2^exponent with 1 <= |mantissa| < 2.
template <Plain T>
SOFTTRICKS_FN void split2(T x, T& mantissa, T& exponent) {
  using L = Ieee<T>;
  constexpr BitsOf<T> one = 1;
  constexpr BitsOf<T> field = (one << (8 * sizeof(T) - 1 - L::mantissa_bits)) - 1;
  const BitsOf<T> bits = to_bits(x);
  const auto biased = static_cast<typename L::Int>((bits >> L::mantissa_bits) & field);
  exponent = static_cast<T>(biased - L::bias);
  mantissa = from_bits<T>((bits & ~(field << L::mantissa_bits)) |
                          (static_cast<BitsOf<T>>(L::bias) << L::mantissa_bits));
}

/// 1 / (1 + exp(-x)), with full relative accuracy in both tails.
template <class T>
SOFTTRICKS_FN T sigmoid(T x) {
  const T e = exp(-abs(x));
  return select(x >= T(0), T(1), e) / (T(1) + e);
}

/// log(1 + exp(x)).
template <class T>
SOFTTRICKS_FN T softplus(T x) {
  return max(x, T(0)) - log1m(sigmoid(-abs(x)));
}

/// a - b = high + low, exactly (Knuth's two-sum).
template <class T>
SOFTTRICKS_FN void exact_difference(T a, T b, T& high, T& low) {
  high = a - b;
  const T back = high - a;
  low = (a - (high - back)) - (b + back);
}

template <class T>
requires requires { typename Lanes<T>::Scalar; }
SOFTTRICKS_FN auto is_zero(T x) { return x == T(0); }
template <class T>
SOFTTRICKS_FN T reciprocal(T x) {
  return T(1) / x;
}
/// Numbers in order: the bits, as a signed integer, of a rank r (-0 just below +0) give a number
/// that grows with r.
template <Plain T>
SOFTTRICKS_FN T from_rank(BitsOf<T> rank) {
  constexpr BitsOf<T> top = BitsOf<T>(1) << (8 * sizeof(T) - 1);
  return from_bits<T>((rank & top) != 0 ? rank ^ (top - 1) : rank);
}
template <class I>
requires std::is_integral_v<I> SOFTTRICKS_FN I select(bool condition, I yes, I no) {
  return condition ? yes : no;
}

template <class T>
SOFTTRICKS_FN auto is_finite(T x) {
  return abs(x) <= T(std::numeric_limits<ScalarOf<T>>::max());
}
template <class T>
SOFTTRICKS_FN auto is_nan(T x) {
  return x != x;
}

}  // namespace softtricks
