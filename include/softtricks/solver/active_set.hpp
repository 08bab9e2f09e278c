#pragma once
/// Projection on the convex hull of a set, by an oracle that finds the best member for any
/// utilities. [Wolfe 1976; SparseMAP: Niculae et al. 2018]
///
/// Problem  min |x - u|^2 / 2 over the hull of X.
/// Method   x is kept as a convex combination of affinely independent members. Oracle: the best
///          member for the residual u - x; if it is no better than x, x is the projection. Else it
///          joins, and x moves towards the point of the members' affine hull that is next to u; a
///          member whose weight gets to 0 on the way leaves. Each set of members occurs at most
///          once, so the end is reached after finitely many steps.
/// Factor   The Gram matrix, plus 1 in each entry so that it is regular, as R^T R: a row and column
///          more by a triangular solve, less by plane rotations.
/// vjp      The projection of the cotangent on the differences of the active members.
/// Cost     One oracle call and O(k (k + entries in use)) a step, k members in use.
/// Accuracy Weights in double. It ends where the best member gains less than 2^-30 (double: 2^-50)
///          of the utilities and entries that add up to that gain.
///          In double, on faces of hundreds of members, up to 2^-30 of these may be left now and
///          then, where a member that gains can't be told from those there are.
/// Limits   `member_capacity` members. A face that needs more is left with the best point of those
///          found, in the hull all the same; `gap` bounds what is missing.
#include "softtricks/solver/weighted_members.hpp"

namespace softtricks {

/// The upper triangular factor of a Gram matrix. The diagonal is kept apart, so that whole blocks
/// of a row can be taken: what is left of the diagonal, and right of the last column, is 0.
class GramFactor {
  static constexpr int block = 16;
  SOFTTRICKS_FN static constexpr int whole(int n) { return (n + block - 1) / block * block; }
  SOFTTRICKS_FN static constexpr int from(int row) { return row / block * block; }

 public:
  SOFTTRICKS_FN GramFactor(int capacity, Scratch& scratch)
      : stride_((whole(capacity) / block | 1) * block),
        upper_{scratch.take<double>(static_cast<std::size_t>(whole(capacity)) * stride_), stride_},
        diagonal_(scratch.take<double>(whole(capacity))),
        inverse_(scratch.take<double>(whole(capacity))) {}

  SOFTTRICKS_FN void clear() { count_ = 0; }
  SOFTTRICKS_FN int count() const { return count_; }
  SOFTTRICKS_FN int stride() const { return stride_; }

  /// x = R^-T x; x: [stride]. Four rows at a time, of which the corner is solved first.
  template <class Team>
  SOFTTRICKS_SOLVER void solve_transposed(const Team& team, double* x) const {
    const int end = fill(x);
    for (int i = 0; i < count_; i += 4) {
      double y[4];
      for (int a = 0; a < 4; ++a) {
        y[a] = x[i + a];
        for (int b = 0; b < a; ++b) y[a] -= y[b] * upper_(i + b, i + a);
        y[a] *= inverse_[i + a];
      }
      const int first = from(i);
      const auto take = [=]<class V>(const V& v, const V& a, const V& b, const V& c, const V& d) {
        return v - (V(y[0]) * a + V(y[1]) * b + (V(y[2]) * c + V(y[3]) * d));
      };
      team.map(end - first, x + first, take, row(x, first), row(upper_.row(i), first),
               row(upper_.row(i + 1), first), row(upper_.row(i + 2), first),
               row(upper_.row(i + 3), first));
      for (int a = 0; a < 4; ++a) x[i + a] = y[a];
    }
  }

  /// x = R^-1 x; x: [stride].
  template <class Team>
  SOFTTRICKS_SOLVER void solve(const Team& team, double* x) const {
    const int end = fill(x);
    const auto products = []<class V>(const V& v, const V& a, const V& b, const V& c, const V& d) {
      return Several<V, 4>{{v * a, v * b, v * c, v * d}};
    };
    for (int i = (count_ - 1) / 4 * 4; i >= 0; i -= 4) {
      double y[4];
      for (int a = 0; a < 4; ++a) {
        y[a] = x[i + a];
        x[i + a] = 0;
      }
      const int first = from(i);
      const auto known = team.template map_sums<double, 4>(
          end - first, products, row(x, first), row(upper_.row(i), first),
          row(upper_.row(i + 1), first), row(upper_.row(i + 2), first),
          row(upper_.row(i + 3), first));
      for (int a = 3; a >= 0; --a) {
        y[a] -= known.part[a];
        for (int b = a + 1; b < 4; ++b) y[a] -= upper_(i + a, i + b) * y[b];
        y[a] *= inverse_[i + a];
        x[i + a] = y[a];
      }
    }
  }

  /// One more member: `column` = R^-T of its inner products with the others, `pivot` what is left
  /// of its own.
  template <class Team>
  SOFTTRICKS_SOLVER void append(const Team& team, const double* column, double pivot) {
    const int k = count_++;
    if (k % block == 0) {
      // Rows beyond the last are there, too, and change nothing.
      for (int i = 0; i < k + block; ++i) {
        team.each(i < k ? k : 0, k + block, [&](int j) { upper_(i, j) = 0; });
      }
      team.each(k, k + block, [&](int i) { inverse_[i] = 0; });
    }
    team.each(k, [&](int i) { upper_(i, k) = column[i]; });
    diagonal_[k] = pivot;
    inverse_[k] = 1 / pivot;
  }

  /// Member j leaves; a rotation of two rows at a time brings back the triangle. What is carried
  /// along in `sides` is R^-T of something.
  template <class Team, int sides>
  SOFTTRICKS_SOLVER void remove(const Team& team, int j, double* const (&side)[sides]) {
    const int last = count_ - 1;
    for (int i = 0; i < last; ++i) {
      double* const row = upper_.row(i);
      for (int c = i < j ? j : i; c < last; ++c) row[c] = row[c + 1];
      row[last] = 0;
    }
    // Row i now begins one place early, from row j on: its first entry is in column i, where its
    // right neighbour of the old triangle was, and the old diagonal of row i + 1 is below it.
    for (int i = j; i < last; ++i) {
      double* const row = upper_.row(i);
      double* const next = upper_.row(i + 1);
      const double a = row[i], b = diagonal_[i + 1], length = sqrt(a * a + b * b);
      const double c = a / length, s = b / length;
      row[i] = 0;
      diagonal_[i] = length;
      inverse_[i] = 1 / length;
      // Row i + 1 was moved already; its entries from column i + 1 on belong beside those of row i.
      team.each(i + 1, last, [&](int p) {
        const double x = row[p], y = next[p];
        row[p] = c * x + s * y;
        next[p] = c * y - s * x;
      });
      for (double* const z : side) {
        const double x = z[i], y = z[i + 1];
        z[i] = c * x + s * y;
        z[i + 1] = c * y - s * x;
      }
    }
    count_ = last;
    inverse_[last] = 0;
  }

 private:
  /// 0 beyond the last member, up to a whole block; where that ends.
  SOFTTRICKS_FN int fill(double* x) const {
    const int end = whole(count_);
    for (int i = count_; i < end; ++i) x[i] = 0;
    return end;
  }
  SOFTTRICKS_FN static const double* row(const double* numbers, int first) {
    return numbers + first;
  }

  int stride_, count_ = 0;
  Matrix<double> upper_;
  double *diagonal_, *inverse_;
};

/// The oracle of anything that has an `argmax`: finds the member of largest utility, as the list of
/// its entries that are not 0; false if there is none. A quicker text may offer the list itself,
/// as the places of its ones, -1 where there is no member: `argmax_entries`. It may read, not use,
/// Team::room numbers behind the utilities.
template <class S, class T, class Team>
class ArgmaxOracle {
 public:
  SOFTTRICKS_FN ArgmaxOracle(const S& structure, const Team& team, T length, Scratch scratch)
      : structure_(structure),
        team_(team),
        length_(length),
        dense_(scratch.vector<T>(lists ? 0 : structure.size())),
        scratch_(scratch) {}

  SOFTTRICKS_FN bool operator()(Vector<const T> utility, SparseVector<T>& best) const {
    best.count = 0;
    if constexpr (lists) {
      best.count = structure_.argmax_entries(team_, utility, length_, best.entry, scratch_);
      for (int n = 0; n < best.count; ++n) best.value[n] = T(1);
      return best.count >= 0;
    } else {
      structure_.argmax(team_, utility, length_, dense_, scratch_);
      if (is_nan(dense_[0])) return false;
      for (int e = 0; e < dense_.size; ++e) {
        if (dense_[e] == T(0)) continue;
        best.entry[best.count] = e;
        best.value[best.count++] = dense_[e];
      }
      return true;
    }
  }

 private:
  static constexpr bool lists = requires(const S& s, const Team& team, Vector<const T> u, T length,
                                         int* entry, Scratch scratch) {
    s.argmax_entries(team, u, length, entry, scratch);
  };

  const S& structure_;
  const Team& team_;
  T length_;
  Vector<T> dense_;
  Scratch scratch_;
};

template <Plain T>
class ActiveSet {
 public:
  /// Takes its memory from `scratch`, for vectors of `size` entries.
  SOFTTRICKS_FN ActiveSet(int size, Scratch& scratch)
      : capacity_(member_capacity(size)),
        members_(size, capacity_ + 1, scratch),  // one more, to look at
        factor_(capacity_, scratch) {
    double** const arrays[] = {&rise_, &level_, &target_, &overlap_};
    for (double** const array : arrays) *array = scratch.take<double>(factor_.stride());
    residual_ = scratch.take<T>(size + SerialTeam<>::room);
    best_ = {scratch.take<int>(size), scratch.take<T>(size), 0};
  }
  SOFTTRICKS_FN static std::size_t scratch(int size) {
    Scratch count;
    ActiveSet<T>(size, count);
    return count.used();
  }

  /// Forgets all members. To be called before anything else.
  template <class Team>
  SOFTTRICKS_FN void clear(const Team& team) {
    members_.clear(team);
    factor_.clear();
  }

  /// Moves to the projection of `utility`, from the members held if there are any. False if the
  /// oracle finds no member at all. oracle(utility, SparseVector<T>& best): see ArgmaxOracle.
  template <class Team, class Oracle>
  SOFTTRICKS_SOLVER bool project(const Team& team, Vector<const T> utility, const Oracle& oracle) {
    calls_ = 0;
    gap_ = infinity<double>;
    team.each(utility.size, [&](int e) { residual_[e] = utility[e]; });
    if (!start(team, utility, oracle)) return false;
    for (int left = 64 * capacity_, renewals = 2; left > 0; --left) {
      members_.residual(team, utility, residual_);
      if (!ask(oracle, {residual_, utility.size})) return false;
      if (consider(team, utility) && settle(team)) continue;
      // Something is left to gain, and rounding in the way; in float that is below T's own.
      if (sizeof(T) == 4 || !gains_ || renewals-- == 0) break;
      updates_ = most_updates + 1;
      refresh(team, utility);
      settle(team);
      refine(team, utility);
    }
    if (sizeof(T) == 8) refine(team, utility);
    members_.round_weights();
    return true;
  }

  SOFTTRICKS_FN int count() const { return members_.count(); }
  SOFTTRICKS_FN double weight(int i) const { return members_.weight[i]; }
  template <class Team>
  SOFTTRICKS_FN void write_member(const Team& team, int i, T* out) const {
    members_.write_member(team, i, out);
  }
  /// Numbers the members by falling weight.
  SOFTTRICKS_FN void sort() { members_.sort(); }
  template <class Team>
  SOFTTRICKS_FN void write_point(const Team& team, Vector<T> out) const {
    members_.write(team, members_.weight, out);
  }
  /// By how much the best member was better than the point, along u - x, when last asked: 0 up to
  /// rounding at the projection. The squared distance from it is at most this.
  SOFTTRICKS_FN double gap() const { return gap_ > 0 ? gap_ : 0; }
  /// How often the last `project` asked the oracle.
  SOFTTRICKS_FN int calls() const { return calls_; }

  /// out = the derivative of the point by the utilities, times the cotangent.
  template <class Team>
  SOFTTRICKS_SOLVER void vjp(const Team& team, Vector<const T> cotangent, Vector<T> out) const {
    const int k = count();
    for (int i = 0; i < k; ++i) target_[i] = members_.dot(team, i, cotangent);
    for (int i = k - 1; i >= 0; --i) target_[i] -= target_[0];
    factor_.solve_transposed(team, target_);
    weigh(team, target_, 0);
    members_.write(team, target_, out);
  }

 private:
  static constexpr double rounding = sizeof(T) == 4 ? 0x1p-30 : 0x1p-50;
  static constexpr int most_updates = 4096;

  /// The first member, or of those held the point next to the utilities.
  template <class Team, class Oracle>
  SOFTTRICKS_FN bool start(const Team& team, Vector<const T> utility, const Oracle& oracle) {
    if (count() > 0) refresh(team, utility);
    if (count() == 0) {
      if (!ask(oracle, {residual_, utility.size})) return false;
      members_.add(team, best_);
      members_.overlaps(team, 0, overlap_);
      offset_ = worth(utility);
      append(team, 0);
      members_.weight[0] = 1;
    }
    settle(team);
    return true;
  }

  /// Keeps the members that the utilities allow, and counts anew what they are worth.
  template <class Team>
  SOFTTRICKS_FN void refresh(const Team& team, Vector<const T> utility) {
    double total = 0;
    for (int i = 0; i < count();) {
      target_[i] = members_.dot(team, i, utility);
      if (target_[i] > -infinity<double>) {
        total += members_.weight[i++];
      } else {
        leave(team, i);
      }
    }
    if (!(total > 0)) return clear(team);
    if (updates_ > most_updates) refactor(team);
    offset_ = target_[0];
    for (int i = 0; i < count(); ++i) {
      members_.weight[i] /= total;
      rise_[i] = target_[i] - offset_;
    }
    factor_.solve_transposed(team, rise_);
  }

  /// Lest roundings of many updates add up.
  template <class Team>
  SOFTTRICKS_FN void refactor(const Team& team) {
    factor_.clear();
    updates_ = 0;
    for (int i = 0; i < count(); ++i) {
      members_.overlaps(team, i, overlap_);
      append(team, 0);
    }
  }

  /// A step more for the weights, from what the residual says they miss; unless one gets below 0.
  template <class Team>
  SOFTTRICKS_FN void refine(const Team& team, Vector<const T> utility) {
    const int k = count();
    members_.residual(team, utility, residual_);
    const Vector<const T> residual{residual_, utility.size};
    for (int i = 0; i < k; ++i) target_[i] = members_.dot(team, i, residual);
    for (int i = k - 1; i >= 0; --i) target_[i] -= target_[0];
    factor_.solve_transposed(team, target_);
    weigh(team, target_, 0);
    for (int i = 0; i < k; ++i) {
      if (members_.weight[i] + target_[i] < 0) return;
    }
    double common = 0;
    for (int i = 0; i < k; ++i) members_.weight[i] += target_[i];
    members_.residual(team, utility, residual_);
    for (int i = 0; i < k; ++i) common += members_.weight[i] * members_.dot(team, i, residual);
    common_ = common - offset_;
  }

  template <class Oracle>
  SOFTTRICKS_FN bool ask(const Oracle& oracle, Vector<const T> utility) {
    ++calls_;
    return oracle(utility, best_);
  }

  /// utility.best, and the sum of the sizes of its terms.
  SOFTTRICKS_FN double worth(Vector<const T> utility, double* sizes = nullptr) const {
    double sum = 0, size = 0;
    for (int n = 0; n < best_.count; ++n) {
      const double term =
          static_cast<double>(best_.value[n]) * static_cast<double>(utility[best_.entry[n]]);
      sum += term;
      size += abs(term);
    }
    if (sizes != nullptr) *sizes = size;
    return sum;
  }

  /// Takes the best member in if it gains something.
  template <class Team>
  SOFTTRICKS_FN bool consider(const Team& team, Vector<const T> utility) {
    const int k = count();
    members_.add(team, best_);
    members_.overlaps(team, k, overlap_);
    double size = 0, shared = 0;
    const double value = worth(utility, &size) - offset_;
    for (int i = 0; i < k; ++i) shared += overlap_[i] * members_.weight[i];
    gap_ = value - shared - common_;
    gains_ = gap_ > rounding * (size + overlap_[k]);
    if (gains_ && k < capacity_ && append(team, value)) return true;
    members_.remove(k);
    return false;
  }

  /// The last member joins the factor, its inner products with all in `overlap`. False where it
  /// lies in the affine hull of the others, up to rounding.
  template <class Team>
  SOFTTRICKS_FN bool append(const Team& team, double value) {
    const int k = factor_.count();
    const double own = overlap_[k] + 1;
    for (int i = 0; i < k; ++i) overlap_[i] += 1;
    factor_.solve_transposed(team, overlap_);
    double left = own, level = 1;
    for (int i = 0; i < k; ++i) {
      left -= overlap_[i] * overlap_[i];
      level -= overlap_[i] * level_[i];
      value -= overlap_[i] * rise_[i];
    }
    if (!(left > 1e-11 * own)) return false;
    const double pivot = sqrt(left);
    level_[k] = level / pivot;
    rise_[k] = value / pivot;
    factor_.append(team, overlap_, pivot);
    ++updates_;
    return true;
  }

  template <class Team>
  SOFTTRICKS_FN void leave(const Team& team, int i) {
    factor_.remove(team, i, {rise_, level_});
    members_.remove(i);
    ++updates_;
  }

  /// Moves to the point of the affine hull that is next to the utilities, dropping members whose
  /// weights reach 0 on the way. False if the newest member leaves before it has moved at all:
  /// what it gains is rounding.
  template <class Team>
  SOFTTRICKS_FN bool settle(const Team& team) {
    double* const w = members_.weight;
    for (bool moved = true;;) {
      const int k = count();
      team.each(k, [&](int i) { target_[i] = rise_[i]; });
      common_ = weigh(team, target_, 1) + 1;
      double step = 1;
      int first = -1;
      for (int i = 0; i < k; ++i) {
        if (target_[i] > 0) continue;
        const double reach = w[i] > 0 ? w[i] / (w[i] - target_[i]) : 0;
        if (first >= 0 && reach >= step) continue;
        step = reach;
        first = i;
      }
      if (first < 0) {
        team.each(k, [&](int i) { w[i] = target_[i]; });
        return moved;
      }
      team.each(k, [&](int i) { w[i] += step * (target_[i] - w[i]); });
      moved = moved && (step > 0 || first < k - 1);
      leave(team, first);
    }
  }

  /// x = R^-T b to the weights that sum up to `total` and solve G w = b - m - total; returns m.
  template <class Team>
  SOFTTRICKS_FN double weigh(const Team& team, double* x, double total) const {
    double both = -total, alone = 0;
    for (int i = 0; i < count(); ++i) {
      both += level_[i] * x[i];
      alone += level_[i] * level_[i];
    }
    const double mean = both / alone;
    team.each(count(), [&](int i) { x[i] -= mean * level_[i]; });
    factor_.solve(team, x);
    return mean;
  }

  int capacity_;
  WeightedMembers<T> members_;
  GramFactor factor_;
  // [capacity], R^-T of what the members are worth (beyond `offset`) and of ones, ...
  double *rise_, *level_, *target_, *overlap_;
  T* residual_;  // [size]: utility - point
  SparseVector<T> best_;
  double offset_ = 0;  // the first member's worth, lest large numbers cancel
  double common_ = 0;  // residual.member of all active members, beyond `offset`
  double gap_ = infinity<double>;
  bool gains_ = false;  // is that more than rounding?
  int calls_ = 0, updates_ = 0;
};

}  // namespace softtricks
