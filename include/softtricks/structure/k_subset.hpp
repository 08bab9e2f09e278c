#pragma once
#include "softtricks/base/center.hpp"
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/capped_simplex.hpp"
#include "softtricks/solver/poisson_binomial.hpp"

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
    const std::size_t n = static_cast<std::size_t>(items),
                      columns = static_cast<std::size_t>(k) + 1;
    return sizeof(Dual<T>) * ((n + 2) * columns + 2 * n) + sizeof(T) * n + 8 * Scratch::alignment;
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team& team, Vector<const T> x, T, Scratch) const {
    return is_choice(team, x, count<T>());
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T, Vector<T> x,
                                Scratch) const {
    const T threshold = kth_largest(team, utility);
    const T above =
        team.sum(0, items, T(0), [&](int i) { return select(utility[i] > threshold, T(1), T(0)); });
    T left = count<T>() - above;  // how many of those equal to the threshold are in
    const T spoil = select(threshold > T(-infinity<T>), T(0), T(not_a_number<T>));
    for (int i = 0; i < items; ++i) {
      const auto equal = (utility[i] == threshold) & (left > T(0));
      left = left - select(equal, T(1), T(0));
      x[i] = select(equal | (utility[i] > threshold), T(1), T(0)) + spoil;
    }
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T,
                                    Scratch scratch) const {
    const auto counting = count_with<T>(team, utility, scratch);
    count_prefixes(team, counting.chance, items, k, counting.prefix);
    const T c = counting.tilt;
    const T independent = team.sum(0, items, T(0), [&](int i) { return softplus(utility[i] - c); });
    const T likely = log(counting.prefix(items, k));
    return select(counting.feasible, mul_add(count<T>(), c, independent) + likely, T(-infinity<T>));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                   Scratch scratch) const {
    const auto counting = count_with<T>(team, utility, scratch);
    count_prefixes(team, counting.chance, items, k, counting.prefix);
    const T spoil = counting.spoil();
    for_each_item(team, counting.chance, items, k, counting.prefix, counting.suffix,
                  [&](int i, T in, T not_in) { out[i] = in / (in + not_in) + spoil; });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T,
                                       Vector<const T> cotangent, Vector<T> out,
                                       Scratch scratch) const {
    const auto counting = count_with<Dual<T>>(team, utility, scratch);
    const T middle = midrange(utility, cotangent);
    team.each(items, [&](int i) {
      Chance<Dual<T>>& chance = counting.chance[i];
      const T slope = chance.in.value * chance.out.value;
      const T change = select(slope == T(0), T(0), slope * (cotangent[i] - middle));
      chance.in.tangent = change;
      chance.out.tangent = -change;
    });
    count_prefixes(team, counting.chance, items, k, counting.prefix);
    const T spoil = counting.spoil();
    for_each_item(team, counting.chance, items, k, counting.prefix, counting.suffix,
                  [&](int i, Dual<T> in, Dual<T> not_in) {
                    // d [a/(a+b)] = (da b - a db) / (a+b)^2, by relative changes
                    const T total = in.value + not_in.value;
                    const T weight = (in.value / total) * (not_in.value / total);
                    const T rate = in.tangent / in.value - not_in.tangent / not_in.value;
                    out[i] = select(weight > T(0), weight * rate, T(0)) + spoil;
                  });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void sample(const Team& team, Vector<const T> utility, T,
                                const Stream<T>& stream, Vector<T> x, Scratch scratch) const {
    const auto counting = count_with<T>(team, utility, scratch);
    count_prefixes(team, counting.chance, items, k, counting.prefix);
    Stream<T> random = stream;
    T left = count<T>();
    for (int i = items - 1; i >= 0; --i) {
      const T* const before = counting.prefix.row(i);
      T with(0), without(0);
      for (int j = 0; j <= k; ++j) {
        const auto here = left == T(ScalarOf<T>(j));
        without = select(here, before[j], without);
        if (j > 0) with = select(here, before[j - 1], with);
      }
      const T in = counting.chance[i].in * with, not_in = counting.chance[i].out * without;
      const Uniform<T> u = random.next();
      const auto chosen = bernoulli(u, in, not_in);
      x[i] = select(chosen, T(1), T(0));
      left = left - x[i];
    }
    const T spoil = counting.spoil();
    team.each(items, [&](int i) { x[i] = x[i] + spoil; });
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

  /// The k-th largest utility: the largest number that k utilities reach, bit by bit.
  template <class T, class Team>
  SOFTTRICKS_SOLVER T kth_largest(const Team& team, Vector<const T> utility) const {
    using Bits = BitsOf<T>;
    constexpr int bits = 8 * sizeof(ScalarOf<T>);
    Bits reached = Bits(1) << (bits - 1);  // the least rank; the first step wraps round to 0
    for (int bit = bits - 1; bit >= 0; --bit) {
      const Bits trial = reached + (Bits(1) << bit);
      const T level = from_rank<T>(trial);
      const T reaching =
          team.sum(0, items, T(0), [&](int i) { return select(utility[i] >= level, T(1), T(0)); });
      reached = select(reaching >= count<T>(), trial, reached);
    }
    return from_rank<T>(reached);
  }

  template <class N, class T>
  struct Counting {
    Chance<N>* chance;  // [items]
    Matrix<N> prefix;   // [items + 1, k + 1]
    N* suffix;          // [k + 1]
    T tilt;
    MaskOf<T> feasible;

    SOFTTRICKS_FN T spoil() const { return select(feasible, T(0), T(not_a_number<T>)); }
  };

  /// Chances tilted so that the expected count is within half of k.
  template <class N, class T, class Team>
  SOFTTRICKS_SOLVER Counting<N, T> count_with(const Team& team, Vector<const T> utility,
                                              Scratch& scratch) const {
    const ItemRange<T> range = item_range(team, utility);
    const T half(ScalarOf<T>(0.5));
    const T tilt = choice_threshold<SigmoidShape>(team, utility, count<T>(), range, half).at;
    Counting<N, T> counting{scratch.take<Chance<N>>(items),
                            {scratch.take<N>((items + 1) * (k + 1)), k + 1},
                            scratch.take<N>(k + 1),
                            tilt,
                            range.count >= count<T>()};
    team.each(items, [&](int i) {
      const T d = utility[i] - tilt;
      counting.chance[i] = {N(sigmoid(d)), N(sigmoid(-d))};
    });
    return counting;
  }
};

}  // namespace softtricks
