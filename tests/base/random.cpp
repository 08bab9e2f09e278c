#include "softtricks/base/random.hpp"

#include <array>

#include <gtest/gtest.h>

namespace softtricks {
namespace {

using Block = std::array<std::uint32_t, 4>;

Block library_block(Block counter, std::uint64_t key) {
  const Words<std::uint32_t> words =
      philox<std::uint32_t>(counter[0], counter[1], counter[2], counter[3], key);
  return {words.word[0], words.word[1], words.word[2], words.word[3]};
}

/// The generator as its paper states it, in 64-bit arithmetic.
Block philox_of_the_paper(Block counter, std::uint64_t key) {
  std::uint64_t k0 = key & 0xFFFFFFFF, k1 = key >> 32;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t left = 0xD2511F53ull * counter[0], right = 0xCD9E8D57ull * counter[2];
    counter = {static_cast<std::uint32_t>((right >> 32) ^ counter[1] ^ k0),
               static_cast<std::uint32_t>(right),
               static_cast<std::uint32_t>((left >> 32) ^ counter[3] ^ k1),
               static_cast<std::uint32_t>(left)};
    k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF;
    k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF;
  }
  return counter;
}

/// The known answers that come with the authors' Random123.
TEST(Philox, KnownAnswers) {
  const std::uint32_t ones = 0xFFFFFFFF;
  EXPECT_EQ(library_block({0, 0, 0, 0}, 0),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(library_block({ones, ones, ones, ones}, ~0ull),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(library_block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822ull),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, IsThePapers) {
  std::uint64_t x = 1;
  const auto next = [&x] {
    return static_cast<std::uint32_t>((x = x * 6364136223846793005 + 1) >> 32);
  };
  for (int i = 0; i < 1000; ++i) {
    const Block counter{next(), next(), next(), next()};
    const std::uint64_t key = std::uint64_t{next()} << 32 | next();
    ASSERT_EQ(library_block(counter, key), philox_of_the_paper(counter, key));
  }
}

template <class T>
void check_uniforms() {
  const std::uint32_t words[] = {0, 1, 77, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};
  for (const std::uint32_t high : words) {
    for (const std::uint32_t low : words) {
      const Uniform<T> u = uniform_from_words<T>(high, low);
      const long double bits =
          sizeof(T) == 4
              ? (high + 0.5L) / 0x1p32L
              : (static_cast<long double>(std::uint64_t{high} << 32 | low) + 0.5L) / 0x1p64L;
      // 0.5L more than 64 bits hold: 1 - u is taken in whole steps.
      const long double rest =
          sizeof(T) == 4
              ? (static_cast<std::uint32_t>(~high) + 0.5L) / 0x1p32L
              : (static_cast<long double>(~(std::uint64_t{high} << 32 | low)) + 0.5L) / 0x1p64L;
      EXPECT_NEAR(static_cast<double>(u.below / bits), 1, 2 * epsilon<T>);
      EXPECT_NEAR(static_cast<double>(u.above / rest), 1, 2 * epsilon<T>);
      EXPECT_GT(u.below, 0);
      EXPECT_GT(u.above, 0);
      const T e = exponential_from(u);
      EXPECT_GT(e, 0);
      EXPECT_TRUE(std::isfinite(e));
      const long double exact = bits < 0.5L ? -std::log1p(-bits) : -std::log(rest);
      EXPECT_NEAR(static_cast<double>(e / exact), 1, 4 * epsilon<T>);
    }
  }
}

TEST(Uniform, BothTailsKeepTheirRelativeAccuracy) {
  check_uniforms<float>();
  check_uniforms<double>();
}

TEST(Bernoulli, NeverTheImpossibleAlwaysTheCertain) {
  for (const std::uint32_t word : {0u, 1u, 0x80000000u, 0xFFFFFFFFu}) {
    const auto u = uniform_from_words<float>(word, 0u);
    EXPECT_FALSE(bernoulli(u, 0.0f, 1.0f));
    EXPECT_TRUE(bernoulli(u, 1.0f, 0.0f));
    EXPECT_FALSE(bernoulli(u, 0.0f, 1e-38f));
    EXPECT_TRUE(bernoulli(u, 1e-38f, 0.0f));
  }
}

/// All of a block's words are used, and no block twice.
TEST(Stream, HandsOutDistinctWords) {
  Stream<double> a(5, 1, 0), b(5, 1, 0), other(5, 2, 0), far(5, 1, 1), seeded(6, 1, 0);
  double last = -1;
  for (int i = 0; i < 1000; ++i) {
    const double x = a.next().below;
    EXPECT_EQ(x, b.next().below);
    EXPECT_NE(x, other.next().below);
    EXPECT_NE(x, far.next().below);
    EXPECT_NE(x, seeded.next().below);
    EXPECT_NE(x, last);
    last = x;
  }
}

}  // namespace
}  // namespace softtricks
