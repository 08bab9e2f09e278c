#pragma once
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// The gradient of E[loss(soft sample)] by reparametrisation, as a stand-in for that of
/// E[loss(hard sample)].
///
/// Value     loss at the soft sample.
/// Scale     1 as the temperature falls, for losses that are continuous on the convex hull.
/// Bias      That of the relaxation; vanishes in that limit, while the variance grows. [Jang et al.
///           2017, Maddison et al. 2017, Paulus et al. 2020]
/// Cost      One relax and its vjp.
template <class Trick>
struct Relaxed {
  static constexpr const char* name = "relaxed";
  Trick trick;

  /// Bytes of scratch that suffice for `estimate`.
  template <Plain T>
  std::size_t scratch() const {
    return trick.template scratch<T>() + Scratch::bytes<T>(3, trick.size());
  }

  template <Plain T, class Team, class Loss>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Loss& loss, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = trick.size();
    const Vector<T> utility = scratch.vector<T>(size), soft = scratch.vector<T>(size),
                    slope = scratch.vector<T>(size);
    trick.perturb(team, theta, seed, instance, utility);
    trick.soft(team, utility.view(), soft, scratch);
    const T value = loss(soft.view(), slope);
    trick.pull_back(team, theta, utility.view(), soft.view(), slope.view(), gradient, scratch);
    return value;
  }
};

}  // namespace softtricks
