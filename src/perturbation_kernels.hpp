#pragma once
/// Perturbation laws on arrays: elementwise, W entries at a time within each row.
#include "kernels.hpp"
#include "pack.hpp"
#include "softtricks/lists.hpp"

namespace softtricks {

/// Draws lie as DrawLayout (base/random.hpp) says.
template <class P, class Scalar, int W>
struct PerturbationKernels {
  using T = Pack<Scalar, W>;
  using U32 = WordOf<T>;
  using Layout = DrawLayout<Scalar>;
  static constexpr int words = Layout::words, per_counter = Layout::parts, group = Layout::group;

  const PerturbationArguments& in;

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

  /// Draws for entries of a row from the words of W counters; `whole`: all of them are there.
  template <bool whole>
  SOFTTRICKS_FN void draw_group(std::int64_t row, std::int64_t base, int column) const {
    U32 counter;
    const auto first = static_cast<std::uint32_t>(base / group * Layout::columns + column);
    for (int l = 0; l < W; ++l) {
      reinterpret_cast<std::uint32_t*>(&counter)[l] = first + static_cast<std::uint32_t>(l);
    }
    const std::uint64_t instance = in.first_instance + static_cast<std::uint64_t>(row);
    const Words<U32> block =
        philox(counter, U32(static_cast<std::uint32_t>(instance)),
               U32(static_cast<std::uint32_t>(instance >> 32)), U32(Layout::purpose), in.seed);
    for (int part = 0; part < per_counter; ++part) {
      const std::int64_t e = base + part * Layout::columns + column;
      if (!whole && e >= in.size) return;
      const int count = whole ? W : most(in.size - e);
      const T noise = P::noise(
          uniform_from_words<T>(block.word[part * words], block.word[part * words + words - 1]));
      const std::int64_t offset = row * in.size + e;
      write(in.out, offset, count, P::transform(read(in.theta, offset, count), noise));
    }
  }

  static void draw(const PerturbationArguments& in, std::int64_t begin, std::int64_t end) {
    const PerturbationKernels kernel{in};
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t base = 0; base < in.size; base += group) {
        for (int column = 0; column < Layout::columns; column += W) {
          if (base + group <= in.size) {
            kernel.template draw_group<true>(row, base, column);
          } else {
            kernel.template draw_group<false>(row, base, column);
          }
        }
      }
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
    elementwise(in, begin, end, [&](std::int64_t e, int count, T theta, T value) {
      write(in.out, e, count, read(in.cotangent, e, count) * P::transform_slope(theta, value));
    });
  }

  template <class F>
  static void value(const PerturbationArguments& in, std::int64_t begin, std::int64_t end, F f) {
    elementwise(in, begin, end,
                [&](std::int64_t e, int count, T a, T b) { write(in.out, e, count, f(a, b)); });
  }
  /// Both partial derivatives of f, times the cotangent, by duals.
  template <class F>
  static void vjp(const PerturbationArguments& in, std::int64_t begin, std::int64_t end, F f) {
    elementwise(in, begin, end, [&](std::int64_t e, int count, T a, T b) {
      const T g = read(in.cotangent, e, count);
      write(in.out, e, count, f(Dual<T>(a, g), Dual<T>(b, T(0))).tangent);
      write(in.out_value, e, count, f(Dual<T>(a, T(0)), Dual<T>(b, g)).tangent);
    });
  }

  static void log_density(const PerturbationArguments& in, std::int64_t begin, std::int64_t end) {
    value(in, begin, end, [](auto a, auto b) { return P::log_prob(a, b); });
  }
  static void log_density_vjp(const PerturbationArguments& in, std::int64_t begin,
                              std::int64_t end) {
    vjp(in, begin, end, [](auto a, auto b) { return P::log_prob(a, b); });
  }
  static void divergence(const PerturbationArguments& in, std::int64_t begin, std::int64_t end) {
    value(in, begin, end, [](auto a, auto b) { return P::kl(a, b); });
  }
  static void divergence_vjp(const PerturbationArguments& in, std::int64_t begin,
                             std::int64_t end) {
    vjp(in, begin, end, [](auto a, auto b) { return P::kl(a, b); });
  }
};

}  // namespace softtricks
