#pragma once
/// Members of a set, each with a weight, and the point that they make: a convex combination. Only
/// entries that some member uses are kept, so that a member costs what the members use together.
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// The entries of a vector that are not 0, in any order.
template <class T>
struct SparseVector {
  int* entry;
  T* value;
  int count;
};

/// How many members of `size` entries are kept at most: 64 to 1024, what fits into 2^26 numbers if
/// they use all entries.
SOFTTRICKS_FN constexpr int member_room(int size) {
  const int room = (1 << 26) / (size < 1 ? 1 : size);
  return room < 64 ? 64 : room < 1024 ? room : 1024;
}
/// Of those, no more than can be affinely independent.
SOFTTRICKS_FN constexpr int member_capacity(int size) {
  const int room = member_room(size);
  return size + 1 < room ? size + 1 : room;
}

template <Plain T>
class WeightedMembers {
 public:
  /// Rows are read whole blocks at a time.
  static constexpr int block = 16;
  SOFTTRICKS_FN static constexpr int whole(int count) {
    return (count + block - 1) / block * block;
  }

  double* weight;  // [count]

  SOFTTRICKS_FN WeightedMembers(int size, int capacity, Scratch& scratch)
      : weight(scratch.take<double>(capacity)),
        size_(size),
        capacity_(capacity),
        column_(scratch.take<int>(size)),
        entry_(scratch.take<int>(size)),
        row_(scratch.take<int>(capacity)),
        // An odd number of blocks, lest rows share their place in the cache.
        values_{scratch.take<T>(static_cast<std::size_t>(capacity) * odd_stride(size)),
                odd_stride(size)},
        point_(scratch.take<T>(whole(size))) {}

  SOFTTRICKS_FN int size() const { return size_; }
  SOFTTRICKS_FN int count() const { return count_; }

  template <class Team>
  SOFTTRICKS_FN void clear(const Team& team) {
    count_ = used_ = ready_ = 0;
    binary_ = true;
    team.each(size_, [&](int e) { column_[e] = -1; });
    for (int i = 0; i < capacity_; ++i) row_[i] = i;
  }

  /// Adds a member at the end, its weight 0.
  template <class Team>
  SOFTTRICKS_SOLVER void add(const Team& team, const SparseVector<T>& member) {
    for (int n = 0; n < member.count; ++n) {
      const int e = member.entry[n];
      if (column_[e] >= 0) continue;
      column_[e] = used_;
      entry_[used_++] = e;
    }
    if (used_ > ready_) {
      const int wider = whole(used_);
      team.each(ready_, wider, [&](int c) { point_[c] = T(0); });
      for (int i = 0; i < count_; ++i) {
        team.each(ready_, wider, [&](int c) { own(i)[c] = T(0); });
      }
      ready_ = wider;
    }
    T* const row = own(count_);
    team.each(ready_, [&](int c) { row[c] = T(0); });
    for (int n = 0; n < member.count; ++n) {
      row[column_[member.entry[n]]] = member.value[n];
      binary_ = binary_ && member.value[n] == T(1);
    }
    weight[count_++] = 0;
  }

  /// Those after it move up by one.
  SOFTTRICKS_FN void remove(int i) {
    const int free = row_[i];
    --count_;
    for (int j = i; j < count_; ++j) {
      row_[j] = row_[j + 1];
      weight[j] = weight[j + 1];
    }
    row_[count_] = free;
  }

  /// Numbers the members by falling weight.
  SOFTTRICKS_FN void sort() {
    for (int i = 1; i < count_; ++i) {
      for (int j = i; j > 0 && weight[j] > weight[j - 1]; --j) {
        const double w = weight[j];
        const int r = row_[j];
        weight[j] = weight[j - 1];
        row_[j] = row_[j - 1];
        weight[j - 1] = w;
        row_[j - 1] = r;
      }
    }
  }

  /// Rounds the weights to multiples of 2^-24 (double: 2^-53) that add up to 1. All sums of them
  /// are exact in T, so that the point of 0/1 members is written without leaving the hull.
  SOFTTRICKS_FN void round_weights() {
    constexpr double unit = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;
    double rest = 1;
    int heaviest = 0;
    for (int i = 0; i < count_; ++i) {
      const double units = weight[i] / unit;
      const double below = static_cast<double>(static_cast<std::int64_t>(units));
      weight[i] = unit * (units - below < 0.5 ? below : below + 1);
      rest -= weight[i];
      heaviest = weight[i] > weight[heaviest] ? i : heaviest;
    }
    if (count_ > 0) weight[heaviest] += rest;
  }

  /// target[i] = the inner product of member `last` with member i, i = 0 .. last.
  template <class Team>
  SOFTTRICKS_SOLVER void overlaps(const Team& team, int last, double* target) const {
    const T* const row = own(last);
    if (!binary_) {
      for (int i = 0; i <= last; ++i) target[i] = inner(team, own(i), row);
      return;
    }
    int i = 0;
    for (; i + 3 <= last; i += 4) {
      const auto products = []<class V>(const V& n, const V& a, const V& b, const V& c,
                                        const V& d) {
        return Several<V, 4>{{n * a, n * b, n * c, n * d}};
      };
      const auto sums = team.template map_sums<T, 4>(ready_, products, row, own(i), own(i + 1),
                                                     own(i + 2), own(i + 3));
      for (int l = 0; l < 4; ++l) target[i + l] = static_cast<double>(sums.part[l]);
    }
    for (; i <= last; ++i) {
      const auto product = []<class V>(const V& n, const V& a) { return n * a; };
      target[i] = static_cast<double>(team.template map_sum<T>(ready_, product, row, own(i)));
    }
  }

  /// The inner product of member i with a vector; entries that it doesn't use count for nothing.
  template <class Team>
  SOFTTRICKS_FN double dot(const Team& team, int i, Vector<const T> vector) const {
    const T* const row = own(i);
    return team.sum(0, used_, 0.0, [&](int c) {
      const double product = static_cast<double>(row[c]) * static_cast<double>(vector[entry_[c]]);
      return row[c] == T(0) ? 0.0 : product;
    });
  }

  /// target = utility - the point, at the entries in use.
  template <class Team>
  SOFTTRICKS_SOLVER void residual(const Team& team, Vector<const T> utility, T* target) const {
    combine(team);
    team.each(used_, [&](int c) { target[entry_[c]] = utility[entry_[c]] - point_[c]; });
  }

  /// The squared distance of member i from the point that `residual` last found.
  template <class Team>
  SOFTTRICKS_FN double distance(const Team& team, int i) const {
    const T* const row = own(i);
    return team.sum(0, used_, 0.0, [&](int c) {
      const double away = static_cast<double>(row[c]) - static_cast<double>(point_[c]);
      return away * away;
    });
  }
  /// Are members i and j equal?
  template <class Team>
  SOFTTRICKS_FN bool same(const Team& team, int i, int j) const {
    const T *const a = own(i), *const b = own(j);
    return team.sum(0, used_, 0.0, [&](int c) { return a[c] == b[c] ? 0.0 : 1.0; }) == 0;
  }

  /// out = the members' combination by `factor`, added up in double.
  template <class Team>
  SOFTTRICKS_SOLVER void write(const Team& team, const double* factor, Vector<T> out) const {
    team.each(size_, [&](int e) { out[e] = T(0); });
    team.each(used_, [&](int c) {
      double sum = 0;
      for (int i = 0; i < count_; ++i) sum += factor[i] * static_cast<double>(own(i)[c]);
      out[entry_[c]] = static_cast<T>(sum);
    });
  }
  template <class Team>
  SOFTTRICKS_FN void write_member(const Team& team, int i, T* out) const {
    team.each(size_, [&](int e) { out[e] = column_[e] < 0 ? T(0) : own(i)[column_[e]]; });
  }

 private:
  SOFTTRICKS_FN static constexpr int odd_stride(int size) {
    return (whole(size) / block | 1) * block;
  }
  SOFTTRICKS_FN T* own(int i) const { return values_.row(row_[i]); }

  template <class Team>
  SOFTTRICKS_FN double inner(const Team& team, const T* a, const T* b) const {
    return team.sum(0, ready_, 0.0,
                    [&](int c) { return static_cast<double>(a[c]) * static_cast<double>(b[c]); });
  }

  /// Four members at a time, so that the point is seldom loaded and stored.
  template <class Team>
  SOFTTRICKS_FN void combine(const Team& team) const {
    team.each(ready_, [&](int c) { point_[c] = T(0); });
    int i = 0;
    for (; i + 4 <= count_; i += 4) {
      const T w0 = T(weight[i]), w1 = T(weight[i + 1]), w2 = T(weight[i + 2]),
              w3 = T(weight[i + 3]);
      const auto add = [=]<class V>(const V& x, const V& a, const V& b, const V& c, const V& d) {
        return mul_add(V(w3), d, mul_add(V(w2), c, mul_add(V(w1), b, mul_add(V(w0), a, x))));
      };
      team.map(ready_, point_, add, static_cast<const T*>(point_), own(i), own(i + 1), own(i + 2),
               own(i + 3));
    }
    for (; i < count_; ++i) {
      const T w = T(weight[i]);
      const auto add = [=]<class V>(const V& x, const V& a) { return mul_add(V(w), a, x); };
      team.map(ready_, point_, add, static_cast<const T*>(point_), own(i));
    }
  }

  int size_, capacity_;
  int* column_;       // [size]: where an entry is kept, or -1
  int* entry_;        // [used]: the entries kept
  int* row_;          // [capacity]: where member i is kept; then the rows that are free
  Matrix<T> values_;  // [capacity, used], 0 up to `ready`
  T* point_;          // [ready]
  int count_ = 0, used_ = 0, ready_ = 0;
  bool binary_ = true;  // are all entries 0 or 1? Then float holds all inner products exactly
};

}  // namespace softtricks
