#pragma once
/// A team that does what a team may do in any order in random order: a solver that depends on the
/// order, as one with a data race on a GPU would, gives wrong results on it.
#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "softtricks/base/team.hpp"

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

  static constexpr int room = 64;
  template <class T>
  static constexpr int whole_blocks(int count) {
    return count;
  }
  template <class T, class F>
  void each_block_of(int count, F f) const {
    for (const int i : shuffled(0, count)) f(BlockAt<T, T>{i, 1});
  }

  template <class T, class F, class... Source>
  void map(int count, T* target, F f, Source... source) const {
    for (const int i : shuffled(0, count)) target[i] = f(read_block<T, T>(source, i, 1)...);
  }

  template <class T, int n, class F, class... Source>
  Several<T, n> map_sums(int count, F f, Source... source) const {
    Several<T, n> total{};
    for (const int i : shuffled(0, count)) total = total + f(read_block<T, T>(source, i, 1)...);
    return total;
  }
  template <class T, class F, class... Source>
  T map_sum(int count, F f, Source... source) const {
    T total(0);
    for (const int i : shuffled(0, count)) total = total + f(read_block<T, T>(source, i, 1)...);
    return total;
  }

  template <class T, class F, class... Source>
  T map_maximum(int count, F f, Source... source) const {
    T best(-infinity<T>);
    for (const int i : shuffled(0, count)) best = max(best, f(read_block<T, T>(source, i, 1)...));
    return best;
  }

  template <class T, class F>
  Leader<T> map_leader(int count, F f) const {
    Leader<T> leader{-1, -infinity<T>, -infinity<T>};
    for (const int i : shuffled(0, count)) {
      const T value = f(BlockAt<T, T>{i, 1});
      leader.second = max(leader.second, min(leader.best, value));
      if (value > leader.best || (value == leader.best && i < leader.place)) leader.place = i;
      leader.best = max(leader.best, value);
    }
    return leader;
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
