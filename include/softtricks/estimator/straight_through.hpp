#pragma once
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Forward a hard sample, backward the Jacobian of the soft sample with the same noise.
///
/// Value     loss at the hard sample: unbiased.
/// Scale     1 as the temperature falls, for losses linear in x.
/// Bias      Does not vanish at any temperature for other losses. [Bengio et al. 2013, Jang et al.
///           2017]
/// Cost      One argmax, one relax and its vjp.
template <class Trick>
struct StraightThrough {
  static constexpr const char* name = "straight_through";
  Trick trick;

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
    trick.soft(team, utility.view(), soft, scratch);
    trick.pull_back(team, theta, utility.view(), soft.view(), slope.view(), gradient, scratch);
    return value;
  }
};

}  // namespace softtricks
