#pragma once
/// Where a weighted graph holds more than forests can.
///
/// Problem  Weights x >= 0 on pairs of vertices. Partition the vertices so that the sum over the
///          parts S of x(S) - (|S| - 1) is largest, x(S) the weight inside S. All parts single: x
///          is in the hull of the forests.
/// Method   Vertices come one after another; an edge is held by its ends, in shares, no vertex
///          holding more than 1. What is held is in the hull of the forests, and all of it can be
///          held without the help of any one vertex. So the edges of a new vertex are handed to
///          their other ends, who pass what they hold on along shortest paths to vertices with room
///          [orientations: Hakimi 1965; separation: Cunningham 1985]. Where no path is left, the
///          vertices reached, all full, and the new one hold as much as a forest can. Such sets
///          with a vertex in common are one; what could not be held lies within them, and held is
///          as much as can be, hence they are the partition [greedy: Edmonds 1970].
/// Rounding Shares below a rounding don't move, and 8 n roundings of weight need not be held.
/// Cost     n small flows on dense graphs; 2 n^2 numbers.
#include "softtricks/base/view.hpp"

namespace softtricks {

SOFTTRICKS_FN constexpr std::size_t forest_excess_scratch(int n) {
  const std::size_t vertices = static_cast<std::size_t>(n);
  return sizeof(double) * vertices * (vertices + 2) + sizeof(int) * vertices * 2 +
         6 * Scratch::alignment;
}

class ForestExcess {
 public:
  /// For graphs of at most `most` vertices.
  SOFTTRICKS_FN ForestExcess(int most, Scratch& memory)
      : held_{memory.take<double>(static_cast<std::size_t>(most) * static_cast<std::size_t>(most)),
              most},
        load_(memory.take<double>(most)),
        need_(memory.take<double>(most)),
        queue_(memory.take<int>(most)),
        before_(memory.take<int>(most)) {}

  /// weight: symmetric, [n, stride]. part[v] = the number of v's part; returns how many there are.
  SOFTTRICKS_FN int partition(Matrix<const double> weight, int n, int* part) {
    tolerance_ = 8 * n * epsilon<double>;
    double total = 0;
    for (int v = 0; v < n; ++v) {
      part[v] = v;
      load_[v] = 0;
      total += hand_out(v, weight.row(v));
      int reached = find_room(v);
      while (reached < 0) reached = find_room(v);
      if (reached > 0) join(v, reached, part);
      for (int w = 0; w < v; ++w) total -= need_[w];
      take_share(v, total / (v + 1));
    }
    return number(n, part);
  }

 private:
  static constexpr int nobody = -1, unseen = -2;

  /// Gives each edge of v to its other end, as far as there is room; the sum of the weights.
  SOFTTRICKS_FN double hand_out(int v, const double* weight) {
    double total = 0;
    for (int w = 0; w < v; ++w) {
      const double given = max(0.0, min(weight[w], 1 - load_[w]));
      held_(v, w) = 0;
      held_(w, v) = given;
      load_[w] += given;
      need_[w] = weight[w] - given;
      total += weight[w];
    }
    return total;
  }

  /// Moves load along one shortest path from a vertex in need to one with room, and returns -1.
  /// Where there is none, how many vertices were reached, in queue_.
  SOFTTRICKS_FN int find_room(int v) {
    int count = 0;
    for (int w = 0; w < v; ++w) {
      before_[w] = need_[w] > tolerance_ ? nobody : unseen;
      if (before_[w] == nobody) queue_[count++] = w;
    }
    for (int next = 0; next < count; ++next) {
      const int from = queue_[next];
      const double* const shares = held_.row(from);
      for (int to = 0; to < v; ++to) {
        if (before_[to] != unseen || !(shares[to] > epsilon<double>)) continue;
        before_[to] = from;
        if (load_[to] < 1 - epsilon<double>) {
          pass_on(v, to);
          return -1;
        }
        queue_[count++] = to;
      }
    }
    return count;
  }
  SOFTTRICKS_FN void pass_on(int v, int end) {
    double amount = 1 - load_[end];
    int first = end;
    for (; before_[first] != nobody; first = before_[first]) {
      amount = min(amount, held_(before_[first], first));
    }
    amount = min(amount, need_[first]);
    for (int to = end; to != first; to = before_[to]) {
      held_(before_[to], to) -= amount;
      held_(to, before_[to]) += amount;
    }
    load_[end] += amount;
    held_(first, v) += amount;
    need_[first] -= amount;
  }

  /// Makes v and the vertices reached one part, with all parts that these are of.
  SOFTTRICKS_FN void join(int v, int reached, int* part) {
    for (int k = 0; k < reached; ++k) {
      const int old = part[queue_[k]];
      if (old == part[v]) continue;
      for (int w = 0; w < v; ++w) part[w] = part[w] == old ? part[v] : part[w];
    }
  }

  /// Lets v hold as much of its edges as the others on average, so that they keep room.
  SOFTTRICKS_FN void take_share(int v, double average) {
    for (int w = 0; w < v; ++w) {
      const double moved = min(min(load_[w] - average, average - load_[v]), held_(w, v));
      if (!(moved > 0)) continue;
      held_(w, v) -= moved;
      held_(v, w) += moved;
      load_[w] -= moved;
      load_[v] += moved;
    }
  }

  /// Numbers the parts 0, 1, ...
  SOFTTRICKS_FN int number(int n, int* part) {
    int count = 0;
    for (int v = 0; v < n; ++v) queue_[v] = nobody;
    for (int v = 0; v < n; ++v) {
      int& own = queue_[part[v]];
      if (own == nobody) own = count++;
      part[v] = own;
    }
    return count;
  }

  const Matrix<double> held_;  // (w, v): how much of the edge between them w holds
  double* const load_;         // how much a vertex holds
  double* const need_;         // what of the new vertex's edge to w nobody holds yet
  int* const queue_;
  int* const before_;  // on the way from a vertex in need
  double tolerance_ = 0;
};

}  // namespace softtricks
