#pragma once
#include "softtricks/base/random.hpp"
#include "softtricks/base/spoilt.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Can a structure draw from its Gibbs law, and differentiate its mean?
template <class Structure, class T = double, class Team = SerialTeam<>>
concept DrawsGibbs = requires(const Structure& s, const Team& team, Vector<const T> given,
                              const Stream<T>& stream, Vector<T> out, Scratch scratch) {
  s.sample(team, given, T(0), stream, out, scratch);
  s.marginals_vjp(team, given, T(0), given, out, scratch);
};

/// Forward an exact sample of the Gibbs law with utilities theta, backward the Jacobian of its
/// mean. There are no perturbation and no temperature: the law is p(x) ~ exp(theta.x). [Ahmed et
/// al. 2023, who call it SIMPLE, for k-subsets]
///
/// Value     loss at the sample: unbiased.
/// Scale     1 for losses linear in x, of the gradient of E[loss(X)] under the Gibbs law: no bias,
///           and no variance either.
/// Bias      The mean is covariance(X) E[slope(X)] for other losses: for quadratic ones the
/// gradient
///           of loss(E[X]).
/// Cost      One sample and one marginals_vjp.
/// Limits    Structures that have both.
template <DrawsGibbs Structure>
struct ExactStraightThrough {
  static constexpr const char* name = "exact_straight_through";
  Structure structure;

  /// Bytes of scratch that suffice for `estimate`.
  template <Plain T>
  std::size_t scratch() const {
    return structure.template scratch<T>() + Scratch::bytes<T>(3, structure.size());
  }

  template <Plain T, class Team, class Loss>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Loss& loss, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = structure.size();
    const T length = static_cast<T>(structure.longest());
    const Vector<T> x = scratch.vector<T>(size), slope = scratch.vector<T>(size),
                    pulled = scratch.vector<T>(size);
    if (spoilt(team, theta)) {
      spoil(team, x);
    } else {
      structure.sample(team, theta, length, Stream<T>(seed, instance), x, scratch);
    }
    const T value = loss(x.view(), slope);
    if (spoilt(team, x.view())) {
      spoil(team, pulled);
    } else {
      structure.marginals_vjp(team, theta, length, slope.view(), pulled, scratch);
    }
    team.each(size, [&](int e) { gradient[e] += pulled[e]; });
    return value;
  }
};

}  // namespace softtricks
