#pragma once
/// Perturbation laws on arrays: elementwise, W entries at a time within each row.
#include "kernels.hpp"
#include "pack.hpp"
#include "softtricks/base/parameters.hpp"
#include "softtricks/lists.hpp"

namespace softtricks {

/// The functions of theta and a second array.
struct TransformOf {
  template <class P, class N>
  SOFTTRICKS_FN static auto of(const P& law, N theta, N noise)
      -> decltype(law.transform(theta, noise)) {
    return law.transform(theta, noise);
  }
};
struct LogProbOf {
  template <class P, class N>
  SOFTTRICKS_FN static auto of(const P& law, N theta, N value)
      -> decltype(law.log_prob(theta, value)) {
    return law.log_prob(theta, value);
  }
};
struct KlOf {
  template <class P, class N>
  SOFTTRICKS_FN static auto of(const P& law, N theta, N other) -> decltype(law.kl(theta, other)) {
    return law.kl(theta, other);
  }
};
template <class P, class F, class Scalar>
concept Has = requires(P law, Scalar x) {
  F::of(law, x, x);
};

/// Draws lie as DrawLayout (base/random.hpp) says; entries that need several uniform numbers take
/// them from streams of their own.
template <class P, class Scalar, int W>
struct PerturbationKernels {
  using T = Pack<Scalar, W>;
  using U32 = WordOf<T>;
  using Layout = DrawLayout<Scalar>;
  static constexpr int words = Layout::words, per_counter = Layout::parts, group = Layout::group;

  const PerturbationArguments& in;
  const P law;

  explicit PerturbationKernels(const PerturbationArguments& arguments)
      : in(arguments), law(make_perturbation<P>(arguments.parameters)) {}

  SOFTTRICKS_FN static T read(const void* base, std::int64_t offset, int count) {
    T x(0);
    const Scalar* const source = static_cast<const Scalar*>(base) + offset;
    if (count >= W) {
      std::memcpy(&x, source, sizeof x);
    } else {
      std::memcpy(&x, source, sizeof(Scalar) * static_cast<std::size_t>(count));
    }
    return x;
  }
  SOFTTRICKS_FN static void write(void* base, std::int64_t offset, int count, T x) {
    Scalar* const target = static_cast<Scalar*>(base) + offset;
    if (count >= W) {
      std::memcpy(target, &x, sizeof x);
    } else {
      std::memcpy(target, &x, sizeof(Scalar) * static_cast<std::size_t>(count));
    }
  }
  SOFTTRICKS_FN static int most(std::int64_t left) { return left < W ? static_cast<int>(left) : W; }

  /// W counters from `first` on.
  SOFTTRICKS_FN static U32 counters(std::int64_t first) {
    U32 counter;
    for (int l = 0; l < W; ++l) {
      reinterpret_cast<std::uint32_t*>(&counter)[l] =
          static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(l);
    }
    return counter;
  }
  SOFTTRICKS_FN std::uint64_t instance(std::int64_t row) const {
    return in.first_instance + static_cast<std::uint64_t>(row);
  }

  /// Noise for entries of a row from the words of W counters; `whole`: all of them are there.
  template <bool whole>
  SOFTTRICKS_FN void draw_group(std::int64_t row, std::int64_t base, int column) const {
    const std::uint64_t stream = instance(row);
    const Words<U32> block = philox(
        counters(base / group * Layout::columns + column), U32(static_cast<std::uint32_t>(stream)),
        U32(static_cast<std::uint32_t>(stream >> 32)), U32(Layout::purpose), in.seed);
    for (int part = 0; part < per_counter; ++part) {
      const std::int64_t e = base + part * Layout::columns + column;
      if (!whole && e >= in.size) return;
      write(in.out, row * in.size + e, whole ? W : most(in.size - e),
            law.noise(uniform_from_words<T>(block.word[part * words],
                                            block.word[part * words + words - 1])));
    }
  }
  SOFTTRICKS_FN void draw_row(std::int64_t row) const {
    if constexpr (requires(EntryStream<T> stream) { law.noise(stream); }) {
      for (std::int64_t e = 0; e < in.size; e += W) {
        write(in.out, row * in.size + e, most(in.size - e),
              law.noise(EntryStream<T>(in.seed, instance(row), counters(e))));
      }
    } else {
      for (std::int64_t base = 0; base < in.size; base += group) {
        for (int column = 0; column < Layout::columns; column += W) {
          if (base + group <= in.size) {
            draw_group<true>(row, base, column);
          } else {
            draw_group<false>(row, base, column);
          }
        }
      }
    }
  }

  static void draw_noise(const PerturbationArguments& in, std::int64_t begin, std::int64_t end) {
    const PerturbationKernels kernel(in);
    for (std::int64_t row = begin; row < end; ++row) kernel.draw_row(row);
  }
  /// The two verbs one after the other: fused into one loop, compilers would round differently
  /// here and there.
  static void draw(const PerturbationArguments& in, std::int64_t begin, std::int64_t end) {
    PerturbationArguments in_place = in;
    in_place.value = in.out;
    for (std::int64_t row = begin; row < end; ++row) {
      draw_noise(in, row, row + 1);
      value<TransformOf>(in_place, row, row + 1);
    }
  }

  template <class F>
  static void elementwise(const PerturbationArguments& in, std::int64_t begin, std::int64_t end,
                          F f) {
    for (std::int64_t e = begin * in.size; e < end * in.size; e += W) {
      const int count = most(end * in.size - e);
      f(e, count, read(in.theta, e, count), read(in.value, e, count));
    }
  }

  static void draw_vjp(const PerturbationArguments& in, std::int64_t begin, std::int64_t end) {
    const P law = make_perturbation<P>(in.parameters);
    elementwise(in, begin, end, [&](std::int64_t e, int count, T theta, T value) {
      write(in.out, e, count, read(in.cotangent, e, count) * law.transform_slope(theta, value));
    });
  }

  template <class F>
  static void value(const PerturbationArguments& in, std::int64_t begin, std::int64_t end) {
    const P law = make_perturbation<P>(in.parameters);
    elementwise(in, begin, end, [&](std::int64_t e, int count, T a, T b) {
      write(in.out, e, count, F::of(law, a, b));
    });
  }
  /// Both partial derivatives of F, times the cotangent, by duals.
  template <class F>
  static void vjp(const PerturbationArguments& in, std::int64_t begin, std::int64_t end) {
    const P law = make_perturbation<P>(in.parameters);
    elementwise(in, begin, end, [&](std::int64_t e, int count, T a, T b) {
      const T g = read(in.cotangent, e, count);
      write(in.out, e, count, F::of(law, Dual<T>(a, g), Dual<T>(b, T(0))).tangent);
      write(in.out_value, e, count, F::of(law, Dual<T>(a, T(0)), Dual<T>(b, g)).tangent);
    });
  }
};

}  // namespace softtricks
