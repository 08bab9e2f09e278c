#pragma once
#include <utility>

#include "softtricks/base/dot.hpp"
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/spoilt.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// Bytes of scratch that suffice for a regularizer's relax and relax_vjp on a structure. Most need
/// what the structure's own methods need; a regularizer with a solver of its own adds to it.
template <class Regularizer, class T, class S>
constexpr std::size_t relax_scratch(const S& structure) {
  std::size_t more = 0;
  if constexpr (requires { Regularizer::template more_scratch<T>(structure); }) {
    more = Regularizer::template more_scratch<T>(structure);
  }
  return structure.template scratch<T>() + more;
}

/// Perturbations with a density that is differentiable in theta: those that offer log_prob. Scores
/// are unbiased where the density is 0 at an end of the support that theta moves.
template <class Perturbation, class T>
concept HasScore = requires(const Perturbation& law, Dual<T> theta) {
  law.log_prob(theta, theta);
};

/// A stochastic argmax trick and its relaxation (Paulus, Choi, Tarlow, Krause, Maddison, NeurIPS
/// 2020): utilities U ~ Perturbation(theta), a hard sample argmax over the structure of U.x, and a
/// soft sample argmax over its convex hull of U.x - temperature f(x). Hard and soft samples of one
/// (seed, instance) share their noise. For single instances of plain numbers; batches go through
/// `run` (registry.hpp), with the same draws.
template <class Structure, class Perturbation, class Regularizer>
struct StochasticSoftmax {
  Structure structure;
  double temperature = 1;  // > 0
  Perturbation perturbation = {};

  SOFTTRICKS_FN int size() const { return structure.size(); }

  /// Bytes of scratch that suffice for every method.
  template <Plain T>
  std::size_t scratch() const {
    return relax_scratch<Regularizer, T>(structure) + Scratch::bytes<T>(2, size());
  }

  /// noise: [size], which several calls of `transform` may share.
  template <Plain T, class Team>
  SOFTTRICKS_FN void noise(const Team& team, std::uint64_t seed, std::uint64_t instance,
                           Vector<T> noise) const {
    team.each(size(), [&](int e) { noise[e] = entry_noise<T>(perturbation, seed, instance, e); });
  }

  /// utility: [size], U as a function of theta and noise; may be the noise's own array.
  template <Plain T, class Team>
  SOFTTRICKS_FN void transform(const Team& team, Vector<const T> theta, Vector<const T> noise,
                               Vector<T> utility) const {
    team.each(size(), [&](int e) { utility[e] = perturbation.transform(theta[e], noise[e]); });
  }

  /// utility: [size], drawn and transformed.
  template <Plain T, class Team>
  SOFTTRICKS_FN void perturb(const Team& team, Vector<const T> theta, std::uint64_t seed,
                             std::uint64_t instance, Vector<T> utility) const {
    noise(team, seed, instance, utility);
    transform(team, theta, utility.view(), utility);
  }

  /// grad theta += dU / dtheta * grad utility, at fixed noise.
  template <Plain T, class Team>
  SOFTTRICKS_FN void perturb_vjp(const Team& team, Vector<const T> theta, Vector<const T> utility,
                                 Vector<const T> cotangent, Vector<T> gradient) const {
    team.each(size(), [&](int e) {
      gradient[e] += cotangent[e] * perturbation.transform_slope(theta[e], utility[e]);
    });
  }

  /// grad theta += weight * d log p(utility; theta) / dtheta.
  template <Plain T, class Team>
  SOFTTRICKS_FN void log_prob_slope(const Team& team, Vector<const T> theta,
                                    Vector<const T> utility, T weight,
                                    Vector<T> gradient) const requires HasScore<Perturbation, T> {
    team.each(size(), [&](int e) {
      const Dual<T> location(theta[e], T(1)), value(utility[e], T(0));
      const T slope = perturbation.log_prob(location, value).tangent;
      gradient[e] += utility[e] == -infinity<T> ? T(0) : weight * slope;
    });
  }

  /// utility: given that its hard sample is x, for structures that can draw it exactly.
  template <Plain T, class Team, class S = Structure>
  SOFTTRICKS_FN auto perturb_given(const Team& team, Vector<const T> theta, Vector<const T> x,
                                   const Stream<T>& stream, Vector<T> utility,
                                   Scratch scratch) const
      -> decltype(std::declval<S>().posterior_utilities(Perturbation(), team, theta, x, stream,
                                                        utility, scratch)) {
    structure.posterior_utilities(perturbation, team, theta, x, stream, utility, scratch);
  }

  template <Plain T, class Team>
  SOFTTRICKS_FN void hard(const Team& team, Vector<const T> utility, Vector<T> x,
                          Scratch scratch) const {
    if (spoilt(team, utility, infinity<T>)) return spoil(team, x);
    structure.argmax(team, utility, static_cast<T>(structure.longest()), x, scratch);
  }

  /// utility: perturbed; x: its hard sample.
  template <Plain T, class Team>
  SOFTTRICKS_FN void draw(const Team& team, Vector<const T> theta, std::uint64_t seed,
                          std::uint64_t instance, Vector<T> utility, Vector<T> x,
                          Scratch scratch) const {
    perturb(team, theta, seed, instance, utility);
    hard(team, utility.view(), x, scratch);
  }

  template <Plain T, class Team>
  SOFTTRICKS_FN void soft(const Team& team, Vector<const T> utility, Vector<T> x,
                          Scratch scratch) const {
    if (spoilt(team, utility)) return spoil(team, x);
    const Vector<const T> scaled = divide(team, utility, scratch);
    Regularizer::relax(structure, team, scaled, static_cast<T>(structure.longest()), x, scratch);
  }

  /// out = the Jacobian of soft at `utility`, transposed, times the cotangent. x: the soft sample.
  template <Plain T, class Team>
  SOFTTRICKS_FN void soft_vjp(const Team& team, Vector<const T> utility, Vector<const T> x,
                              Vector<const T> cotangent, Vector<T> out, Scratch scratch) const {
    if (spoilt(team, x)) return spoil(team, out);
    const Vector<const T> scaled = divide(team, utility, scratch);
    Regularizer::relax_vjp(structure, team, scaled, static_cast<T>(structure.longest()), x,
                           cotangent, out, scratch);
    team.each(size(), [&](int e) { out[e] /= static_cast<T>(temperature); });
  }

  /// The largest utility.x - temperature f(x), less what the target has of it; x: the soft sample.
  /// Where f is known at members only (GibbsEntropy), it counts as 0.
  template <Plain T, class Team>
  SOFTTRICKS_FN T fenchel_young(const Team& team, Vector<const T> utility, Vector<const T> x,
                                Vector<const T> target, Scratch scratch) const {
    const T t = static_cast<T>(temperature);
    if (spoilt(team, x)) return not_a_number<T>;
    if constexpr (requires { Regularizer::at(team, x); }) {
      return masked_lead(team, utility, x, target) -
             t * (Regularizer::at(team, x) - Regularizer::at(team, target));
    } else {
      const Vector<const T> scaled = divide(team, utility, scratch);
      return t * Regularizer::conjugate(structure, team, scaled,
                                        static_cast<T>(structure.longest()), scratch) -
             masked_dot(team, utility, target);
    }
  }

  /// grad theta += the Jacobian of the soft sample x by theta at fixed noise, transposed, times the
  /// cotangent.
  template <Plain T, class Team>
  SOFTTRICKS_FN void pull_back(const Team& team, Vector<const T> theta, Vector<const T> utility,
                               Vector<const T> x, Vector<const T> cotangent, Vector<T> gradient,
                               Scratch scratch) const {
    const Vector<T> pulled = scratch.vector<T>(size());
    soft_vjp(team, utility, x, cotangent, pulled, scratch);
    perturb_vjp(team, theta, utility, pulled.view(), gradient);
  }

 private:
  template <Plain T, class Team>
  SOFTTRICKS_FN Vector<const T> divide(const Team& team, Vector<const T> utility,
                                       Scratch& scratch) const {
    T* const scaled = scratch.take<T>(static_cast<std::size_t>(size()));
    team.each(size(), [&](int e) { scaled[e] = utility[e] / static_cast<T>(temperature); });
    return {scaled, size()};
  }
};

}  // namespace softtricks
