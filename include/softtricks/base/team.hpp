#pragma once
/// A team is who works together on one instance. Solvers say what may be done in any order
/// (`each`), what is reduced (`sum`, `max`, `argmax`) and what is done by one member (`once`); the
/// team says how. SerialTeam is one CPU thread; CUDA teams (a thread, a warp, a block) live beside
/// the launch code in src/cuda.cu, and tests use a team that shuffles the order.
///
/// `Tag` tells instruction sets apart: the same solver compiled for two of them must not share a
/// mangled name, or the linker would keep just one.
#include "softtricks/base/math.hpp"

namespace softtricks {

template <int Tag = 0>
struct SerialTeam {
  static constexpr int tag = Tag;

  /// f(i) for i in [first, last), in any order.
  template <class F>
  SOFTTRICKS_FN void each(int first, int last, F f) const {
    for (int i = first; i < last; ++i) f(i);
  }
  template <class F>
  SOFTTRICKS_FN void each(int count, F f) const {
    each(0, count, f);
  }

  /// target[i] = f(source[i]) for an f that takes any number type. Teams that own packs apply it to
  /// several entries at once.
  template <class T, class F>
  SOFTTRICKS_FN void map(int count, const T* source, T* target, F f) const {
    for (int i = 0; i < count; ++i) target[i] = f(source[i]);
  }

  /// Sum of f(i), i in [first, last), starting from `zero`, in partial sums that don't wait for
  /// each other; the order is a function of the count alone. Plain numbers take as many partial
  /// sums as compilers can turn into vector code.
  template <class N, class F>
  SOFTTRICKS_FN N sum(int first, int last, N zero, F f) const {
    constexpr int width = Lanes<N>::count == 1 ? 16 : 2;
    N part[width];
    for (int l = 0; l < width; ++l) part[l] = zero;
    int i = first;
    for (; i + width <= last; i += width) {
      for (int l = 0; l < width; ++l) part[l] = part[l] + f(i + l);
    }
    for (int l = 0; i + l < last; ++l) part[l] = part[l] + f(i + l);
    for (int half = width / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) part[l] = part[l] + part[l + half];
    }
    return part[0];
  }

  template <class T, class F>
  SOFTTRICKS_FN T maximum(int first, int last, T least, F f) const {
    T best = least;
    for (int i = first; i < last; ++i) best = max(best, f(i));
    return best;
  }

  /// The smallest i in [first, last) at which f is largest; `first` where nothing is above -inf.
  /// Blocks of `width` keep independent running maxima, which compilers turn into vector code.
  template <class T, class F>
  SOFTTRICKS_FN int argmax(int first, int last, F f) const {
    constexpr int width = 16;
    T best[width];
    int where[width];
    for (int l = 0; l < width; ++l) {
      best[l] = -infinity<T>;
      where[l] = last;
    }
    int i = first;
    for (; i + width <= last; i += width) {
      for (int l = 0; l < width; ++l) {
        const T value = f(i + l);
        const bool better = value > best[l];
        best[l] = better ? value : best[l];
        where[l] = better ? i + l : where[l];
      }
    }
    for (int l = 0; i + l < last; ++l) {
      const T value = f(i + l);
      const bool better = value > best[l];
      best[l] = better ? value : best[l];
      where[l] = better ? i + l : where[l];
    }
    int winner = 0;
    for (int l = 1; l < width; ++l) {
      const bool better =
          best[l] > best[winner] || (best[l] == best[winner] && where[l] < where[winner]);
      winner = better ? l : winner;
    }
    return where[winner] < last ? where[winner] : first;
  }

  /// f() by one member, seen by all afterwards.
  template <class F>
  SOFTTRICKS_FN void once(F f) const {
    f();
  }
};

}  // namespace softtricks
