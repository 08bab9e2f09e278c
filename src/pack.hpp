#pragma once
/// W numbers side by side, one per instance: the number type with which a solver's one text works
/// on W instances at once. Built on the vector extension of GCC and Clang, so that it becomes
/// whatever registers the compiler flags allow; intrinsics stand only where that misses an
/// instruction.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <utility>

#include "softtricks/base/random.hpp"

namespace softtricks {

template <class E, int W>
using Native [[gnu::vector_size(sizeof(E) * W)]] = E;

/// Lane-wise truth: all bits of a lane set, or none.
template <class Int, int W>
struct PackMask {
  Native<Int, W> v;

  SOFTTRICKS_FN PackMask operator&(PackMask o) const { return {v & o.v}; }
  SOFTTRICKS_FN PackMask operator|(PackMask o) const { return {v | o.v}; }
  SOFTTRICKS_FN PackMask operator!() const { return {~v}; }
};

template <class E, int W>
struct Pack {
  using Int = std::conditional_t<sizeof(E) == 4, std::int32_t, std::int64_t>;
  using Mask = PackMask<Int, W>;
  Native<E, W> v;

  Pack() = default;
  SOFTTRICKS_FN explicit Pack(Native<E, W> native) : v(native) {}
  template <class U>
  requires std::is_arithmetic_v<U> SOFTTRICKS_FN explicit Pack(U x)
      : v(static_cast<E>(x) - Native<E, W>{}) {}

  SOFTTRICKS_FN Pack operator+(Pack o) const { return Pack(v + o.v); }
  SOFTTRICKS_FN Pack operator-(Pack o) const { return Pack(v - o.v); }
  SOFTTRICKS_FN Pack operator*(Pack o) const { return Pack(v * o.v); }
  SOFTTRICKS_FN Pack operator/(Pack o) const { return Pack(v / o.v); }
  SOFTTRICKS_FN Pack operator-() const { return Pack(-v); }
  SOFTTRICKS_FN Pack operator^(Pack o) const { return Pack(v ^ o.v); }
  SOFTTRICKS_FN Pack operator&(Pack o) const { return Pack(v & o.v); }
  SOFTTRICKS_FN Pack operator|(Pack o) const { return Pack(v | o.v); }
  SOFTTRICKS_FN Pack operator~() const {
    Native<E, W> ones = ~Native<E, W>{};
#if defined(__AVX512F__)
    // GCC's instruction for ~ waits for whatever its target register held before; it must not see
    // that this is one.
    if constexpr (sizeof(v) == 64) asm("" : "+v"(ones));
#endif
    return Pack(v ^ ones);
  }
  SOFTTRICKS_FN Pack operator<<(int n) const { return Pack(v << n); }
  SOFTTRICKS_FN Pack operator>>(int n) const { return Pack(v >> n); }

  SOFTTRICKS_FN Mask operator==(Pack o) const { return {v == o.v}; }
  SOFTTRICKS_FN Mask operator!=(Pack o) const { return {v != o.v}; }
  SOFTTRICKS_FN Mask operator<(Pack o) const { return {v < o.v}; }
  SOFTTRICKS_FN Mask operator>(Pack o) const { return {v > o.v}; }
  SOFTTRICKS_FN Mask operator<=(Pack o) const { return {v <= o.v}; }
  SOFTTRICKS_FN Mask operator>=(Pack o) const { return {v >= o.v}; }
};

template <class E, int W>
struct Lanes<Pack<E, W>> {
  using Scalar = E;
  using Int = Pack<typename Pack<E, W>::Int, W>;
  using Bits = Pack<std::make_unsigned_t<typename Pack<E, W>::Int>, W>;
  using Word = Pack<std::uint32_t, W>;
  using Mask = typename Pack<E, W>::Mask;
  static constexpr int count = W;
};

template <class To, class E, int W>
SOFTTRICKS_FN Pack<To, W> convert(Pack<E, W> x) {
  return Pack<To, W>(__builtin_convertvector(x.v, Native<To, W>));
}
template <class To, class E, int W>
SOFTTRICKS_FN Pack<To, W> reinterpret(Pack<E, W> x) {
  return Pack<To, W>((Native<To, W>)x.v);
}

template <class Int, class E, int W>
SOFTTRICKS_FN Pack<E, W> select(PackMask<Int, W> m, Pack<E, W> yes, Pack<E, W> no) {
  return Pack<E, W>(m.v ? yes.v : no.v);
}

template <class Int, int W>
SOFTTRICKS_FN bool any(PackMask<Int, W> m) {
  constexpr int words = sizeof(m.v) / sizeof(std::uint64_t);
  std::uint64_t word[words], all = 0;
  std::memcpy(word, &m.v, sizeof m.v);
  for (int i = 0; i < words; ++i) all |= word[i];
  return all != 0;
}
#if defined(__AVX512DQ__)
SOFTTRICKS_FN bool any(PackMask<std::int32_t, 16> m) {
  return _mm512_movepi32_mask((__m512i)m.v) != 0;
}
SOFTTRICKS_FN bool any(PackMask<std::int64_t, 8> m) {
  return _mm512_movepi64_mask((__m512i)m.v) != 0;
}
#endif

#if defined(__AVX512F__)
/// The first `count` lanes from memory, 0 in the others; and back. Without a call of memcpy.
SOFTTRICKS_FN void load_part(Pack<float, 16>& x, const float* source, int count) {
  x.v = (Native<float, 16>)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), source);
}
SOFTTRICKS_FN void load_part(Pack<double, 8>& x, const double* source, int count) {
  x.v = (Native<double, 8>)_mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), source);
}
SOFTTRICKS_FN void store_part(const Pack<float, 16>& x, float* target, int count) {
  _mm512_mask_storeu_ps(target, (__mmask16)((1u << count) - 1), (__m512)x.v);
}
SOFTTRICKS_FN void store_part(const Pack<double, 8>& x, double* target, int count) {
  _mm512_mask_storeu_pd(target, (__mmask8)((1u << count) - 1), (__m512d)x.v);
}
#endif

// GCC makes two instructions of a comparison and a choice, for the sake of NaN; these return the
// second operand then, as the choice does.
template <class E, int W>
SOFTTRICKS_FN Pack<E, W> min(Pack<E, W> a, Pack<E, W> b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(a.v) == 64 && std::is_same_v<E, float>) {
    return Pack<E, W>((Native<E, W>)_mm512_maskz_min_ps(0xFFFF, (__m512)a.v, (__m512)b.v));
  } else if constexpr (sizeof(a.v) == 64 && std::is_same_v<E, double>) {
    return Pack<E, W>((Native<E, W>)_mm512_maskz_min_pd(0xFF, (__m512d)a.v, (__m512d)b.v));
  }
#endif
  return Pack<E, W>(a.v < b.v ? a.v : b.v);
}
template <class E, int W>
SOFTTRICKS_FN Pack<E, W> max(Pack<E, W> a, Pack<E, W> b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(a.v) == 64 && std::is_same_v<E, float>) {
    return Pack<E, W>((Native<E, W>)_mm512_maskz_max_ps(0xFFFF, (__m512)a.v, (__m512)b.v));
  } else if constexpr (sizeof(a.v) == 64 && std::is_same_v<E, double>) {
    return Pack<E, W>((Native<E, W>)_mm512_maskz_max_pd(0xFF, (__m512d)a.v, (__m512d)b.v));
  }
#endif
  return Pack<E, W>(a.v > b.v ? a.v : b.v);
}
template <class E, int W>
SOFTTRICKS_FN Pack<E, W> mul_add(Pack<E, W> a, Pack<E, W> b, Pack<E, W> c) {
  return Pack<E, W>(a.v * b.v + c.v);
}
template <class E, int W>
SOFTTRICKS_FN BitsOf<Pack<E, W>> to_bits(Pack<E, W> x) {
  return BitsOf<Pack<E, W>>((decltype(BitsOf<Pack<E, W>>::v))x.v);
}
template <class T>
requires(Lanes<T>::count > 1) SOFTTRICKS_FN T from_bits(BitsOf<T> bits) {
  return T((decltype(T::v))bits.v);
}
template <class E, int W>
SOFTTRICKS_FN Pack<E, W> abs(Pack<E, W> x) {
  const BitsOf<Pack<E, W>> all(-1);
  return from_bits<Pack<E, W>>(to_bits(x) & (all >> 1));
}
template <class E, int W>
SOFTTRICKS_FN Pack<E, W> sqrt(Pack<E, W> x) {
  for (int l = 0; l < W; ++l) x.v[l] = std::sqrt(x.v[l]);
  return x;
}

template <class T>
requires(Lanes<T>::count > 1) SOFTTRICKS_FN T from_rank(BitsOf<T> rank) {
  using Int = IntOf<T>;
  const Int order((decltype(Int::v))rank.v);
  const Int flip(std::numeric_limits<typename T::Int>::max());
  return T((decltype(T::v))select(order < Int(0), order ^ flip, order).v);
}

template <class E, int W>
SOFTTRICKS_FN Pack<E, W> scale2(Pack<E, W> x, Pack<E, W> e) {
  using T = Pack<E, W>;
#if defined(__AVX512F__)
  // Unlike the text in base/math.hpp this keeps subnormal results.
  if constexpr (sizeof(x.v) == 64 && sizeof(E) == 4) {
    return T((Native<E, W>)_mm512_maskz_scalef_ps(0xFFFF, (__m512)x.v, (__m512)e.v));
  } else if constexpr (sizeof(x.v) == 64) {
    return T((Native<E, W>)_mm512_maskz_scalef_pd(0xFF, (__m512d)x.v, (__m512d)e.v));
  }
#endif
  using L = Ieee<E>;
  const auto biased = convert<typename T::Int>(max(e, T(-L::bias)) + T(L::bias));
  return x * T((Native<E, W>)(biased << L::mantissa_bits).v);
}

template <class E, int W>
SOFTTRICKS_FN void split2(Pack<E, W> x, Pack<E, W>& mantissa, Pack<E, W>& exponent) {
  using T = Pack<E, W>;
#if defined(__AVX512F__)
  constexpr auto interval = _MM_MANT_NORM_1_2;
  constexpr auto sign = _MM_MANT_SIGN_src;
  if constexpr (sizeof(x.v) == 64 && sizeof(E) == 4) {
    mantissa = T((Native<E, W>)_mm512_maskz_getmant_ps(0xFFFF, (__m512)x.v, interval, sign));
    exponent = T((Native<E, W>)_mm512_maskz_getexp_ps(0xFFFF, (__m512)x.v));
    return;
  } else if constexpr (sizeof(x.v) == 64) {
    mantissa = T((Native<E, W>)_mm512_maskz_getmant_pd(0xFF, (__m512d)x.v, interval, sign));
    exponent = T((Native<E, W>)_mm512_maskz_getexp_pd(0xFF, (__m512d)x.v));
    return;
  }
#endif
  using L = Ieee<E>;
  using Bits = BitsOf<T>;
  const Bits bits = to_bits(x);
  const Bits field = Bits((1u << (8 * sizeof(E) - 1 - L::mantissa_bits)) - 1);
  const Bits biased = (bits >> L::mantissa_bits) & field;
  exponent = convert<E>(reinterpret<typename T::Int>(biased)) - T(L::bias);
  mantissa =
      from_bits<T>((bits & ~(field << L::mantissa_bits)) | (Bits(L::bias) << L::mantissa_bits));
}

namespace pack_detail {

/// ln 2 in two pieces, the first short enough for an exact product with an exponent.
template <class T>
SOFTTRICKS_FN T ln2_high() {
  return T(ScalarOf<T>(sizeof(ScalarOf<T>) == 4 ? 0.693359375 : 6.93147180369123816490e-01));
}
template <class T>
SOFTTRICKS_FN T ln2_low() {
  return T(
      ScalarOf<T>(sizeof(ScalarOf<T>) == 4 ? -2.12194440054690583e-4 : 1.90821492927058770002e-10));
}

/// e^r for |r| <= ln(2) / 2, by Taylor's series to rounding: 8 terms in float, 14 in double.
template <class T>
SOFTTRICKS_FN T exp_series(T r) {
  using Scalar = ScalarOf<T>;
  constexpr int degree = sizeof(Scalar) == 4 ? 7 : 13;
  double factorial = 1;
  for (int i = 2; i <= degree; ++i) factorial *= i;
  T sum(Scalar(1 / factorial));
  for (int i = degree; i > 0; --i) {
    factorial /= i;
    sum = mul_add(sum, r, T(Scalar(1 / factorial)));
  }
  return sum;
}

/// log(1 + f) + e ln 2 for -0.3 < f < 0.42: 2 atanh(s), s = f / (2 + f), as a series in s^2.
template <class T>
SOFTTRICKS_FN T log_series(T f, T e) {
  using Scalar = ScalarOf<T>;
  constexpr bool single = sizeof(Scalar) == 4;
  constexpr int last = single ? 9 : 23;
  const T s = f / (T(2) + f), square = s * s;
  T sum(Scalar(2.0 / last));
  for (int i = last - 2; i >= 3; i -= 2) sum = mul_add(sum, square, T(Scalar(2.0 / i)));
  // f - s f + ...: the leading term without the rounding of the quotient.
  const T rest = mul_add(sum * square, s, -s * f);
  const T tail = mul_add(e, ln2_low<T>(), rest);
  return mul_add(e, ln2_high<T>(), f + tail);
}

}  // namespace pack_detail

template <class E, int W>
SOFTTRICKS_FN Pack<E, W> exp(Pack<E, W> x) {
  using T = Pack<E, W>;
  constexpr bool single = sizeof(E) == 4;
  // 0 below 2^-125 (float) or 2^-1021 (double): all that is met on the way is then normal.
  const T least(single ? E(-86.6434) : E(-707.7032713652975));
  const T most(single ? E(88.722839) : E(709.782712893384));
  const T inside = max(least, min(most, x));
  const T magic(E(1.5) * E(std::uint64_t{1} << Ieee<E>::mantissa_bits));
  const T k = (inside * T(E(1.4426950408889634)) + magic) - magic;
  const T r = (inside - k * pack_detail::ln2_high<T>()) - k * pack_detail::ln2_low<T>();
  const T y = scale2(pack_detail::exp_series(r) * T(2), k - T(1));
  const T finite = select(x > most, T(infinity<T>), select(x < least, T(0), y));
  return select(x == x, finite, x);
}

template <class E, int W>
SOFTTRICKS_FN Pack<E, W> exp_near_zero(Pack<E, W> x) {
  return pack_detail::exp_series(x);
}

namespace pack_detail {

/// x = (1 + f) 2^e with -0.3 < f < 0.42, for normal x > 0.
template <class T>
SOFTTRICKS_FN void log_parts(T x, T& f, T& e) {
  using Scalar = ScalarOf<T>;
  T m;
  split2(x, m, e);
  const auto upper = m > T(Scalar(1.4142135623730951));
  f = select(upper, m * T(Scalar(0.5)), m) - T(1);
  e = select(upper, e + T(1), e);
}

}  // namespace pack_detail

template <class E, int W>
SOFTTRICKS_FN Pack<E, W> log_of_normal(Pack<E, W> x) {
  Pack<E, W> f, e;
  pack_detail::log_parts(x, f, e);
  return pack_detail::log_series(f, e);
}

template <class E, int W>
SOFTTRICKS_FN Pack<E, W> log(Pack<E, W> x) {
  using T = Pack<E, W>;
  constexpr int bits = Ieee<E>::mantissa_bits + 1;
  const auto subnormal = x < T(std::numeric_limits<E>::min());
  T f, e;
  pack_detail::log_parts(select(subnormal, x * T(std::uint64_t{1} << bits), x), f, e);
  const T y = pack_detail::log_series(f, select(subnormal, e - T(bits), e));
  const T positive = select(x < T(infinity<T>), y, x);
  return select(x > T(0), positive, select(x == T(0), T(-infinity<T>), T(not_a_number<T>)));
}

template <class E, int W>
SOFTTRICKS_FN Pack<E, W> log_from_both(Pack<E, W> x, Pack<E, W> one_minus_x) {
  using T = Pack<E, W>;
  T f, e;
  pack_detail::log_parts(x, f, e);
  const auto near = one_minus_x < T(E(0.25));
  const T y = pack_detail::log_series(select(near, -one_minus_x, f), select(near, T(0), e));
  return select(x > T(0), y, T(-infinity<T>));
}

template <int W>
SOFTTRICKS_FN Pack<std::uint32_t, W> multiply_high(Pack<std::uint32_t, W> a,
                                                   Pack<std::uint32_t, W> b) {
#if defined(__AVX512F__)
  if constexpr (W == 16) {
    const __m512i even = _mm512_mul_epu32((__m512i)a.v, (__m512i)b.v);
    const __m512i odd =
        _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a.v, 32), _mm512_srli_epi64((__m512i)b.v, 32));
    return Pack<std::uint32_t, W>(
        (Native<std::uint32_t, W>)_mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xAAAA, odd));
  }
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) {
    const __m256i even = _mm256_mul_epu32((__m256i)a.v, (__m256i)b.v);
    const __m256i odd =
        _mm256_mul_epu32(_mm256_srli_epi64((__m256i)a.v, 32), _mm256_srli_epi64((__m256i)b.v, 32));
    return Pack<std::uint32_t, W>(
        (Native<std::uint32_t, W>)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA));
  }
#endif
  for (int l = 0; l < W; ++l) {
    a.v[l] = softtricks::multiply_high(std::uint32_t{a.v[l]}, std::uint32_t{b.v[l]});
  }
  return a;
}

template <class T>
requires(Lanes<T>::count > 1) SOFTTRICKS_FN T float_from_word(WordOf<T> word) {
  return T(__builtin_convertvector(word.v, decltype(T::v)));
}

namespace pack_detail {

/// Combines the two halves of a pack until one number is left.
template <class E, int W, class F, int... l>
SOFTTRICKS_FN E fold_lanes(Pack<E, W> x, F f, std::integer_sequence<int, l...>) {
  using Half = Pack<E, W / 2>;
  const Half low(__builtin_shufflevector(x.v, x.v, l...));
  const Half high(__builtin_shufflevector(x.v, x.v, (l + W / 2)...));
  if constexpr (W == 2) {
    return f(low, high).v[0];
  } else {
    return fold_lanes(f(low, high), f, std::make_integer_sequence<int, W / 4>());
  }
}

}  // namespace pack_detail

template <class E, int W>
SOFTTRICKS_FN E sum_of_lanes(Pack<E, W> x) {
  return pack_detail::fold_lanes(
      x, [](auto a, auto b) { return a + b; }, std::make_integer_sequence<int, W / 2>());
}
template <class E, int W>
SOFTTRICKS_FN E max_of_lanes(Pack<E, W> x) {
  return pack_detail::fold_lanes(
      x, [](auto a, auto b) { return max(a, b); }, std::make_integer_sequence<int, W / 2>());
}

namespace pack_detail {

/// Exchanges the off-diagonal blocks of `half` lanes between rows that are `half` apart.
template <int half, class E, int W, int... l>
SOFTTRICKS_FN void exchange_blocks(Pack<E, W>* row, std::integer_sequence<int, l...>) {
  for (int i = 0; i < W; ++i) {
    if ((i & half) != 0) continue;
    const auto a = row[i].v, b = row[i + half].v;
    row[i].v = __builtin_shufflevector(a, b, ((l & half) != 0 ? W + l - half : l)...);
    row[i + half].v = __builtin_shufflevector(a, b, ((l & half) != 0 ? W + l : l + half)...);
  }
}

template <int half, class E, int W>
SOFTTRICKS_FN void transpose_from(Pack<E, W>* row) {
  if constexpr (half < W) {
    exchange_blocks<half>(row, std::make_integer_sequence<int, W>());
    transpose_from<2 * half>(row);
  }
}

}  // namespace pack_detail

/// Transposes a W x W block: lane j of row i and lane i of row j change places (Eklundh's method).
template <class E, int W>
SOFTTRICKS_FN void transpose(Pack<E, W>* row) {
  pack_detail::transpose_from<1>(row);
}

}  // namespace softtricks
