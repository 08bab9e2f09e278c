#pragma once
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// The loss of theta against a member y that should have been chosen, without noise:
///   max over the hull of (theta.x - t f(x)) - theta.y + t f(y)
/// for the regularizer f and temperature t of a trick, whose perturbation plays no part. Convex in
/// theta, never negative, 0 where the soft sample at theta is y. [Blondel et al. 2020]
///
/// GibbsEntropy  -t log_prob(y) at theta / t, the loss of conditional random fields. [Lafferty et
///               al. 2001] For a y within the hull, t f(y) is left out, a constant in theta.
/// SquaredNorm   The SparseMAP loss [Niculae et al. 2018]; for OneHot the sparsemax loss [Martins,
///               Astudillo 2016]. 0 already where y leads by a margin.
/// Gradient      soft sample at theta - y. Exact: no noise, no bias.
/// Cost          One relax; one log_partition besides for GibbsEntropy.
template <class Trick>
struct FenchelYoung {
  static constexpr const char* name = "fenchel_young";
  Trick trick;

  /// Bytes of scratch that suffice for `loss`.
  template <Plain T>
  std::size_t scratch() const {
    return trick.template scratch<T>() + Scratch::bytes<T>(1, trick.size());
  }

  /// Returns the loss of theta, [size], against the target y, [size]; adds its gradient to
  /// `gradient`.
  template <Plain T, class Team>
  SOFTTRICKS_FN T loss(const Team& team, Vector<const T> theta, Vector<const T> target,
                       Vector<T> gradient, Scratch scratch) const {
    const Vector<T> soft = scratch.vector<T>(trick.size());
    trick.soft(team, theta, soft, scratch);
    team.each(soft.size, [&](int e) { gradient[e] += soft[e] - target[e]; });
    return trick.fenchel_young(team, theta, soft.view(), target, scratch);
  }
};

}  // namespace softtricks
