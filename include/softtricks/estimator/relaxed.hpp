#pragma once
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// The gradient of E[loss(soft sample)] by reparametrisation, as a stand-in for that of
/// E[loss(hard sample)].
///
/// Value     loss at the soft sample.
/// Bias      That of the relaxation; vanishes as the temperature falls, for losses that are
///           continuous on the convex hull, while the variance grows. [Jang et al. 2017, Maddison
///           et al. 2017, Paulus et al. 2020]
template <class Trick>
struct Relaxed {
  static constexpr const char* name = "relaxed";
  Trick trick;

  /// loss(x, grad) returns the loss at x and fills grad, both [size]; adds the estimate to
  /// `gradient`, [size]. Scratch: trick.scratch() and 4 arrays of size.
  template <Plain T, class Team, class Loss>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Loss& loss, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = trick.size();
    const Vector<T> utility = scratch.vector<T>(size), x = scratch.vector<T>(size),
                    slope = scratch.vector<T>(size), pulled = scratch.vector<T>(size);
    trick.perturb(team, theta, seed, instance, utility);
    trick.soft(team, utility.view(), x, scratch);
    const T value = loss(x.view(), slope);
    trick.soft_vjp(team, utility.view(), x.view(), slope.view(), pulled, scratch);
    trick.perturb_vjp(team, theta, utility.view(), pulled.view(), gradient);
    return value;
  }
};

}  // namespace softtricks
