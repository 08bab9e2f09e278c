#pragma once
/// Which arcs are in some arborescence with root 0.
///
/// Method   An arc (i, j) is, if and only if the root reaches i without passing through j: the
/// path,
///          the arc and whatever else is reached make an arborescence. With one child of the root,
///          only arcs from the root to vertices that reach all others count.
/// Cost     A breadth-first search for each vertex, O(n^3); none where no arc is missing.
#include "softtricks/base/view.hpp"

namespace softtricks {

class UsefulArcs {
 public:
  static constexpr std::size_t bytes(int vertices) {
    const std::size_t n = static_cast<std::size_t>(vertices);
    return n * n + 2 * n * sizeof(int) + 3 * Scratch::alignment;
  }
  SOFTTRICKS_FN UsefulArcs(int vertices, Scratch& memory)
      : n_(vertices),
        there_{memory.take<char>(static_cast<std::size_t>(vertices) *
                                 static_cast<std::size_t>(vertices)),
               vertices},
        queue_(memory.take<int>(vertices)),
        reached_(memory.take<int>(vertices)) {
    for (int i = 0; i < n_; ++i) {
      for (int j = 0; j < n_; ++j) there_(i, j) = 0;
    }
  }

  SOFTTRICKS_FN void add(int tail, int head) {
    there_(tail, head) = 1;
    ++arcs_;
  }
  SOFTTRICKS_FN bool has(int tail, int head) const { return there_(tail, head) != 0; }

  /// Leaves the useful ones; false if there is no arborescence.
  SOFTTRICKS_FN bool keep_useful(bool one_child) {
    if (n_ <= 1) return n_ == 1 && !one_child;
    if (arcs_ == (n_ - 1) * (n_ - 1)) return true;
    for (int j = 1; j < n_ && one_child; ++j) {
      if (has(0, j) && search(j, 0) < n_ - 1) there_(0, j) = 0;
    }
    if (search(0, nobody) < n_) return false;
    for (int j = 1; j < n_; ++j) {
      search(0, j);
      for (int i = 0; i < n_; ++i) there_(i, j) = there_(i, j) != 0 && reached_[i] != 0;
    }
    return true;
  }

 private:
  static constexpr int nobody = -1;

  /// Marks what `start` reaches without `avoided`, and counts it.
  SOFTTRICKS_FN int search(int start, int avoided) {
    for (int v = 0; v < n_; ++v) reached_[v] = 0;
    int count = 1;
    queue_[0] = start;
    reached_[start] = 1;
    for (int next = 0; next < count; ++next) {
      const char* const row = there_.row(queue_[next]);
      for (int v = 0; v < n_; ++v) {
        if (row[v] == 0 || reached_[v] != 0 || v == avoided) continue;
        reached_[v] = 1;
        queue_[count++] = v;
      }
    }
    return count;
  }

  const int n_;
  const Matrix<char> there_;
  int* const queue_;
  int* const reached_;
  int arcs_ = 0;
};

}  // namespace softtricks
