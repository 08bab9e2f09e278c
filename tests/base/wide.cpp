#include "softtricks/base/wide.hpp"

#include <random>

#include <gtest/gtest.h>

namespace softtricks {
namespace {

template <class T>
Wide<T> wide(long double mantissa, int exponent) {
  return Wide<T>::normalized(T(mantissa), T(exponent));
}

template <class T>
class WideNumbers : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(WideNumbers, Scalars);

/// x = (sum) * 2^base within a few units of rounding.
template <class T>
void expect_value(const Wide<T>& x, long double expected, int base) {
  if (expected == 0) {
    EXPECT_EQ(x.mantissa, 0);
    EXPECT_EQ(x.exponent, Wide<T>::zero_exponent);
    return;
  }
  EXPECT_GE(std::fabs(x.mantissa), 1);
  EXPECT_LT(std::fabs(x.mantissa), 2);
  const long double ratio =
      std::ldexp(static_cast<long double>(x.mantissa), static_cast<int>(x.exponent) - base) /
      expected;
  EXPECT_NEAR(static_cast<double>(ratio - 1), 0, 3 * static_cast<double>(epsilon<T>));
}

TYPED_TEST(WideNumbers, ArithmeticIsRelativelyExactAtAnyExponent) {
  using T = TypeParam;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> mantissa(1, 2);
  const int bases[] = {-400000, -5000, -130, 0, 17, 9000, 1000000};
  for (int draw = 0; draw < 3000; ++draw) {
    const long double a = T(mantissa(random)), b = T(mantissa(random)), c = T(mantissa(random));
    const int base = bases[random() % std::size(bases)], gap = static_cast<int>(random() % 60) - 30;
    const Wide<T> x = wide<T>(a, base), y = wide<T>(b, base + gap), z = wide<T>(c, 2 * base);
    expect_value(x + y, a + std::ldexp(b, gap), base);
    expect_value(x * y, a * std::ldexp(b, gap), 2 * base);
    expect_value(mul_add(x, y, z), a * std::ldexp(b, gap) + c, 2 * base);
    expect_value(reciprocal(x), 1 / a, -base);
    expect_value(x - wide<T>(b, base + 40), a - std::ldexp(b, 40), base);
    EXPECT_NEAR(static_cast<double>(log(x) / ((std::log2(a) + base) * std::log(2.0L))), 1,
                base == 0 ? 1 : 3 * epsilon<T>);
  }
}

TYPED_TEST(WideNumbers, ZeroAndFarApart) {
  using T = TypeParam;
  const Wide<T> zero(0), one(1), small = wide<T>(1.5, -2000000), large = wide<T>(1.25, 2000000);
  EXPECT_TRUE(is_zero(zero));
  EXPECT_FALSE(is_zero(small));
  expect_value(zero + zero, 0, 0);
  expect_value(zero + small, 1.5, -2000000);
  expect_value(zero * large, 0, 0);
  expect_value(mul_add(zero, large, small), 1.5, -2000000);
  expect_value(large + small, 1.25, 2000000);
  expect_value(one - one, 0, 0);
  expect_value(small * large, 1.875, 0);
  EXPECT_EQ(narrow(small), 0);
  EXPECT_EQ(narrow(zero), 0);
  EXPECT_EQ(narrow(wide<T>(1.5, 10)), 1536);
  EXPECT_EQ(narrow(wide<T>(-1.5, -10)), T(-1.5 / 1024));
  EXPECT_EQ(narrow(select(true, one, zero)), 1);
  EXPECT_EQ(narrow(select(false, one, zero)), 0);
  const T inf = infinity<T>;
  EXPECT_TRUE(is_zero(exp_wide(-inf, T(0))));
}

/// exp of high + low, to rounding, for arguments of tens of thousands of nats.
TYPED_TEST(WideNumbers, ExpKeepsItsPrecision) {
  using T = TypeParam;
  std::mt19937 random(2);
  double worst = 0;
  for (const double scale : {0.1, 1.0, 100.0, 8e3}) {
    for (int draw = 0; draw < 500; ++draw) {
      const T high = static_cast<T>(std::normal_distribution<double>(0, scale)(random));
      const T low = high * epsilon<T> * T(0.25) * (random() % 2 == 0 ? T(1) : T(-1));
      const Wide<T> got = exp_wide(high, low);
      const long double exact = static_cast<long double>(high) + static_cast<long double>(low);
      // exp(exact) / got, by its logarithm.
      const long double ln2 = 0.693147180559945309417232121458176568L;
      const long double whole = static_cast<long double>(got.exponent);
      const long double ln2_high = 0.693145751953125L, ln2_low = ln2 - ln2_high;
      const long double rest = (exact - whole * ln2_high) - whole * ln2_low;
      const long double error = std::exp(rest) / static_cast<long double>(got.mantissa) - 1;
      const long double resolved = std::fabs(exact) * 0x1p-62L;  // by long double itself
      worst = std::max(worst, static_cast<double>(std::fabs(error) - resolved));
    }
  }
  EXPECT_LT(worst, 3 * static_cast<double>(epsilon<T>));
}

TYPED_TEST(WideNumbers, ExactDifferenceIsExact) {
  using T = TypeParam;
  std::mt19937 random(3);
  for (int draw = 0; draw < 1000; ++draw) {
    std::normal_distribution<double> law(0, std::pow(10.0, draw % 9 - 4));
    const T a = T(law(random)), b = T(std::normal_distribution<double>(0, 100)(random));
    T high, low;
    exact_difference(a, b, high, low);
    EXPECT_EQ(high, a - b);
    // In float, long double holds a - b exactly; in double, the error of high is what low must be.
    const long double exact = static_cast<long double>(a) - static_cast<long double>(b);
    const long double back = static_cast<long double>(high) + static_cast<long double>(low);
    EXPECT_LE(std::fabs(back - exact), sizeof(T) == 4 ? 0.0L : std::fabs(exact) * 0x1p-63L);
  }
}

}  // namespace
}  // namespace softtricks
