#pragma once
/// A team is who works together on one instance. Solvers say what may be done in any order
/// (`each`), what is reduced (`sum`, `max`, `argmax`) and what is done by one member (`once`); the
/// team says how. SerialTeam is one CPU thread; CUDA teams (a thread, a warp, a block) live beside
/// the launch code in src/cuda.cu, and tests use a team that shuffles the order.
///
/// `map` and its kin say more: the function takes any number type, so that a team may hand it a
/// block of neighbouring entries at once. `map_leader` also lets it write, through the block.
///
/// `Tag` tells instruction sets apart: the same solver compiled for two of them must not share a
/// mangled name, or the linker would keep just one.
#include <string_view>

#include "softtricks/base/math.hpp"

namespace softtricks {

/// For `alone_from` of a structure: packs of instances are ahead at any size.
inline constexpr int never = std::numeric_limits<int>::max();

/// Among the sources of a map: an entry's own place.
struct Places {};

/// Sums taken in one pass.
template <class N, int n>
struct Several {
  N part[n];

  SOFTTRICKS_FN Several operator+(const Several& o) const {
    Several sum;
    for (int p = 0; p < n; ++p) sum.part[p] = part[p] + o.part[p];
    return sum;
  }
};

/// The block of a team that takes entries one by one.
template <class T>
struct OneEntry {
  using type = T;
};

/// Entries i .. i + here - 1 of a source as one V; missing ones are 0.
template <class V, class T>
SOFTTRICKS_FN V read_block(const T* source, int i, int here) {
  if constexpr (std::is_same_v<V, T>) {
    return source[i];
  } else {
    V v(0);
    if (here == Lanes<V>::count) {
      std::memcpy(&v, source + i, sizeof v);
    } else if constexpr (requires { load_part(v, source + i, here); }) {
      load_part(v, source + i, here);
    } else {
      std::memcpy(&v, source + i, sizeof(T) * static_cast<std::size_t>(here));
    }
    return v;
  }
}
template <class V, class T>
SOFTTRICKS_FN V read_block(Places, int i, int) {
  using Scalar = ScalarOf<V>;
  if constexpr (std::is_same_v<V, T>) {
    return V(static_cast<Scalar>(i));
  } else {
    Scalar place[Lanes<V>::count];
    for (int l = 0; l < Lanes<V>::count; ++l) place[l] = static_cast<Scalar>(i + l);
    return read_block<V>(place, 0, Lanes<V>::count);
  }
}
template <class V, class T>
SOFTTRICKS_FN void write_block(T* target, int i, int here, const V& v) {
  if constexpr (std::is_same_v<V, T>) {
    target[i] = v;
  } else if (here == Lanes<V>::count) {
    std::memcpy(target + i, &v, sizeof v);
  } else if constexpr (requires { store_part(v, target + i, here); }) {
    store_part(v, target + i, here);
  } else {
    std::memcpy(target + i, &v, sizeof(T) * static_cast<std::size_t>(here));
  }
}

/// Neighbouring entries, of arrays that the function which gets them names itself.
template <class V, class T>
struct BlockAt {
  int first, here;

  SOFTTRICKS_FN V read(const T* source) const { return read_block<V, T>(source, first, here); }
  SOFTTRICKS_FN void write(T* target, const V& v) const { write_block(target, first, here, v); }
};

/// Where something is largest, the first of equals; the largest value and the next after it.
template <class T>
struct Leader {
  int place;
  T best, second;
};

template <int Tag = 0, template <class> class Block = OneEntry>
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

  /// At most `room` entries more than `count`, so that all blocks are whole.
  static constexpr int room = 64;
  template <class T>
  SOFTTRICKS_FN static constexpr int whole_blocks(int count) {
    return (count + block_width<T> - 1) / block_width<T> * block_width<T>;
  }
  /// f(block) for every block of neighbouring entries, in any order.
  template <class T, class F>
  SOFTTRICKS_FN void each_block_of(int count, F f) const {
    each_block<T>(count, [&](int i, int here) { f(BlockAt<BlockOf<T>, T>{i, here}); });
  }

  /// target[i] = f(source[i]...).
  template <class T, class F, class... Source>
  SOFTTRICKS_FN void map(int count, T* target, F f, Source... source) const {
    each_block<T>(count, [&](int i, int here) {
      write_block(target, i, here, f(read_block<BlockOf<T>, T>(source, i, here)...));
    });
  }

  /// The n sums over i of the parts of f(source[i]...), a Several.
  template <class T, int n, class F, class... Source>
  SOFTTRICKS_FN Several<T, n> map_sums(int count, F f, Source... source) const {
    using V = BlockOf<T>;
    constexpr int width = block_width<T>;
    Several<V, n> even, odd;  // two, so that they don't wait for each other
    for (int p = 0; p < n; ++p) even.part[p] = odd.part[p] = V(0);
    const auto value = [&](int i, int here) { return f(read_block<V, T>(source, i, here)...); };
    int i = 0;
    for (; i + 2 * width <= count; i += 2 * width) {
      even = even + value(i, width);
      odd = odd + value(i + width, width);
    }
    if (i + width <= count) {
      even = even + value(i, width);
      i += width;
    }
    if constexpr (width > 1) {
      if (i < count) {
        Several<V, n> last = value(i, count - i);
        const auto there = read_block<V, T>(Places(), 0, width) < V(ScalarOf<V>(count - i));
        for (int p = 0; p < n; ++p) last.part[p] = select(there, last.part[p], V(0));
        odd = odd + last;
      }
    }
    even = even + odd;
    Several<T, n> sums;
    for (int p = 0; p < n; ++p) {
      if constexpr (width > 1) {
        sums.part[p] = sum_of_lanes(even.part[p]);
      } else {
        sums.part[p] = even.part[p];
      }
    }
    return sums;
  }
  template <class T, class F, class... Source>
  SOFTTRICKS_FN T map_sum(int count, F f, Source... source) const {
    const auto one = [&]<class... V>(const V&... v) { return Several<BlockOf<T>, 1>{{f(v...)}}; };
    return map_sums<T, 1>(count, one, source...).part[0];
  }

  /// The largest f(source[i]...); -inf of none.
  template <class T, class F, class... Source>
  SOFTTRICKS_FN T map_maximum(int count, F f, Source... source) const {
    using V = BlockOf<T>;
    constexpr int width = block_width<T>;
    V best(-infinity<V>);
    each_block<T>(count, [&](int i, int here) {
      V v = f(read_block<V, T>(source, i, here)...);
      if constexpr (width > 1) {
        if (here < width) {
          const auto there = read_block<V, T>(Places(), 0, width) < V(ScalarOf<V>(here));
          v = select(there, v, V(-infinity<V>));
        }
      }
      best = max(best, v);
    });
    if constexpr (width > 1) {
      return max_of_lanes(best);
    } else {
      return best;
    }
  }

  /// The leader of f(block), -inf and place -1 where nothing is above -inf. f gets every entry
  /// once, in any order.
  template <class T, class F>
  SOFTTRICKS_FN Leader<T> map_leader(int count, F f) const {
    using V = BlockOf<T>;
    constexpr int width = block_width<T>;
    const V lanes = read_block<V, T>(Places(), 0, width);
    V best(-infinity<V>), second(-infinity<V>), place(-1);
    each_block<T>(count, [&](int i, int here) {
      V v = f(BlockAt<V, T>{i, here});
      if constexpr (width > 1) {
        if (here < width) v = select(lanes < V(ScalarOf<V>(here)), v, V(-infinity<V>));
      }
      place = select(v > best, lanes + V(ScalarOf<V>(i)), place);
      second = max(second, min(best, v));
      best = max(best, v);
    });
    if constexpr (width > 1) {
      const T most = max_of_lanes(best);
      const auto there = (best == V(most)) & (place >= V(0));
      const T first = max_of_lanes(select(there, -place, V(-infinity<V>)));
      const int winner = first > -infinity<T> ? static_cast<int>(-first) : -1;
      const T next = max_of_lanes(select(place == V(-first), second, best));
      return {winner, most, next};
    } else {
      return {static_cast<int>(place), best, second};
    }
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

 private:
  template <class T>
  using BlockOf = typename Block<T>::type;
  template <class T>
  static constexpr int block_width = Lanes<BlockOf<T>>::count / Lanes<T>::count;

  /// f(first entry, how many) for every block.
  template <class T, class F>
  SOFTTRICKS_FN static void each_block(int count, F f) {
    constexpr int width = block_width<T>;
    int i = 0;
    for (; i + width <= count; i += width) f(i, width);
    if (i < count) f(i, count - i);
  }
};

}  // namespace softtricks
