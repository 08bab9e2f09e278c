#pragma once
#include "softtricks/base/dot.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// The loss of theta against a member y that should have been chosen: by how much y falls short of
/// the best member under random utilities, E[max over x of U.x - U.y]. A structure that has nothing
/// but argmax will do. [Berthet et al. 2020]
///
/// Value     Mean over `samples` of U.(X - y), each at least 0: unbiased. For U = theta + noise the
///           expectation is E[max U.x] - theta.y - E[noise].y, convex in theta. With OneHot and
///           Gumbel it is the cross entropy.
/// Scale     1: mean of (X - y) dU/dtheta, that is E[X] - y for U = theta + noise. Unbiased.
/// Cost      One argmax a sample.
/// Limits    y may be any point of the convex hull, as the mean of several members.
template <class Trick>
struct PerturbedFenchelYoung {
  static constexpr const char* name = "perturbed_fenchel_young";
  Trick trick;
  int samples = 1;

  /// Bytes of scratch that suffice for `estimate`.
  template <Plain T>
  std::size_t scratch() const {
    return trick.template scratch<T>() + Scratch::bytes<T>(2, trick.size());
  }

  /// In place of a loss on members stands the target y, [size].
  template <Plain T, class Team>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Vector<const T> target, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = trick.size();
    const T share = T(1) / static_cast<T>(samples);
    const Vector<T> utility = scratch.vector<T>(size), lead = scratch.vector<T>(size);
    T value = 0;
    for (int s = 0; s < samples; ++s) {
      trick.draw(team, theta, seed, draw_number(instance, samples, s), utility, lead, scratch);
      team.each(size, [&](int e) { lead[e] = share * (lead[e] - target[e]); });
      value += masked_dot(team, utility.view(), lead.view());
      trick.perturb_vjp(team, theta, utility.view(), lead.view(), gradient);
    }
    return value;
  }
};

}  // namespace softtricks
