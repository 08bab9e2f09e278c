#pragma once
/// All numbers a model learns, in one vector, so that an optimiser's step, a gradient's norm and a
/// checkpoint are each one pass over one array.
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace experiments {

class Parameters {
 public:
  /// Declares an array and returns its handle; `start` holds its initial values.
  std::size_t declare(std::string name, at::Tensor start);

  /// Lays all declared arrays out one after another on `device`. Declare nothing after it.
  void allocate(at::Device device);

  /// A differentiable leaf that shares memory with values(), its gradient with gradients().
  const at::Tensor& operator[](std::size_t handle) const { return leaves_[handle]; }

  const at::Tensor& values() const { return values_; }
  const at::Tensor& gradients() const { return gradients_; }
  const std::vector<std::string>& names() const { return names_; }
  std::int64_t offset(std::size_t handle) const { return offsets_[handle]; }
  std::int64_t size() const { return values_.numel(); }

 private:
  std::vector<std::string> names_;
  std::vector<at::Tensor> starts_, leaves_;
  std::vector<std::int64_t> offsets_;
  at::Tensor values_, gradients_;
};

/// Adam with its usual constants.
class Adam {
 public:
  Adam() = default;
  explicit Adam(const Parameters& parameters, double second_decay)
      : mean(at::zeros_like(parameters.values())),
        square(at::zeros_like(parameters.values())),
        second_decay_(second_decay) {}

  /// One update; `step` counts from 1. `rates` holds one factor on `rate` per parameter; undefined:
  /// all 1.
  void update(const Parameters& parameters, const at::Tensor& rates, double rate,
              std::int64_t step);

  at::Tensor mean, square;

 private:
  double second_decay_ = 0.999;
};

/// Scales the gradient down to norm `limit` if it is longer; returns its norm before.
double clip_norm(const at::Tensor& gradient, double limit);

}  // namespace experiments
