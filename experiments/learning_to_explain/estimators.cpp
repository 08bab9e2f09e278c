#include "learning_to_explain/estimators.hpp"

#include <limits>

#include <torch/csrc/autograd/custom_function.h>

namespace learning_to_explain {
namespace {

namespace ops = softtricks::torch;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The step of each review, [batch, 1]: AdaptiveStep::length over a batch.
at::Tensor adaptive_length(const AdaptiveStep& adaptive, const at::Tensor& theta,
                           const at::Tensor& slope) {
  const at::Tensor present = theta.isfinite().to(theta.scalar_type());
  const at::Tensor utilities = (at::nan_to_num(theta, 0, 0, 0).square() + 1).mul(present);
  const at::Tensor norm = slope.square().mul(present).sum(-1, true);
  const at::Tensor length = (utilities.sum(-1, true) / norm).sqrt() * adaptive.relative;
  return at::where(norm.gt(0), length, at::zeros_like(length));
}

struct ImplicitMle : torch::autograd::Function<ImplicitMle> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& theta,
                            const at::Tensor& utility, const ops::Structure& structure,
                            const ops::Sizes& sizes, double step, std::int64_t adaptive) {
    const at::Tensor hard = ops::argmax(structure, utility, sizes);
    ctx->save_for_backward({theta, utility, hard, *sizes.lengths, *sizes.counts});
    ctx->saved_data["structure"] = structure.name;
    ctx->saved_data["shape"] = structure.shape;
    ctx->saved_data["step"] = step;
    ctx->saved_data["adaptive"] = adaptive;
    return hard;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &theta = saved[0], &utility = saved[1], &hard = saved[2];
    const ops::Structure structure{ctx->saved_data["structure"].toStringRef(),
                                   ctx->saved_data["shape"].toIntVector()};
    const auto batch = static_cast<double>(hard.size(0));
    const at::Tensor slope = gradients[0] * batch;  // of each review's own loss
    const double step = ctx->saved_data["step"].toDouble();
    auto* const adaptive =
        reinterpret_cast<AdaptiveStep*>(ctx->saved_data["adaptive"].toInt());  // NOLINT
    const at::Tensor length = step > 0 ? at::full({hard.size(0), 1}, step, hard.options())
                                       : adaptive_length(*adaptive, theta, slope);
    const at::Tensor moved =
        ops::argmax(structure, utility - length * slope, ops::Sizes(saved[3], saved[4]));
    if (step == 0) adaptive->learn(moved.ne(hard).sum().item<double>() / batch);
    const at::Tensor gradient =
        at::where(length.gt(0), (hard - moved) / length, at::zeros_like(hard)) / batch;
    return {at::Tensor(), gradient, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor l2x(const at::Tensor& theta, std::int64_t k, double temperature, std::int64_t seed) {
  const at::Tensor utility = ops::perturb("gumbel", theta.unsqueeze(0).expand({k, -1, -1}), seed);
  return at::softmax(utility / temperature, -1).amax(0);
}

at::Tensor softsub(const at::Tensor& utility, std::int64_t k, double temperature) {
  constexpr double least = std::numeric_limits<float>::min();
  at::Tensor scores = utility, sum = at::zeros_like(utility), taken;
  for (std::int64_t draw = 0; draw < k; ++draw) {
    if (draw > 0) scores = scores + (1 - taken).clamp_min(least).log();
    taken = at::softmax(scores / temperature, -1);
    sum = sum + taken;
  }
  return sum;
}

at::Tensor implicit_mle(const ops::Structure& structure, const at::Tensor& theta,
                        const at::Tensor& utility, const ops::Sizes& sizes, double step,
                        AdaptiveStep& adaptive) {
  return ImplicitMle::apply(theta.detach(), utility, structure, sizes, step,
                            reinterpret_cast<std::int64_t>(&adaptive));  // NOLINT
}

}  // namespace learning_to_explain
