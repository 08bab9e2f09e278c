#pragma once
/// Projection on the convex hull of a set by Frank-Wolfe with away steps: for oracles that are not
/// exact, for faces of very many members, and where a known gap is enough. [Guelat, Marcotte 1986;
/// Lacoste-Julien, Jaggi 2015]
///
/// Problem  min |x - u|^2 / 2 over the hull of X.
/// Method   A step goes towards the best member for u - x, or away from the worst member that x is
///          made of, whichever promises more, as far as is best on that line. A member whose weight
///          gets to 0 is dropped. Converges linearly.
/// Cost     One oracle call and O(k entries in use) a step, k members in use; no k^2.
/// Accuracy `gap` bounds the squared distance to the projection. With an oracle that may miss the
///          best member by some amount, that amount is to be added.
/// Limits   Ends where more than `member_room` members would be needed.
///
/// With exact oracles the active set (active_set.hpp) is better: it ends at the projection itself.
#include "softtricks/solver/weighted_members.hpp"

namespace softtricks {

template <Plain T>
class FrankWolfe {
 public:
  /// Takes its memory from `scratch`, for vectors of `size` entries.
  SOFTTRICKS_FN FrankWolfe(int size, Scratch& scratch)
      : capacity_(member_room(size)), members_(size, capacity_ + 1, scratch) {
    along_ = scratch.take<double>(static_cast<std::size_t>(capacity_) + 1);
    residual_ = scratch.take<T>(static_cast<std::size_t>(size));
    best_ = {scratch.take<int>(static_cast<std::size_t>(size)),
             scratch.take<T>(static_cast<std::size_t>(size)), 0};
  }
  SOFTTRICKS_FN static std::size_t scratch(int size) {
    Scratch count;
    FrankWolfe<T>(size, count);
    return count.used();
  }

  /// Moves from the best member towards the projection of `utility` until the gap is at most
  /// `tolerance`, in at most `steps` steps. False if the oracle finds no member at all.
  /// oracle(utility, SparseVector<T>& best): see ArgmaxOracle.
  template <class Team, class Oracle>
  SOFTTRICKS_SOLVER bool project(const Team& team, Vector<const T> utility, const Oracle& oracle,
                                 double tolerance, int steps) {
    members_.clear(team);
    gap_ = infinity<double>;
    team.each(utility.size, [&](int e) { residual_[e] = utility[e]; });
    if (!oracle(utility, best_)) return false;
    members_.add(team, best_);
    members_.weight[0] = 1;
    members_.residual(team, utility, residual_);
    for (int step = 0; step < steps; ++step) {
      if (!oracle(Vector<const T>{residual_, utility.size}, best_)) return false;
      if (!move(team, {residual_, utility.size}, tolerance)) break;
      members_.residual(team, utility, residual_);
    }
    return true;
  }

  SOFTTRICKS_FN int count() const { return members_.count(); }
  SOFTTRICKS_FN double weight(int i) const { return members_.weight[i]; }
  template <class Team>
  SOFTTRICKS_FN void write_member(const Team& team, int i, T* out) const {
    members_.write_member(team, i, out);
  }
  template <class Team>
  SOFTTRICKS_FN void write_point(const Team& team, Vector<T> out) const {
    members_.write(team, members_.weight, out);
  }
  /// By how much the best member was better than the point, along u - x, when last asked.
  SOFTTRICKS_FN double gap() const { return gap_ > 0 ? gap_ : 0; }

 private:
  /// One step; false where none is needed or possible.
  template <class Team>
  SOFTTRICKS_FN bool move(const Team& team, Vector<const T> residual, double tolerance) {
    const int k = count();
    members_.add(team, best_);
    double own = 0;
    int worst = 0;
    for (int i = 0; i <= k; ++i) {
      along_[i] = members_.dot(team, i, residual);
      own += members_.weight[i] * along_[i];
      worst = along_[i] < along_[worst] ? i : worst;
    }
    gap_ = along_[k] - own;
    if (!(gap_ > tolerance)) return members_.remove(k), false;
    if (k > 1 && own - along_[worst] > gap_) {
      members_.remove(k);
      step_away(team, worst, own - along_[worst]);
      return true;
    }
    const double part = gap_ / members_.distance(team, k);
    return step_towards(team, part < 1 ? part : 1);
  }

  /// Towards the last member.
  template <class Team>
  SOFTTRICKS_FN bool step_towards(const Team& team, double part) {
    const int k = count() - 1;
    int same = 0;
    while (!members_.same(team, same, k)) ++same;  // as the last one, that one itself
    if (same == k && k == capacity_) return members_.remove(k), false;
    scale(1 - part);
    members_.weight[same] += part;
    if (same < k) members_.remove(k);
    drop_empty();
    return true;
  }

  template <class Team>
  SOFTTRICKS_FN void step_away(const Team& team, int from, double gain) {
    const double weight = members_.weight[from], most = weight / (1 - weight);
    const double part = gain / members_.distance(team, from);
    scale(1 + (part < most ? part : most));
    members_.weight[from] -= part < most ? part : most;
    if (part >= most) members_.weight[from] = 0;
    drop_empty();
  }

  SOFTTRICKS_FN void scale(double factor) {
    for (int i = 0; i < count(); ++i) members_.weight[i] *= factor;
  }
  SOFTTRICKS_FN void drop_empty() {
    for (int i = count() - 1; i >= 0; --i) {
      if (!(members_.weight[i] > 0)) members_.remove(i);
    }
  }

  int capacity_;
  WeightedMembers<T> members_;
  double* along_;  // [members]: residual.member
  T* residual_;    // [size]: utility - point
  SparseVector<T> best_;
  double gap_ = infinity<double>;
};

}  // namespace softtricks
