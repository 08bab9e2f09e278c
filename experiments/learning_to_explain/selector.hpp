#pragma once
/// How k words are selected: the only files that call softtricks are this one's and estimators'.
#include <cstdint>
#include <string>

#include <ATen/ATen.h>
#include <softtricks/estimator/implicit_mle.hpp>

#include "learning_to_explain/options.hpp"

namespace learning_to_explain {

/// What a selector learns beside the networks: how far adaptive_implicit_mle moves utilities.
using AdaptiveStep = softtricks::AdaptiveStep<double>;

/// Selections of training, the loss they are judged by apart.
///
/// theta is [batch, size] as `locations` gives it, `lengths` [batch] the number of words of each
/// review; of reviews shorter than k all words are selected. Selections are [batch, longest], 0
/// behind a review's end.
class Selector {
 public:
  Selector(const Task& task, bool perturb_pairs);

  bool correlated() const { return correlated_; }

  /// theta from the encoder's scores [batch, longest, 1 or 2]; a second score is the utility of a
  /// word and the next one together.
  at::Tensor locations(const at::Tensor& scores) const;

  /// A differentiable selection: soft for relaxations, else hard, with a gradient of its own.
  at::Tensor train(const at::Tensor& theta, const at::Tensor& lengths, std::int64_t seed,
                   AdaptiveStep& step) const;

  /// The best selection at the utilities theta: what a trained model is judged by. No gradient.
  at::Tensor map(const at::Tensor& theta, const at::Tensor& lengths) const;

  /// A hard selection drawn from the law the row trains with. No gradient.
  at::Tensor sample(const at::Tensor& theta, const at::Tensor& lengths, std::int64_t seed) const;

  /// log p of hard selections [draws, batch, longest] that `sample` drew for row score_function.
  at::Tensor log_prob(const at::Tensor& theta, const at::Tensor& lengths,
                      const at::Tensor& selections) const;

 private:
  bool draws_from_gibbs() const;
  at::Tensor perturbed(const at::Tensor& theta, std::int64_t seed) const;

  Task task_;
  bool correlated_, perturb_pairs_;
};

}  // namespace learning_to_explain
