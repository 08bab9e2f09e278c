#pragma once
/// The linear assignment problem: a column for every row, no column twice, of largest total profit.
///
/// Method   Shortest augmenting paths with prices [Jonker, Volgenant 1987]: prices start at the
/// best
///          profit of each column; rows bid, twice each, raising the price of the column they take
///          by what they gain over their second choice; rows still without one search a path of
///          least loss, as Dijkstra does, over all columns.
/// Result   Prices v with p(i, column of i) - v = max_j p(i, j) - v_j for every row i: the proof
/// that
///          no other assignment is better, and the solution of the dual program.
/// Accuracy Prices are sums and differences of profits; the total is the best one's up to a few
///          roundings of the largest price a row. Integers that the type holds are exact.
/// Cost     O(n^3) time at worst, O(n^2) as a rule on random profits; O(n) scratch.
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Numbers a row, so that rows are read by whole registers.
SOFTTRICKS_FN constexpr int assignment_stride(int n) { return (n + 15) / 16 * 16; }
template <class T>
constexpr std::size_t assignment_scratch(int stride) {
  const std::size_t n = static_cast<std::size_t>(stride);
  return n * (5 * sizeof(T) + 4 * sizeof(int)) + 9 * Scratch::alignment;
}

/// profit: [n, stride], -inf where a pair is not allowed and in the columns from n on; none above
/// max / (4 n) in size.
template <Plain T, class Team>
class Assignment {
 public:
  SOFTTRICKS_FN Assignment(const Team& team, Matrix<const T> profit, int n, Scratch& memory)
      : team_(team),
        profit_(profit),
        n_(n),
        stride_(profit.stride),
        price_(memory.take<T>(stride_)),
        reach_(memory.take<T>(stride_)),
        from_(memory.take<T>(stride_)),
        loss_(memory.take<T>(stride_)),
        taken_(memory.take<T>(stride_)),
        owner_(memory.take<int>(stride_)),
        column_(memory.take<int>(stride_)),
        free_(memory.take<int>(stride_)),
        path_(memory.take<int>(stride_)) {}

  /// False where no assignment is allowed.
  SOFTTRICKS_SOLVER bool solve() {
    if (!start()) return false;
    for (int pass = 0; pass < passes && free_rows_ > 0; ++pass) bid();
    for (int f = 0; f < free_rows_; ++f) {
      if (!augment(free_[f])) return false;
    }
    return true;
  }
  SOFTTRICKS_FN int column_of(int row) const { return column_[row]; }
  SOFTTRICKS_FN T price(int column) const { return price_[column]; }
  SOFTTRICKS_FN const T* prices() const { return price_; }

 private:
  static constexpr int passes = 2;
  static constexpr int nobody = -1;

  /// Every column at its best profit, every row free. False where a column has no row.
  SOFTTRICKS_SOLVER bool start() {
    team_.map(
        stride_, price_, []<class V>(const V& p) { return p; }, profit_.row(0));
    for (int i = 1; i < n_; ++i) {
      const auto higher = []<class V>(const V& v, const V& p) { return max(v, p); };
      team_.map(stride_, price_, higher, static_cast<const T*>(price_), profit_.row(i));
    }
    const T lowest = -team_.template map_maximum<T>(
        n_, []<class V>(const V& v) { return -v; }, static_cast<const T*>(price_));
    team_.each(stride_, [&](int j) {
      owner_[j] = column_[j] = nobody;
      free_[j] = j;
      taken_[j] = T(0);
      if (j >= n_) price_[j] = T(0);
    });
    free_rows_ = n_;
    return lowest > -infinity<T>;
  }

  /// The free rows in turn take their best column. A row that is put out bids at once where the
  /// price has risen, for then something is gained; else it waits.
  SOFTTRICKS_SOLVER void bid() {
    const int rows = free_rows_;
    int waiting = 0, next = 0, left = 4 * n_;  // rounding may keep prices from rising
    while (next < rows) {
      const int i = free_[next++];
      const Leader<T> leader = among_equals(from_row(i));
      if (leader.place < 0) {  // nothing is left for this row: solve() finds out
        team_.once([&] { free_[waiting] = i; });
        ++waiting;
        continue;
      }
      const int j = leader.place, before = owner_[j];
      const T raised = price_[j] + (leader.best - leader.second);
      const bool rises = raised > price_[j] && raised < infinity<T>;
      team_.once([&] {
        if (rises) price_[j] = raised;
        take(i, j);
      });
      if (before == nobody) continue;
      const bool at_once = rises && --left > 0;
      if (at_once) --next;
      team_.once([&] { free_[at_once ? next : waiting] = before; });
      if (!at_once) ++waiting;
    }
    free_rows_ = waiting;
  }

  /// Gives row `start` a column along the path of least loss. reach_[j]: what the free row would
  /// have of column j by the best path, +inf once j is on the tree; from_[j]: the last row of it.
  SOFTTRICKS_SOLVER bool augment(int start) {
    Leader<T> leader = among_equals(from_row(start));
    int closed = 0;
    while (leader.place >= 0 && owner_[leader.place] != nobody) {
      const int j = leader.place, i = owner_[j];
      const T most = leader.best;
      team_.once([&] {
        path_[closed] = j;
        loss_[closed] = most;
        reach_[j] = infinity<T>;
      });
      ++closed;
      leader = among_equals(by_row(i, (profit_(i, j) - price_[j]) - most));
    }
    if (leader.place < 0) return false;
    team_.each(closed, [&](int k) { price_[path_[k]] += loss_[k] - leader.best; });
    team_.once([&] { flip(start, leader.place); });
    return true;
  }

  /// Paths of one step from the free row i.
  SOFTTRICKS_FN Leader<T> from_row(int i) {
    const T* const row = profit_.row(i);
    return team_.template map_leader<T>(stride_, [&]<class V>(const BlockAt<V, T>& at) {
      const V reach = at.read(row) - at.read(price_);
      at.write(reach_, reach);
      at.write(from_, V(ScalarOf<V>(i)));
      return reach;
    });
  }
  /// Of columns as good as the leader, one that no row has, if there is one: it ends the path.
  SOFTTRICKS_FN Leader<T> among_equals(const Leader<T>& leader) {
    if (leader.place < 0 || leader.second < leader.best || owner_[leader.place] == nobody) {
      return leader;
    }
    const Leader<T> open =
        team_.template map_leader<T>(stride_, [&]<class V>(const BlockAt<V, T>& at) {
          return select(at.read(taken_) == V(0), at.read(reach_), V(-infinity<V>));
        });
    return open.place < 0 || open.best < leader.best
               ? leader
               : Leader<T>{open.place, leader.best, leader.second};
  }
  /// Paths through row i too, whose own column is `ahead` better than what the free row would have.
  SOFTTRICKS_FN Leader<T> by_row(int i, T ahead) {
    const T* const row = profit_.row(i);
    return team_.template map_leader<T>(stride_, [&]<class V>(const BlockAt<V, T>& at) {
      const V here = (at.read(row) - at.read(price_)) - V(ahead), old = at.read(reach_);
      const auto better = here > old;
      const V reach = select(better, here, old);
      at.write(reach_, reach);
      at.write(from_, select(better, V(ScalarOf<V>(i)), at.read(from_)));
      return select(reach == V(infinity<V>), V(-infinity<V>), reach);
    });
  }

  SOFTTRICKS_FN void flip(int start, int j) {
    for (int i = nobody; i != start;) {
      i = static_cast<int>(from_[j]);
      const int before = column_[i];
      take(i, j);
      j = before;
    }
  }
  SOFTTRICKS_FN void take(int i, int j) {
    owner_[j] = i;
    column_[i] = j;
    taken_[j] = T(1);
  }

  const Team& team_;
  const Matrix<const T> profit_;
  const int n_, stride_;
  T* const price_;
  T* const reach_;
  T* const from_;
  T* const loss_;      // reach of the columns on the tree
  T* const taken_;     // by some row: 1, else 0
  int* const owner_;   // row of a column
  int* const column_;  // of a row
  int* const free_;    // rows without a column
  int* const path_;    // columns on the tree
  int free_rows_ = 0;
};

}  // namespace softtricks
