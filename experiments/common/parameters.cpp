#include "common/parameters.hpp"

#include <cmath>

namespace experiments {

std::size_t Parameters::declare(std::string name, at::Tensor start) {
  names_.push_back(std::move(name));
  starts_.push_back(std::move(start));
  return names_.size() - 1;
}

void Parameters::allocate(at::Device device) {
  std::int64_t total = 0;
  for (const at::Tensor& start : starts_) {
    offsets_.push_back(total);
    total += start.numel();
  }
  values_ = at::zeros({total}, at::TensorOptions(device).dtype(at::kFloat));
  gradients_ = at::zeros_like(values_);
  for (std::size_t handle = 0; handle < starts_.size(); ++handle) {
    const at::Tensor& start = starts_[handle];
    const auto part = [&](const at::Tensor& flat) {
      return flat.narrow(0, offsets_[handle], start.numel()).view(start.sizes());
    };
    part(values_).copy_(start);
    at::Tensor leaf = part(values_).detach().set_requires_grad(true);
    leaf.mutable_grad() = part(gradients_);
    leaves_.push_back(leaf);
  }
  starts_.clear();
}

void Adam::update(const Parameters& parameters, const at::Tensor& rates, double rate,
                  std::int64_t step) {
  constexpr double first_decay = 0.9, epsilon = 1e-8;
  const at::Tensor& gradient = parameters.gradients();
  mean.lerp_(gradient, 1 - first_decay);
  square.mul_(second_decay_).addcmul_(gradient, gradient, 1 - second_decay_);
  const double first_bias = 1 - std::pow(first_decay, static_cast<double>(step));
  const double second_bias = 1 - std::pow(second_decay_, static_cast<double>(step));
  const at::Tensor denominator = square.sqrt().div_(std::sqrt(second_bias)).add_(epsilon);
  at::Tensor values = parameters.values();
  values.addcdiv_(rates.defined() ? mean * rates : mean, denominator, -rate / first_bias);
}

double clip_norm(const at::Tensor& gradient, double limit) {
  const double norm = gradient.norm().item<double>();
  if (limit > 0 && norm > limit) at::Tensor(gradient).mul_(limit / norm);
  return norm;
}

}  // namespace experiments
