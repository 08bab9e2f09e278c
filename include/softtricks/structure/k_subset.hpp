#pragma once
#include "softtricks/base/center.hpp"
#include "softtricks/base/dual.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/capped_simplex.hpp"
#include "softtricks/solver/poisson_binomial.hpp"
#include "softtricks/solver/selection.hpp"

namespace softtricks {

/// Exactly `k` of `items` items.
///
/// Set       0/1 vectors of size items with k ones: binomial(items, k) members.
/// argmax    Exact k-th largest by bisection on the bits of the numbers, O(items); of equals, the
///           first.
/// marginals Poisson-binomial counting, O(items k) time and scratch. [Chen, Dempster, Liu 1994]
/// marginals_vjp  The same on duals.
/// sample    Counting, then items one by one from the last, O(items k).
/// project   Capped simplex; binary_entropy: LML; shannon_entropy: constrained softmax. See
///           solver/capped_simplex.hpp.
struct KSubset {
  int items;
  int k;

  static constexpr const char* name = "k_subset";
  static constexpr const char* field_names[] = {"items", "k"};
  static constexpr int fields = 2;
  static constexpr int count_field = 1;  // k, which instances may differ in

  SOFTTRICKS_FN int size() const { return items; }
  SOFTTRICKS_FN int longest() const { return items; }
  Status check() const {
    if (items < 1) {
      return Status::error("k_subset: items must be at least 1, got " + std::to_string(items));
    }
    if (k < 1 || k > items) {
      return Status::error("k_subset: k must be in [1, items = " + std::to_string(items) +
                           "], got " + std::to_string(k));
    }
    return {};
  }
  /// Entries from which a method is better off along one instance than across several: those that
  /// pass over a soft choice only a few times.
  static constexpr int alone_from(std::string_view method) {
    return method.ends_with("_vjp") && method != "marginals_vjp" ? 32 : never;
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0; i < items; ++i) f(i, i + 1);
  }
  /// How many numbers the solvers keep touching: what a cache should hold.
  SOFTTRICKS_FN std::int64_t working_numbers() const { return std::int64_t{1} * items * (k + 1); }
  /// Bytes of scratch that suffice for every method.
  template <class T>
  constexpr std::size_t scratch() const {
    return CountedItems<Dual<T>, T, SerialTeam<>>::scratch(items, k) +
           sizeof(T) * static_cast<std::size_t>(items) + Scratch::alignment;
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team& team, Vector<const T> x, T, Scratch) const {
    return is_choice(team, x, count<T>());
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T, Vector<T> x,
                                Scratch) const {
    choose_largest(team, utility, count<T>(), x);
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
    capped_choice<ClipShape>(team, utility, count<T>(), out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void project_vjp(const Team& team, Vector<const T>, T, Vector<const T> soft,
                                     Vector<const T> cotangent, Vector<T> out, Scratch) const {
    capped_choice_vjp<ClipShape>(team, soft, cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                        Scratch) const {
    capped_choice<SigmoidShape>(team, utility, count<T>(), out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy_vjp(const Team& team, Vector<const T>, T,
                                            Vector<const T> soft, Vector<const T> cotangent,
                                            Vector<T> out, Scratch) const {
    capped_choice_vjp<SigmoidShape>(team, soft, cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy(const Team& team, Vector<const T> utility, T,
                                         Vector<T> out, Scratch) const {
    capped_choice<CappedExpShape>(team, utility, count<T>(), out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy_vjp(const Team& team, Vector<const T>, T,
                                             Vector<const T> soft, Vector<const T> cotangent,
                                             Vector<T> out, Scratch) const {
    capped_choice_vjp<CappedExpShape>(team, soft, cotangent, out);
  }

 private:
  template <class T>
  SOFTTRICKS_FN T count() const {
    return T(ScalarOf<T>(k));
  }

  /// Tilted so that the expected count is within half of k.
  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER CountedItems<N, T, Team> counted(const Team& team, Vector<const T> utility,
                                                     Scratch& scratch) const {
    const ItemRange<T> range = item_range(team, utility);
    const T half(ScalarOf<T>(0.5));
    const T tilt = choice_threshold<SigmoidShape>(team, utility, count<T>(), range, half).at;
    return {team, utility, k, k, tilt, range.count >= count<T>(), scratch};
  }
};

}  // namespace softtricks
