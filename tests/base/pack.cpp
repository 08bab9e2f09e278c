/// The arithmetic of packs against long double. Compiled once for each instruction set, as the
/// kernels are; skipped where the machine lacks it.
#include "pack.hpp"

#include <random>

#include <gtest/gtest.h>

#include "softtricks/base/wide.hpp"

namespace softtricks {
namespace {

constexpr int register_bytes = SOFTTRICKS_ISA == 2 ? 64 : SOFTTRICKS_ISA == 1 ? 32 : 16;

template <class E>
using PackOf = Pack<E, register_bytes / static_cast<int>(sizeof(E))>;

template <class E>
class Packs : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Packs, Scalars);

template <class E>
E first(const PackOf<E>& x) {
  return x.v[0];
}

/// Every lane must say the same.
template <class E, class F>
E apply(E x, F f) {
  const PackOf<E> y = f(PackOf<E>(x));
  for (int l = 1; l < Lanes<PackOf<E>>::count; ++l) {
    EXPECT_TRUE(y.v[l] == y.v[0] || (y.v[l] != y.v[l] && y.v[0] != y.v[0]));
  }
  return first<E>(y);
}

/// |got - exact| in units of the last place of exact; beside subnormal numbers the least normal
/// number's unit counts.
template <class E>
double ulps(E got, long double exact) {
  const int least = std::numeric_limits<E>::min_exponent - std::numeric_limits<E>::digits;
  const int place = exact == 0 ? least : std::ilogb(exact) - std::numeric_limits<E>::digits + 1;
  const long double unit = std::ldexp(1.0L, std::max(place, least));
  return static_cast<double>(std::fabs(static_cast<long double>(got) - exact) / unit);
}

/// Numbers over the whole range of exponents, of one sign.
template <class E>
std::vector<E> all_magnitudes() {
  std::mt19937 random(4);
  std::uniform_real_distribution<double> mantissa(1, 2);
  std::vector<E> all;
  for (int e = std::numeric_limits<E>::min_exponent - 1; e < std::numeric_limits<E>::max_exponent;
       ++e) {
    for (int i = 0; i < 40; ++i) all.push_back(std::ldexp(E(mantissa(random)), e));
  }
  return all;
}

template <class E>
std::vector<E> numbers_between(double low, double high, int count) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> law(low, high);
  std::vector<E> all;
  for (int i = 0; i < count; ++i) all.push_back(static_cast<E>(law(random)));
  return all;
}

template <class E>
double worst_ulps(const std::vector<E>& inputs, auto f, auto exact) {
  double worst = 0;
  for (const E x : inputs) {
    worst = std::max(
        worst, ulps(apply(x, f), static_cast<long double>(exact(static_cast<long double>(x)))));
  }
  return worst;
}

TYPED_TEST(Packs, Exp) {
  using E = TypeParam;
  const auto f = [](auto x) { return exp(x); };
  const auto exact = [](long double x) { return std::exp(x); };
  const double low = sizeof(E) == 4 ? -86.64 : -707.7, high = sizeof(E) == 4 ? 88.72 : 709.78;
  EXPECT_LT(worst_ulps(numbers_between<E>(low, high, 40000), f, exact), 1.5);
  EXPECT_LT(worst_ulps(numbers_between<E>(-1, 1, 40000), f, exact), 1.5);
  EXPECT_EQ(apply(E(0), f), 1);
  EXPECT_EQ(apply(E(-0.0), f), 1);
  EXPECT_EQ(apply(infinity<E>, f), infinity<E>);
  EXPECT_EQ(apply(-infinity<E>, f), 0);
  EXPECT_EQ(apply(std::numeric_limits<E>::max(), f), infinity<E>);
  EXPECT_EQ(apply(std::numeric_limits<E>::lowest(), f), 0);
  EXPECT_TRUE(std::isnan(apply(not_a_number<E>, f)));
  // Below twice the least normal number: what is due, or 0.
  for (const E x : numbers_between<E>(low * 1.2, low, 1000)) {
    const E y = apply(x, f);
    if (y != 0) {
      EXPECT_LT(ulps(y, std::exp(static_cast<long double>(x))), 1.5);
    }
  }
}

TYPED_TEST(Packs, Log) {
  using E = TypeParam;
  const auto f = [](auto x) { return log(x); };
  const auto exact = [](long double x) { return std::log(x); };
  EXPECT_LT(worst_ulps(all_magnitudes<E>(), f, exact), 1.5);
  EXPECT_LT(worst_ulps(numbers_between<E>(0.5, 2, 40000), f, exact), 2);
  EXPECT_LT(worst_ulps(numbers_between<E>(0.999, 1.001, 10000), f, exact), 2);
  EXPECT_EQ(apply(E(1), f), 0);
  EXPECT_EQ(apply(E(0), f), -infinity<E>);
  EXPECT_EQ(apply(E(-0.0), f), -infinity<E>);
  EXPECT_EQ(apply(infinity<E>, f), infinity<E>);
  EXPECT_TRUE(std::isnan(apply(E(-1), f)));
  EXPECT_TRUE(std::isnan(apply(-infinity<E>, f)));
  EXPECT_TRUE(std::isnan(apply(not_a_number<E>, f)));
  const E subnormal = std::numeric_limits<E>::denorm_min();
  for (const E x : {subnormal, subnormal * 3, std::numeric_limits<E>::min() / 2}) {
    EXPECT_LT(ulps(apply(x, f), std::log(static_cast<long double>(x))), 1.5);
  }
}

TYPED_TEST(Packs, Log1m) {
  using E = TypeParam;
  const auto f = [](auto x) { return log1m(x); };
  const auto exact = [](long double x) { return std::log1p(-x); };
  EXPECT_LT(worst_ulps(numbers_between<E>(0, 1, 40000), f, exact), 2.5);
  EXPECT_LT(worst_ulps(numbers_between<E>(0.24, 0.3, 40000), f, exact), 2.5);
  std::vector<E> small;
  for (const E x : all_magnitudes<E>()) {
    if (x < E(0.5)) small.push_back(x);
  }
  EXPECT_LT(worst_ulps(small, f, exact), 2);
  EXPECT_EQ(apply(E(0), f), 0);
}

TYPED_TEST(Packs, SigmoidAndSoftplus) {
  using E = TypeParam;
  const double low = sizeof(E) == 4 ? -86.6 : -707.7;
  const auto sigmoid_exact = [](long double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_LT(
      worst_ulps(
          numbers_between<E>(low, 40, 40000), [](auto x) { return sigmoid(x); }, sigmoid_exact),
      3);
  EXPECT_LT(worst_ulps(
                numbers_between<E>(low, 40, 40000), [](auto x) { return softplus(x); },
                [](long double x) { return std::log1p(std::exp(x)); }),
            4);
  EXPECT_EQ(apply(-infinity<E>, [](auto x) { return sigmoid(x); }), 0);
  EXPECT_EQ(apply(infinity<E>, [](auto x) { return sigmoid(x); }), 1);
  EXPECT_EQ(apply(-infinity<E>, [](auto x) { return softplus(x); }), 0);
}

TYPED_TEST(Packs, AbsSqrtMinMax) {
  using E = TypeParam;
  const E big = std::ldexp(E(1), std::numeric_limits<E>::digits);
  for (const E x : {E(0), E(-0.0), E(0.5), E(1.5), E(2.5), E(-0.5), E(-2.5), E(0.49999), E(3.7),
                    big / 2 + E(0.5), big - 1, big, big * 8, E(1e30), E(-1e30)}) {
    EXPECT_EQ(apply(x, [](auto y) { return abs(y); }), std::fabs(x)) << x;
    if (x >= 0) {
      EXPECT_EQ(apply(x, [](auto y) { return sqrt(y); }), std::sqrt(x)) << x;
    }
    EXPECT_EQ(apply(x, [](auto y) { return min(y, decltype(y)(1)); }), std::fmin(x, E(1)));
    EXPECT_EQ(apply(x, [](auto y) { return max(y, decltype(y)(1)); }), std::fmax(x, E(1)));
  }
}

TYPED_TEST(Packs, SplitAndScale) {
  using E = TypeParam;
  using T = PackOf<E>;
  for (const E size : all_magnitudes<E>()) {
    for (const E x : {size, -size}) {
      T m, e;
      split2(T(x), m, e);
      EXPECT_GE(std::fabs(first<E>(m)), 1);
      EXPECT_LT(std::fabs(first<E>(m)), 2);
      EXPECT_EQ(std::ldexp(first<E>(m), static_cast<int>(first<E>(e))), x);
      EXPECT_EQ(first<E>(scale2(m, e)), x);
    }
  }
  // Far below: 0. (Exponents that no number has are what Wide asks for.)
  for (const E e : {E(-200000), E(-3e30), E(-1200)}) EXPECT_EQ(first<E>(scale2(T(1.5), T(e))), 0);
}

TYPED_TEST(Packs, RanksAreInOrder) {
  using E = TypeParam;
  using T = PackOf<E>;
  using Bits = BitsOf<T>;
  using U = std::make_unsigned_t<typename T::Int>;
  const auto at = [](U rank) { return first<E>(from_rank<T>(Bits(rank))); };
  const U zero = 0, top = U(1) << (8 * sizeof(E) - 1);
  EXPECT_EQ(at(zero), 0);
  EXPECT_FALSE(std::signbit(at(zero)));
  EXPECT_EQ(at(zero - 1), 0);
  EXPECT_TRUE(std::signbit(at(zero - 1)));
  std::mt19937_64 random(6);
  for (int i = 0; i < 5000; ++i) {
    const U a = static_cast<U>(random());
    const U b = a + 1;
    if (std::isnan(at(a)) || std::isnan(at(b))) continue;
    EXPECT_EQ(at(a), from_rank<E>(a));
    if (b != top) {
      EXPECT_LE(at(a), at(b));
    }
  }
}

TYPED_TEST(Packs, SelectAnyAndMasks) {
  using E = TypeParam;
  using T = PackOf<E>;
  constexpr int width = Lanes<T>::count;
  for (int l = 0; l < width; ++l) {
    T x(0);
    x.v[l] = 1;
    const auto mask = x > T(0);
    EXPECT_TRUE(any(mask));
    EXPECT_FALSE(any(mask & !mask));
    EXPECT_TRUE(any(mask | !mask));
    const T y = select(mask, T(5), T(7));
    for (int i = 0; i < width; ++i) EXPECT_EQ(y.v[i], i == l ? 5 : 7);
  }
  EXPECT_FALSE(any(T(0) > T(0)));
}

TYPED_TEST(Packs, Transpose) {
  using E = TypeParam;
  using T = PackOf<E>;
  constexpr int width = Lanes<T>::count;
  T row[width];
  for (int i = 0; i < width; ++i) {
    for (int l = 0; l < width; ++l) row[i].v[l] = static_cast<E>(100 * i + l);
  }
  transpose(row);
  for (int i = 0; i < width; ++i) {
    for (int l = 0; l < width; ++l) EXPECT_EQ(row[i].v[l], 100 * l + i);
  }
}

/// The random words of a lane are those of its counter alone, and so are the uniforms.
TYPED_TEST(Packs, Philox) {
  using E = TypeParam;
  using T = PackOf<E>;
  using U32 = WordOf<T>;
  U32 low;
  for (int l = 0; l < Lanes<T>::count; ++l) low.v[l] = 1000003u * static_cast<std::uint32_t>(l) + 5;
  const Words<U32> words = philox(U32(3u), low, U32(7u), U32(11u), 0x123456789ABCDEFull);
  const Uniform<T> u = uniform_from_words<T>(words.word[0], words.word[1]);
  for (int l = 0; l < Lanes<T>::count; ++l) {
    const auto alone = philox<std::uint32_t>(3u, low.v[l], 7u, 11u, 0x123456789ABCDEFull);
    for (int w = 0; w < 4; ++w) EXPECT_EQ(words.word[w].v[l], alone.word[w]);
    const Uniform<E> v = uniform_from_words<E>(alone.word[0], alone.word[1]);
    EXPECT_EQ(u.below.v[l], v.below);
    EXPECT_EQ(u.above.v[l], v.above);
  }
}

/// Wide numbers of packs: lanes far apart don't disturb each other.
TYPED_TEST(Packs, WideLanes) {
  using E = TypeParam;
  using T = PackOf<E>;
  constexpr int width = Lanes<T>::count;
  T high;
  for (int l = 0; l < width; ++l) high.v[l] = static_cast<E>(-100.25 * l * l);
  high.v[width - 1] = -infinity<E>;
  const Wide<T> x = exp_wide(high, T(0)), y = x + x, z = mul_add(x, y, x);
  for (int l = 0; l < width; ++l) {
    const Wide<E> a = exp_wide(E(high.v[l]), E(0)), b = a + a, c = mul_add(a, b, a);
    EXPECT_NEAR(y.mantissa.v[l], b.mantissa, 8 * epsilon<E>);
    EXPECT_EQ(y.exponent.v[l], b.exponent);
    EXPECT_NEAR(z.mantissa.v[l], c.mantissa, 8 * epsilon<E>);
    EXPECT_EQ(z.exponent.v[l], c.exponent);
  }
}

}  // namespace
}  // namespace softtricks

int main(int argc, char** argv) {
#if defined(__x86_64__) && SOFTTRICKS_ISA == 2
  const bool able = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#elif defined(__x86_64__) && SOFTTRICKS_ISA == 1
  const bool able = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  const bool able = true;
#endif
  if (!able) return 77;  // skipped, for CTest
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
