#pragma once
/// Selections that are no relaxations of a structure: L2X and SoftSub, and hard ones with gradients
/// of their own.
#include <cstdint>

#include <ATen/ATen.h>
#include <softtricks/torch.hpp>

#include "learning_to_explain/selector.hpp"

namespace learning_to_explain {

/// The elementwise maximum of k Gumbel-softmax draws from one law over words. theta [batch, n],
/// -inf where there is no word. [Chen et al. 2018]
at::Tensor l2x(const at::Tensor& theta, std::int64_t k, double temperature, std::int64_t seed);

/// k softmaxes in turn, each on utilities lowered by log(1 - what the last one took), summed.
/// [Xie and Ermon 2019]
at::Tensor softsub(const at::Tensor& utility, std::int64_t k, double temperature);

/// Forward the argmax, backward its change as the utilities move against the slope of each review's
/// loss, divided by the move's length. `step`: how far per unit of slope; 0: as `adaptive` says,
/// and it learns from each call. [Niepert et al. 2021, Minervini et al. 2023; see
/// softtricks/estimator/implicit_mle.hpp] Gradients arrive as those of the mean over the batch.
at::Tensor implicit_mle(const softtricks::torch::Structure& structure, const at::Tensor& theta,
                        const at::Tensor& utility, const softtricks::torch::Sizes& sizes,
                        double step, AdaptiveStep& adaptive);

/// Values of `hard`, gradients of `soft`.
inline at::Tensor straight_through(const at::Tensor& hard, const at::Tensor& soft) {
  return soft + (hard - soft).detach();
}

}  // namespace learning_to_explain
