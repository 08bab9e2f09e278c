#pragma once
/// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011). A draw is a function of (seed, instance, index), so it
/// is the same on every device, for every number of threads and every place in a batch.
#include "softtricks/base/math.hpp"

namespace softtricks {

SOFTTRICKS_FN std::uint32_t multiply_high(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(a) * b) >> 32);
}

template <class U32>
struct Words {
  U32 word[4];
};

/// The Philox4x32-10 block of a 128-bit counter under a 64-bit key.
template <class U32>
SOFTTRICKS_FN Words<U32> philox(U32 c0, U32 c1, U32 c2, U32 c3, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  const U32 m0(0xD2511F53u), m1(0xCD9E8D57u);
  for (int round = 0; round < 10; ++round) {
    const U32 high0 = multiply_high(m0, c0), low0 = m0 * c0;
    const U32 high1 = multiply_high(m1, c2), low1 = m1 * c2;
    c0 = high1 ^ c1 ^ U32(k0);
    c1 = low1;
    c2 = high0 ^ c3 ^ U32(k1);
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// A uniform number in (0, 1) known from both ends: `below` = u, and `above` = 1 - u, each with
/// full relative accuracy near 0. Neither is ever 0, whatever the random bits are.
template <class T>
struct Uniform {
  T below;
  T above;
};

template <Plain T>
SOFTTRICKS_FN T float_from_word(std::uint32_t word) {
  return static_cast<T>(word);
}

/// From 32 random bits (float: `high` alone is used; double: both words).
template <class T, class U32>
SOFTTRICKS_FN Uniform<T> uniform_from_words(U32 high, U32 low) {
  using Scalar = ScalarOf<T>;
  if constexpr (sizeof(Scalar) == 4) {
    const Scalar unit = Scalar(1) / Scalar(4294967296.0);
    const Scalar half = Scalar(0.5) * unit;
    return {mul_add(float_from_word<T>(high), T(unit), T(half)),
            mul_add(float_from_word<T>(~high), T(unit), T(half))};
  } else {
    const Scalar unit = Scalar(1) / Scalar(4294967296.0), tiny = unit * unit;
    const T half(Scalar(0.5) * tiny);
    return {
        mul_add(float_from_word<T>(high), T(unit), mul_add(float_from_word<T>(low), T(tiny), half)),
        mul_add(float_from_word<T>(~high), T(unit),
                mul_add(float_from_word<T>(~low), T(tiny), half))};
  }
}

/// -log(1 - u) of a uniform u: an Exponential(1) draw, positive and finite for every bit pattern,
/// exact to rounding in both tails.
template <class T>
SOFTTRICKS_FN T exponential_from(Uniform<T> u) {
  return -log_from_both(u.above, u.below);
}

/// True with probability in / (in + out), decided in whichever tail is known with relative
/// accuracy: an event of probability 0 never happens, one of probability 1 always does.
template <class T>
SOFTTRICKS_FN MaskOf<T> bernoulli(Uniform<T> u, T in, T out) {
  const T total = in + out;
  const MaskOf<T> likely = in > out, unlikely = !likely;
  return (likely & ((u.above * total > out) | (out == T(0)))) | (unlikely & (u.below * total < in));
}

/// Where the random words of a perturbation lie: entry e of an instance takes word (e / 16) % 4 of
/// counter (e / 64) * 16 + e % 16; in double two words, so (e / 16) % 2 and e / 32. Sixteen
/// neighbours come from sixteen counters, which suits every pack width that divides 16.
template <class Scalar>
struct DrawLayout {
  static constexpr std::uint32_t purpose = 0x70657274u;  // keeps perturbations apart from samples
  static constexpr int words = sizeof(Scalar) / 4;       // of a draw
  static constexpr int columns = 16, parts = 4 / words, group = columns * parts;
};

/// The uniform number behind the perturbation of entry e.
template <Plain T>
SOFTTRICKS_FN Uniform<T> perturbation_uniform(std::uint64_t seed, std::uint64_t instance, int e) {
  using Layout = DrawLayout<T>;
  const int counter = e / Layout::group * Layout::columns + e % Layout::columns;
  const int word = e / Layout::columns % Layout::parts * Layout::words;
  const Words<std::uint32_t> block =
      philox(static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(instance),
             static_cast<std::uint32_t>(instance >> 32), Layout::purpose, seed);
  return uniform_from_words<T>(block.word[word], block.word[word + Layout::words - 1]);
}

/// The instance number of draw s of the `draws` that an instance takes: no two share noise.
SOFTTRICKS_FN std::uint64_t draw_number(std::uint64_t instance, int draws, int s) {
  return instance * static_cast<std::uint64_t>(draws) + static_cast<std::uint64_t>(s);
}

/// The uniform numbers of entry e, or of an entry per lane, for perturbations that need more than
/// one: by number, in any order. They are others than `perturbation_uniform` gives.
template <class T>
class EntryStream {
 public:
  using U32 = WordOf<T>;

  SOFTTRICKS_FN EntryStream(std::uint64_t seed, std::uint64_t instance, U32 entry)
      : seed_(seed), instance_(instance), entry_(entry) {}

  struct Pair {
    Uniform<T> first, second;
  };
  /// n < 2^31.
  SOFTTRICKS_FN Pair pair(std::uint32_t n) const {
    constexpr int words = sizeof(ScalarOf<T>) / 4;
    const Words<U32> block =
        philox(entry_, U32(static_cast<std::uint32_t>(instance_)),
               U32(static_cast<std::uint32_t>(instance_ >> 32)), U32(purpose + n), seed_);
    return {uniform_from_words<T>(block.word[0], block.word[words - 1]),
            uniform_from_words<T>(block.word[words], block.word[2 * words - 1])};
  }

 private:
  static constexpr std::uint32_t purpose = 0x80000000u;  // above those of samples and single draws
  std::uint64_t seed_, instance_;
  U32 entry_;
};

/// The noise of entry e, as a batch on packs draws it.
template <Plain T, class Perturbation>
SOFTTRICKS_FN T entry_noise(const Perturbation& law, std::uint64_t seed, std::uint64_t instance,
                            int e) {
  if constexpr (requires(EntryStream<T> stream) { law.noise(stream); }) {
    return law.noise(EntryStream<T>(seed, instance, static_cast<std::uint32_t>(e)));
  } else {
    return law.noise(perturbation_uniform<T>(seed, instance, e));
  }
}

/// The stream of one instance, for samplers that consume uniforms one after another. In a pack,
/// `instance` holds an instance number per lane.
template <class T>
class Stream {
 public:
  using U32 = typename Lanes<T>::Word;

  SOFTTRICKS_FN Stream(std::uint64_t seed, U32 instance_low, U32 instance_high)
      : seed_(seed), low_(instance_low), high_(instance_high) {}
  SOFTTRICKS_FN Stream(std::uint64_t seed, std::uint64_t instance) requires Plain<T>
      : Stream(seed, static_cast<U32>(instance), static_cast<U32>(instance >> 32)) {}

  SOFTTRICKS_FN Uniform<T> next() {
    constexpr int words = sizeof(ScalarOf<T>) / 4;
    if (used_ == 4) {
      block_ = philox(U32(counter_++), low_, high_, U32(purpose), seed_);
      used_ = 0;
    }
    const Uniform<T> u = uniform_from_words<T>(block_.word[used_], block_.word[used_ + words - 1]);
    used_ += words;
    return u;
  }

  /// The number of place `index`, in any order; not beside `next`, which takes the same ones.
  SOFTTRICKS_FN Uniform<T> at(std::uint32_t index) const {
    constexpr int words = sizeof(ScalarOf<T>) / 4;
    const Words<U32> block = philox(U32(index), low_, high_, U32(purpose), seed_);
    return uniform_from_words<T>(block.word[0], block.word[words - 1]);
  }

 private:
  static constexpr std::uint32_t purpose = 0x73616d70u;  // keeps samples apart from perturbations
  std::uint64_t seed_;
  U32 low_, high_;
  std::uint32_t counter_ = 0;
  int used_ = 4;
  Words<U32> block_{};
};

}  // namespace softtricks
