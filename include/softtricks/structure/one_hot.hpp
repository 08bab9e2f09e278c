#pragma once
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"
#include "softtricks/perturbation/gumbel.hpp"
#include "softtricks/solver/capped_simplex.hpp"

namespace softtricks {

/// One of `categories` items.
///
/// Set       The unit vectors: size categories, as many members.
/// argmax    One pass; the first of equals.
/// marginals Softmax, O(categories). Perturbed by Gumbel noise: Gumbel-softmax. [Jang et al. 2017,
///           Maddison et al. 2017]
/// sample    Gumbel-max. [Gumbel 1954]
/// posterior_utilities  Of Gumbel utilities, given the hard sample; exact, O(categories).
/// project   Sparsemax. [Martins, Astudillo 2016]
struct OneHot {
  int categories;

  static constexpr const char* name = "one_hot";
  static constexpr const char* field_names[] = {"categories"};
  static constexpr int fields = 1;

  SOFTTRICKS_FN int size() const { return categories; }
  SOFTTRICKS_FN int longest() const { return categories; }
  Status check() const {
    // A place must be exact as a float.
    if (categories >= 1 && categories <= (1 << 24)) return {};
    return Status::error("one_hot: categories must be in [1, 16777216], got " +
                         std::to_string(categories));
  }
  /// Entries from which a method is better off along one instance than across several.
  static constexpr int alone_from(std::string_view method) {
    return method == "sample" ? never : 32;
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
  SOFTTRICKS_SOLVER MaskOf<T> contains(const Team& team, Vector<const T> x, T, Scratch) const {
    return is_choice(team, x, T(1));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void argmax(const Team& team, Vector<const T> utility, T, Vector<T> x,
                                Scratch) const {
    const T best = largest(team, utility);
    const auto from_the_end = [&]<class V>(const V& u, const V& place) {
      return select(u == V(best), -place, V(-infinity<V>));
    };
    const T first = -team.template map_maximum<T>(categories, from_the_end, utility.data, Places());
    const T spoil = select(best > T(-infinity<T>), T(0), T(not_a_number<T>));
    const auto chosen = [&]<class V>(const V& place) {
      return select(place == V(first), V(1), V(0)) + V(spoil);
    };
    team.map(categories, x.data, chosen, Places());
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER T log_partition(const Team& team, Vector<const T> utility, T, Scratch) const {
    const T best = largest(team, utility);
    const T top = select(best > T(-infinity<T>), best, T(0));
    const auto weight = [&]<class V>(const V& u) { return exp(u - V(top)); };
    return top + log(team.template map_sum<T>(categories, weight, utility.data));
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void marginals(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                   Scratch) const {
    const T top = largest(team, utility);  // -inf: -inf - -inf is the NaN that is due
    const auto weight = [&]<class V>(const V& u) { return exp(u - V(top)); };
    team.map(categories, out.data, weight, utility.data);
    const auto same = []<class V>(const V& v) { return v; };
    const T inverse = T(1) / team.template map_sum<T>(categories, same, out.data);
    team.map(
        categories, out.data, [&]<class V>(const V& w) { return w * V(inverse); }, out.data);
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
      const T perturbed = utility[i] - log_of_normal(exponential_from(random.next()));
      winner = select(perturbed > best, T(ScalarOf<T>(i)), winner);
      best = max(best, perturbed);
    }
    const T spoil = select(best > T(-infinity<T>), T(0), T(not_a_number<T>));
    const auto chosen = [&]<class V>(const V& place) {
      return select(place == V(winner), V(1), V(0)) + V(spoil);
    };
    team.map(categories, x.data, chosen, Places());
  }

  /// Gumbel utilities of location theta, given that their argmax is x. Their largest is independent
  /// of where it is; -log of the others are exponential numbers past that of the largest.
  /// [Maddison et al. 2014]
  template <Plain T, class Team>
  SOFTTRICKS_SOLVER void posterior_utilities(const Gumbel& law, const Team& team,
                                             Vector<const T> theta, Vector<const T> x,
                                             const Stream<T>& stream, Vector<T> utility,
                                             Scratch scratch) const {
    const auto log_exponential = [&](int place) {
      return log_of_normal(exponential_from(stream.at(static_cast<std::uint32_t>(place))));
    };
    const T scale(law.scale);
    team.each(categories, [&](int i) { utility[i] = theta[i] / scale; });
    const T total = log_partition(team, utility.view(), static_cast<T>(categories), scratch);
    const T best = total - log_exponential(categories);
    team.each(categories, [&](int i) {
      const T below = best - softplus(best + log_exponential(i) - utility[i]);
      utility[i] = scale * select(x[i] == T(1), best, below);
    });
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void project(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                 Scratch) const {
    capped_choice<ClipShape>(team, utility, T(1), out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void project_vjp(const Team& team, Vector<const T>, T, Vector<const T> soft,
                                     Vector<const T> cotangent, Vector<T> out, Scratch) const {
    capped_choice_vjp<ClipShape>(team, soft, cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy(const Team& team, Vector<const T> utility, T, Vector<T> out,
                                        Scratch) const {
    capped_choice<SigmoidShape>(team, utility, T(1), out);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void binary_entropy_vjp(const Team& team, Vector<const T>, T,
                                            Vector<const T> soft, Vector<const T> cotangent,
                                            Vector<T> out, Scratch) const {
    capped_choice_vjp<SigmoidShape>(team, soft, cotangent, out);
  }

  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy(const Team& team, Vector<const T> utility, T length,
                                         Vector<T> out, Scratch scratch) const {
    marginals(team, utility, length, out, scratch);
  }
  template <class T, class Team>
  SOFTTRICKS_SOLVER void shannon_entropy_vjp(const Team& team, Vector<const T>, T,
                                             Vector<const T> soft, Vector<const T> cotangent,
                                             Vector<T> out, Scratch) const {
    softmax_vjp(team, soft, cotangent, out);
  }

 private:
  template <class T, class Team>
  SOFTTRICKS_FN T largest(const Team& team, Vector<const T> utility) const {
    return team.template map_maximum<T>(
        categories, []<class V>(const V& u) { return u; }, utility.data);
  }

  /// p_i (g_i - sum_j p_j g_j). Cotangents are taken relative to that of a likeliest item: then
  /// nothing cancels when nearly all mass is there. `out` may be `probability`.
  template <class T, class Team>
  SOFTTRICKS_SOLVER void softmax_vjp(const Team& team, Vector<const T> probability,
                                     Vector<const T> cotangent, Vector<T> out) const {
    const T most = largest(team, probability);
    const auto of_likeliest = [&]<class V>(const V& p, const V& g) {
      return select(p == V(most), g, V(-infinity<V>));
    };
    const T pivot =
        team.template map_maximum<T>(categories, of_likeliest, probability.data, cotangent.data);
    const auto relative = [=]<class V>(const V& p, const V& g) {
      return select(p == V(0), V(0), p * (g - V(pivot)));
    };
    const T mean = team.template map_sum<T>(categories, relative, probability.data, cotangent.data);
    const auto product = [=]<class V>(const V& p, const V& g) {
      return relative(p, g) - p * V(mean);
    };
    team.map(categories, out.data, product, probability.data, cotangent.data);
  }
};

}  // namespace softtricks
