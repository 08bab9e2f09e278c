#pragma once
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Forward a hard sample, backward the Jacobian of the soft sample with the same noise.
///
/// Value     loss at the hard sample: unbiased.
/// Bias      Does not vanish at any temperature in general; exact for losses linear in x as the
///           temperature falls. [Bengio et al. 2013, Jang et al. 2017]
template <class Trick>
struct StraightThrough {
  static constexpr const char* name = "straight_through";
  Trick trick;

  /// loss(x, grad) returns the loss at x and fills grad, both [size]; adds the estimate to
  /// `gradient`, [size]. Scratch: trick.scratch() and 5 arrays of size.
  template <Plain T, class Team, class Loss>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Loss& loss, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = trick.size();
    const Vector<T> utility = scratch.vector<T>(size), hard = scratch.vector<T>(size),
                    soft = scratch.vector<T>(size), slope = scratch.vector<T>(size),
                    pulled = scratch.vector<T>(size);
    trick.perturb(team, theta, seed, instance, utility);
    trick.hard(team, utility.view(), hard, scratch);
    const T value = loss(hard.view(), slope);
    trick.soft(team, utility.view(), soft, scratch);
    trick.soft_vjp(team, utility.view(), soft.view(), slope.view(), pulled, scratch);
    trick.perturb_vjp(team, theta, utility.view(), pulled.view(), gradient);
    return value;
  }
};

}  // namespace softtricks
