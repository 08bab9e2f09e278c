#pragma once
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// How far utilities are moved against the slope. length(team, theta, slope) is the factor of the
/// slope; learn(changed) is told how many entries of the hard sample the move has changed.

template <class T>
struct FixedStep {
  T factor = 1;  // > 0

  template <class Team>
  SOFTTRICKS_FN T length(const Team&, Vector<const T>, Vector<const T>) const {
    return factor;
  }
  SOFTTRICKS_FN void learn(T) {}
};

/// Moves of a length relative to the utilities', relative * sqrt(|theta|^2 + size), for any size of
/// the slope. `relative` grows by `rate` while the running mean of changed entries is below
/// `target`, and shrinks otherwise: short steps, which are unbiased, until too many gradients are
/// 0. [Minervini et al. 2023, who take |theta| for the root: that stays at 0 if it starts there]
template <class T>
struct AdaptiveStep {
  T relative = T(1);
  T rate = T(1e-4), keep = T(0.9), target = T(1);
  T changed_mean = T(1);

  template <class Team>
  SOFTTRICKS_FN T length(const Team& team, Vector<const T> theta, Vector<const T> slope) const {
    const auto over_present = [&](auto term) {
      return team.sum(0, theta.size, T(0),
                      [&](int e) { return theta[e] == -infinity<T> ? T(0) : term(e); });
    };
    const T norm = over_present([&](int e) { return slope[e] * slope[e]; });
    const T utilities = over_present([&](int e) { return theta[e] * theta[e] + T(1); });
    return norm > T(0) ? relative * sqrt(utilities / norm) : T(0);
  }
  SOFTTRICKS_FN void learn(T changed) {
    changed_mean = keep * changed_mean + (T(1) - keep) * changed;
    relative = max(T(0), relative + (changed_mean < target ? rate : -rate));
  }
};

/// The change of the hard sample as its utilities move against the slope of the loss, at the same
/// noise: (argmax(U) - argmax(U - step slope)) / step. A structure that has nothing but argmax will
/// do. [Niepert et al. 2021]
///
/// Value     loss at the hard sample: unbiased.
/// Scale     1 as the step vanishes, for losses linear in x. (The paper does not divide by the
///           step: its estimates are `step` times these.)
/// Bias      A finite difference: of order step, of order step^2 if central; bounded gradients, of
///           few entries, are what a long step buys. Other losses are seen through their slope at
///           the hard sample alone, which leaves a bias at any step.
/// Variance  Grows as 1 / step.
/// Cost      Two argmax, three if central.
template <class Trick, class Step>
struct ImplicitMle {
  static constexpr const char* name = "implicit_mle";
  Trick trick;
  Step& step;
  bool central = false;  // (argmax(U + step slope) - argmax(U - step slope)) / (2 step)

  /// Bytes of scratch that suffice for `estimate`.
  template <Plain T>
  std::size_t scratch() const {
    return trick.template scratch<T>() + Scratch::bytes<T>(5, trick.size());
  }

  template <Plain T, class Team, class Loss>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Loss& loss, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = trick.size();
    const Vector<T> utility = scratch.vector<T>(size), hard = scratch.vector<T>(size),
                    slope = scratch.vector<T>(size), moved = scratch.vector<T>(size),
                    change = scratch.vector<T>(size);
    trick.draw(team, theta, seed, instance, utility, hard, scratch);
    const T value = loss(hard.view(), slope);
    const T length = step.length(team, theta, slope.view());
    const auto move = [&](T by, Vector<T> x) {
      team.each(size, [&](int e) { moved[e] = utility[e] + by * slope[e]; });
      trick.hard(team, moved.view(), x, scratch);
    };
    move(-length, change);
    if (central) move(length, hard);
    const T changed =
        team.sum(0, size, T(0), [&](int e) { return T(hard[e] == change[e] ? 0 : 1); });
    step.learn(changed);
    const T scale = length == T(0) ? T(0) : T(1) / (central ? T(2) * length : length);
    team.each(size, [&](int e) { change[e] = scale * (hard[e] - change[e]); });
    trick.perturb_vjp(team, theta, utility.view(), change.view(), gradient);
    return value;
  }
};

}  // namespace softtricks
