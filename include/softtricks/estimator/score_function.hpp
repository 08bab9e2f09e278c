#pragma once
#include "softtricks/base/random.hpp"
#include "softtricks/base/team.hpp"
#include "softtricks/base/view.hpp"

namespace softtricks {

/// What a score-function estimator subtracts from the losses of the samples it has drawn together.
/// centre(losses) turns losses into differences from the baseline, and keeps what it learns.

struct NoBaseline {
  template <class T>
  SOFTTRICKS_FN void centre(Vector<T>) {}
};

/// Mean of past losses, exponentially forgotten and corrected for its start at 0; independent of
/// the samples at hand, so unbiased.
template <class T>
struct MovingAverage {
  T keep = T(0.99);
  T sum = 0, weight = 0;

  SOFTTRICKS_FN void centre(Vector<T> losses) {
    const T baseline = weight > T(0) ? sum / weight : T(0);
    T total = 0;
    for (int s = 0; s < losses.size; ++s) {
      total += losses[s];
      losses[s] -= baseline;
    }
    sum = keep * sum + (T(1) - keep) * total / static_cast<T>(losses.size);
    weight = keep * weight + (T(1) - keep);
  }
};

/// Mean of the samples at hand, each one's own included: scales the expected gradient by 1 - 1/n
/// for n samples, and so gives 0 for one.
struct BatchMean {
  template <class T>
  SOFTTRICKS_FN void centre(Vector<T> losses) {
    T mean = 0;
    for (int s = 0; s < losses.size; ++s) mean += losses[s] / static_cast<T>(losses.size);
    for (int s = 0; s < losses.size; ++s) losses[s] -= mean;
  }
};

/// Mean of the other samples: unbiased; needs at least two. [Kool et al. 2019]
struct LeaveOneOut {
  template <class T>
  SOFTTRICKS_FN void centre(Vector<T> losses) {
    T total = 0;
    for (int s = 0; s < losses.size; ++s) total += losses[s];
    const T others = static_cast<T>(losses.size - 1);
    for (int s = 0; s < losses.size; ++s) losses[s] -= (total - losses[s]) / others;
  }
};

/// A prediction of the loss by a model of the caller's (NVIL, Mnih and Gregor 2014). `slope` is the
/// derivative of the mean of (prediction - loss)^2 / 2, for the model's own training.
template <class T>
struct Learned {
  T prediction = 0;
  T slope = 0;

  SOFTTRICKS_FN void centre(Vector<T> losses) {
    slope = 0;
    for (int s = 0; s < losses.size; ++s) {
      losses[s] -= prediction;
      slope -= losses[s] / static_cast<T>(losses.size);
    }
  }
};

/// REINFORCE through the utilities: mean over samples of (loss - baseline) grad log p(U; theta).
///
/// Value     mean loss at hard samples: unbiased.
/// Scale     1.
/// Bias      None, but for BatchMean. Needs no gradient of the loss, nor a relaxation; the score is
///           that of U, of which the hard sample is a function. [Williams 1992]
/// Cost      One argmax a sample.
/// Limits    Perturbations with a score: log_prob_slope of StochasticSoftmax.
template <class Trick, class Baseline>
struct ScoreFunction {
  static constexpr const char* name = "score_function";
  Trick trick;
  Baseline& baseline;
  int samples = 1;

  /// Bytes of scratch that suffice for `estimate`.
  template <Plain T>
  std::size_t scratch() const {
    return trick.template scratch<T>() + Scratch::bytes<T>(samples + 2, trick.size()) +
           Scratch::bytes<T>(1, samples);
  }

  /// The gradient behind the loss is not read.
  template <Plain T, class Team, class Loss>
  SOFTTRICKS_FN T estimate(const Team& team, Vector<const T> theta, std::uint64_t seed,
                           std::uint64_t instance, Loss& loss, Vector<T> gradient,
                           Scratch scratch) const {
    const int size = trick.size();
    const Vector<T> losses = scratch.vector<T>(samples);
    const Vector<T> hard = scratch.vector<T>(size), unused = scratch.vector<T>(size);
    const Matrix<T> drawn = scratch.matrix<T>(samples, size);
    T value = 0;
    for (int s = 0; s < samples; ++s) {
      const Vector<T> utility{drawn.row(s), size};
      trick.draw(team, theta, seed, draw_number(instance, samples, s), utility, hard, scratch);
      losses[s] = loss(hard.view(), unused);
      value += losses[s] / static_cast<T>(samples);
    }
    baseline.centre(losses);
    for (int s = 0; s < samples; ++s) {
      trick.log_prob_slope(team, theta, Vector<const T>{drawn.row(s), size},
                           losses[s] / static_cast<T>(samples), gradient);
    }
    return value;
  }
};

}  // namespace softtricks
