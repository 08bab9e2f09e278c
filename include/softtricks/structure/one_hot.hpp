#pragma once
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/solver/capped_simplex.hpp"

namespace softtricks {

/// One of `categories` items.
///
/// Set       The unit vectors: size categories, as many members.
/// argmax    One pass; the first of equals.
/// marginals Softmax, O(categories). Perturbed by Gumbel noise: Gumbel-softmax. [Jang et al. 2017,
///           Maddison et al. 2017]
/// sample    Gumbel-max. [Gumbel 1954]
/// project   Sparsemax. [Martins, Astudillo 2016]
struct OneHot {
  int categories;

  static constexpr const char* name = "one_hot";
  static constexpr const char* field_names[] = {"categories"};
  static constexpr int fields = 1;

  SOFTTRICKS_FN int size() const { return categories; }
  SOFTTRICKS_FN int longest() const { return categories; }
  Status check() const {
    if (categories >= 1) return {};
    return Status::error("one_hot: categories must be at least 1, got " +
                         std::to_string(categories));
  }
  template <class F>
  SOFTTRICKS_FN void for_each_entry(F f) const {
    for (int i = 0; i < categories; ++i) f(i, i + 1);
  }
  /// How many numbers the solvers keep touching: what a cache should hold.
  SOFTTRICKS_FN std::int64_t working_numbers() const { return std::int64_t{1} * categories; }
  /// Bytes of scratch that suffice for every method.
  template <class T>
  constexpr std::size_t scratch() const {
    return sizeof(T) * size() + Scratch::alignment;  // marginals for the entropy
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team&, Vector<const T> x, T, Scratch) const {
    MaskOf<T> binary = x[0] == x[0];
    T ones(0);
    for (int i = 0; i < categories; ++i) {
      binary = binary & ((x[i] == T(0)) | (x[i] == T(1)));
      ones = ones + x[i];
    }
    return binary & (ones == T(1));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T, Vector<T> x,
                                Scratch) const {
    const T best = largest(team, utility);
    auto open = best > T(-infinity<T>);
    const T spoil = select(open, T(0), T(not_a_number<T>));
    for (int i = 0; i < categories; ++i) {
      const auto here = open & (utility[i] == best);
      x[i] = select(here, T(1), T(0)) + spoil;
      open = open & !here;
    }
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T, Scratch) const {
    const T best = largest(team, utility);
    const auto feasible = best > T(-infinity<T>);
    const T top = select(feasible, best, T(0));
    return top + log(team.sum(0, categories, T(0), [&](int i) { return exp(utility[i] - top); }));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                   Scratch) const {
    const T top = largest(team, utility);  // -inf: -inf - -inf is the NaN that is due
    team.each(categories, [&](int i) { out[i] = exp(utility[i] - top); });
    const T inverse = T(1) / team.sum(0, categories, T(0), [&](int i) { return out[i]; });
    team.each(categories, [&](int i) { out[i] = out[i] * inverse; });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals_vjp(const Team& team, Vector<const T> utility, T length,
                                       Vector<const T> cotangent, Vector<T> out,
                                       Scratch scratch) const {
    marginals(team, utility, length, out, scratch);
    softmax_vjp(team, out.view(), cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void sample(const Team& team, Vector<const T> utility, T,
                                const Stream<T>& stream, Vector<T> x, Scratch) const {
    Stream<T> random = stream;
    T best(-infinity<T>), winner(-1);
    for (int i = 0; i < categories; ++i) {
      const T perturbed = utility[i] - log(exponential_from(random.next()));
      winner = select(perturbed > best, T(ScalarOf<T>(i)), winner);
      best = max(best, perturbed);
    }
    const T spoil = select(best > T(-infinity<T>), T(0), T(not_a_number<T>));
    team.each(categories,
              [&](int i) { x[i] = select(winner == T(ScalarOf<T>(i)), T(1), T(0)) + spoil; });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void project(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                 Scratch) const {
    capped_choice<ClipShape>(team, utility, T(1), out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void project_vjp(const Team& team, Vector<const T> soft,
                                     Vector<const T> cotangent, Vector<T> out) const {
    capped_choice_vjp<ClipShape>(team, soft, cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                        Scratch) const {
    capped_choice<SigmoidShape>(team, utility, T(1), out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy_vjp(const Team& team, Vector<const T> soft,
                                            Vector<const T> cotangent, Vector<T> out) const {
    capped_choice_vjp<SigmoidShape>(team, soft, cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy(const Team& team, Vector<const T> utility, T length,
                                         Vector<T> out, Scratch scratch) const {
    marginals(team, utility, length, out, scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy_vjp(const Team& team, Vector<const T> soft,
                                             Vector<const T> cotangent, Vector<T> out) const {
    softmax_vjp(team, soft, cotangent, out);
  }

 private:
  template <class T, class Team>
  SOFTTRICKS_FN T largest(const Team& team, Vector<const T> utility) const {
    return team.template maximum<T>(0, categories, T(-infinity<T>),
                                    [&](int i) { return utility[i]; });
  }

  /// p_i (g_i - sum_j p_j g_j). Cotangents are taken relative to that of the likeliest item: then
  /// nothing cancels when nearly all mass is there. `out` may be `probability`.
  template <class T, class Team>
  SOFTTRICKS_SOLVER void softmax_vjp(const Team& team, Vector<const T> probability,
                                     Vector<const T> cotangent, Vector<T> out) const {
    T most(0), pivot(0);
    for (int i = 0; i < categories; ++i) {
      pivot = select(probability[i] > most, cotangent[i], pivot);
      most = max(most, probability[i]);
    }
    const auto relative = [&](int i) {
      const T p = probability[i];
      return select(p == T(0), T(0), p * (cotangent[i] - pivot));
    };
    const T mean = team.sum(0, categories, T(0), relative);
    team.each(categories, [&](int i) { out[i] = relative(i) - probability[i] * mean; });
  }
};

}  // namespace softtricks
