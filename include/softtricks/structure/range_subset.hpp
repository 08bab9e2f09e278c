#pragma once
#include "softtricks/base/center.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/capped_simplex.hpp"
#include "softtricks/solver/poisson_binomial.hpp"
#include "softtricks/solver/selection.hpp"

namespace softtricks {

/// At least `least` and at most `most` of `items` items; least = 0: a budget.
///
/// Set       0/1 vectors of size items with least .. most ones: a sum of binomial coefficients.
/// argmax    The items of utility above 0, fewer or more of the best where the bounds ask for it;
///           of equals the first. O(items).
/// marginals Counting with independent items, as for k-subsets; a tilt only where a bound pushes.
///           O(items most) time and scratch. [Chen, Dempster, Liu 1994]
/// marginals_vjp  The same on duals.
/// sample    The count, then items one by one from the last, O(items most).
/// project, binary_entropy, shannon_entropy  Each item by itself where their sum is within the
///           bounds; else the soft choice of the bound that it breaks (solver/capped_simplex.hpp).
struct RangeSubset {
  int items;
  int least;
  int most;

  static constexpr const char* name = "range_subset";
  static constexpr const char* field_names[] = {"items", "least", "most"};
  static constexpr int fields = 3;
  static constexpr int count_field = 2;  // most, which instances may differ in

  SOFTTRICKS_FN int size() const { return items; }
  SOFTTRICKS_FN int longest() const { return items; }
  Status check() const {
    if (items < 1) {
      return Status::error("range_subset: items must be at least 1, got " + std::to_string(items));
    }
    if (most < 1 || most > items) {
      return Status::error("range_subset: most must be in [1, items = " + std::to_string(items) +
                           "], got " + std::to_string(most));
    }
    if (least >= 0 && least <= most) return {};
    return Status::error("range_subset: least must be in [0, most = " + std::to_string(most) +
                         "], got " + std::to_string(least));
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0; i < items; ++i) f(i, i + 1);
  }
  /// How many numbers the solvers keep touching: what a cache should hold.
  SOFTTRICKS_FN std::int64_t working_numbers() const {
    return std::int64_t{1} * items * (most + 1);
  }
  /// Bytes of scratch that suffice for every method.
  template <class T>
  constexpr std::size_t scratch() const {
    return CountedItems<Dual<T>, T, SerialTeam<>>::scratch(items, most) +
           sizeof(T) * static_cast<std::size_t>(items) + Scratch::alignment;
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team& team, Vector<const T> x, T, Scratch) const {
    const T sum = team.sum(0, items, T(0), [&](int i) { return x[i]; });
    return is_choice(team, x, sum) & (sum >= bound<T>(least)) & (sum <= bound<T>(most));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T, Vector<T> x,
                                Scratch) const {
    const T wanted =
        team.sum(0, items, T(0), [&](int i) { return select(utility[i] > T(0), T(1), T(0)); });
    const T count = within(wanted);
    choose_largest(team, utility, max(count, T(1)), x);
    team.each(items, [&](int i) { x[i] = select(count > T(0), x[i], T(0)); });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T,
                                    Scratch scratch) const {
    return counted<T>(team, utility, scratch).log_partition();
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                   Scratch scratch) const {
    counted<T>(team, utility, scratch).marginals(out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T,
                                       Vector<const T> cotangent, Vector<T> out,
                                       Scratch scratch) const {
    counted<Dual<T>>(team, utility, scratch)
        .marginals_vjp(cotangent, midrange(utility, cotangent), out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void sample(const Team& team, Vector<const T> utility, T,
                                const Stream<T>& stream, Vector<T> x, Scratch scratch) const {
    counted<T>(team, utility, scratch).sample(stream, x);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void project(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                 Scratch) const {
    soft_choice<ClipShape>(team, utility, out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void project_vjp(const Team& team, Vector<const T> utility, T,
                                     Vector<const T> soft, Vector<const T> cotangent, Vector<T> out,
                                     Scratch) const {
    soft_choice_vjp<ClipShape>(team, utility, soft, cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                        Scratch) const {
    soft_choice<SigmoidShape>(team, utility, out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy_vjp(const Team& team, Vector<const T> utility, T,
                                            Vector<const T> soft, Vector<const T> cotangent,
                                            Vector<T> out, Scratch) const {
    soft_choice_vjp<SigmoidShape>(team, utility, soft, cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy(const Team& team, Vector<const T> utility, T,
                                         Vector<T> out, Scratch) const {
    soft_choice<CappedExpShape>(team, utility, out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy_vjp(const Team& team, Vector<const T> utility, T,
                                             Vector<const T> soft, Vector<const T> cotangent,
                                             Vector<T> out, Scratch) const {
    soft_choice_vjp<CappedExpShape>(team, utility, soft, cotangent, out);
  }

 private:
  template <class T>
  SOFTTRICKS_FN static T bound(int count) {
    return T(static_cast<ScalarOf<T>>(count));
  }
  template <class T>
  SOFTTRICKS_FN T within(T count) const {
    return min(max(count, bound<T>(least)), bound<T>(most));
  }

  /// Tilted where independent items would break a bound, so that the expected count is within half
  /// of that bound.
  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER CountedItems<N, T, Team> counted(const Team& team, Vector<const T> utility,
                                                     Scratch& scratch) const {
    const ItemRange<T> range = item_range(team, utility);
    const T expected = team.sum(0, items, T(0), [&](int i) { return sigmoid(utility[i]); });
    const T target = within(expected), half(ScalarOf<T>(0.5));
    const auto pushes = target != expected;
    const T tilt = choice_threshold<SigmoidShape>(team, utility, max(target, half), range, half).at;
    return {
        team,   utility, least, most, select(pushes, tilt, T(0)), range.count >= bound<T>(least),
        scratch};
  }

  /// The items by themselves, h(u - own): a threshold that no bound moves.
  template <class Shape, class T>
  SOFTTRICKS_FN static T alone(const T& utility) {
    const T own(std::is_same_v<Shape, CappedExpShape> ? 1 : 0);  // the slope of x log x at 1
    return Shape::value(utility - own);
  }
  template <class Shape, class T, class Team>
  SOFTTRICKS_SOLVER T sum_alone(const Team& team, Vector<const T> utility) const {
    return team.sum(0, items, T(0), [&](int i) { return alone<Shape>(utility[i]); });
  }

  template <class Shape, class T, class Team>
  SOFTTRICKS_SOLVER void soft_choice(const Team& team, Vector<const T> utility,
                                     Vector<T> out) const {
    const T sum = sum_alone<Shape>(team, utility), count = within(sum);
    const auto free = sum == count;
    capped_choice<Shape>(team, utility, max(count, T(1)), out);
    team.each(items, [&](int i) { out[i] = select(free, alone<Shape>(utility[i]), out[i]); });
  }
  template <class Shape, class T, class Team>
  SOFTTRICKS_SOLVER void soft_choice_vjp(const Team& team, Vector<const T> utility,
                                         Vector<const T> soft, Vector<const T> cotangent,
                                         Vector<T> out) const {
    const T sum = sum_alone<Shape>(team, utility);
    const auto free = sum == within(sum);
    capped_choice_vjp<Shape>(team, soft, cotangent, out);
    team.each(items,
              [&](int i) { out[i] = select(free, Shape::slope(soft[i]) * cotangent[i], out[i]); });
  }
};

}  // namespace softtricks
