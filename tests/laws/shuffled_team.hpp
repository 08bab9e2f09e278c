#pragma once
/// A team that does what a team may do in any order in random order: a solver that depends on the
/// order, as one with a data race on a GPU would, gives wrong results on it.
#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "softtricks/base/math.hpp"

namespace softtricks::laws {

class ShuffledTeam {
 public:
  static constexpr int tag = 1001;

  template <class F>
  void each(int first, int last, F f) const {
    for (const int i : shuffled(first, last)) f(i);
  }
  template <class F>
  void each(int count, F f) const {
    each(0, count, f);
  }

  template <class T, class F>
  void map(int count, const T* source, T* target, F f) const {
    for (const int i : shuffled(0, count)) target[i] = f(source[i]);
  }

  template <class N, class F>
  N sum(int first, int last, N zero, F f) const {
    N total = zero;
    for (const int i : shuffled(first, last)) total = total + f(i);
    return total;
  }

  template <class T, class F>
  T maximum(int first, int last, T least, F f) const {
    T best = least;
    for (const int i : shuffled(first, last)) best = max(best, f(i));
    return best;
  }

  template <class T, class F>
  int argmax(int first, int last, F f) const {
    T best = -infinity<T>;
    int where = first;
    for (const int i : shuffled(first, last)) {
      const T value = f(i);
      if (value > best || (value == best && i < where && value > -infinity<T>)) {
        best = value;
        where = i;
      }
    }
    return where;
  }

  template <class F>
  void once(F f) const {
    f();
  }

 private:
  static std::vector<int> shuffled(int first, int last) {
    thread_local std::minstd_rand order(20);
    std::vector<int> indices(static_cast<std::size_t>(std::max(0, last - first)));
    std::iota(indices.begin(), indices.end(), first);
    std::shuffle(indices.begin(), indices.end(), order);
    return indices;
  }
};

}  // namespace softtricks::laws
