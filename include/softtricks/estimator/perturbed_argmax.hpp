#pragma once
#include "softtricks/base/dot.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// The mean of hard samples as a layer: forward x = mean of X_s, backward the score of the
/// utilities, mean over s of (X_s.slope - baseline) grad log p(U_s; theta). A structure that has
/// nothing but argmax will do. [Berthet et al. 2020]
///
/// Value     loss at the mean: estimates loss(E[X]).
/// Scale     1, of the gradient of loss(E[X]). For losses linear in x that of E[loss(X)] as well.
/// Bias      Of order 1 / samples, that of the value included; none for losses linear in x.
/// Cost      One argmax a sample, and one gradient of the loss.
/// Limits    Perturbations with a score: log_prob_slope of StochasticSoftmax. A baseline of the
///           score function, here of X_s.slope; LeaveOneOut needs two samples or more.
template <class Trick, class Baseline>
struct PerturbedArgmax {
  static constexpr const char* name = "perturbed_argmax";
  Trick trick;
  Baseline& baseline;
  int samples = 2;

  /// Bytes of scratch that suffice for `estimate`.
  template <Plain T>
  std::size_t scratch() const {
    return trick.template scratch<T>() + Scratch::bytes<T>(2 * samples + 2, trick.size()) +
           Scratch::bytes<T>(1, samples);
  }

  template <Plain T, class Team, class Loss>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Loss& loss, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = trick.size();
    const T share = T(1) / static_cast<T>(samples);
    const Vector<T> effects = scratch.vector<T>(samples);
    const Vector<T> mean = scratch.vector<T>(size), slope = scratch.vector<T>(size);
    const Matrix<T> drawn = scratch.matrix<T>(samples, size),
                    hard = scratch.matrix<T>(samples, size);
    for (int s = 0; s < samples; ++s) {
      trick.draw(team, theta, seed, draw_number(instance, samples, s),
                 Vector<T>{drawn.row(s), size}, Vector<T>{hard.row(s), size}, scratch);
    }
    team.each(size, [&](int e) {
      T count = 0;
      for (int s = 0; s < samples; ++s) count += hard(s, e);
      mean[e] = count * share;
    });
    const T value = loss(mean.view(), slope);
    for (int s = 0; s < samples; ++s) {
      effects[s] = masked_dot(team, slope.view(), Vector<const T>{hard.row(s), size});
    }
    baseline.centre(effects);
    for (int s = 0; s < samples; ++s) {
      trick.log_prob_slope(team, theta, Vector<const T>{drawn.row(s), size}, effects[s] * share,
                           gradient);
    }
    return value;
  }
};

}  // namespace softtricks
