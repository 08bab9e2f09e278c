#pragma once
#include "softtricks/base/random.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Can utilities be drawn given their hard sample?
template <class Trick, class T = double, class Team = SerialTeam<>>
concept DrawsPosterior = requires(const Trick& trick, const Team& team, Vector<const T> given,
                                  const Stream<T>& stream, Vector<T> utility, Scratch scratch) {
  trick.perturb_given(team, given, given, stream, utility, scratch);
};

/// Straight-through with the noise averaged out: forward a hard sample, backward the mean Jacobian
/// of `draws` soft samples, whose utilities are drawn given the hard one.
///
/// Value     loss at the hard sample: unbiased.
/// Scale     That of StraightThrough, whose mean it has for any number of draws.
/// Bias      That of StraightThrough at this temperature; the variance is at most StraightThrough's
///           and falls with draws, so lower temperatures are within reach. [Paulus et al. 2021]
/// Cost      One argmax, a relax and its vjp for each draw.
/// Limits    Structures that can draw utilities given the hard sample, under the perturbation for
///           which they can: OneHot with Gumbel, BitVector with Logistic.
template <DrawsPosterior Trick>
struct GumbelRao {
  static constexpr const char* name = "gumbel_rao";
  Trick trick;
  int draws = 10;

  /// Bytes of scratch that suffice for `estimate`.
  template <Plain T>
  std::size_t scratch() const {
    return trick.template scratch<T>() + Scratch::bytes<T>(4, trick.size());
  }

  template <Plain T, class Team, class Loss>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Loss& loss, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = trick.size();
    const Vector<T> utility = scratch.vector<T>(size), hard = scratch.vector<T>(size),
                    soft = scratch.vector<T>(size), slope = scratch.vector<T>(size);
    trick.draw(team, theta, seed, instance, utility, hard, scratch);
    const T value = loss(hard.view(), slope);
    team.each(size, [&](int e) { slope[e] /= static_cast<T>(draws); });
    for (int k = 0; k < draws; ++k) {
      const Stream<T> stream(seed, draw_number(instance, draws, k));
      trick.perturb_given(team, theta, hard.view(), stream, utility, scratch);
      trick.soft(team, utility.view(), soft, scratch);
      trick.pull_back(team, theta, utility.view(), soft.view(), slope.view(), gradient, scratch);
    }
    return value;
  }
};

}  // namespace softtricks
