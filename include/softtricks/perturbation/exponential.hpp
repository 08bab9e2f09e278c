#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"

namespace softtricks {

/// Exponential law with rate exp(theta): U = E exp(-theta), E ~ Exponential(1); U > 0.
///
/// Density   exp(theta - exp(theta) u), u >= 0.
/// kl        d + exp(-d) - 1, d = theta - other.
struct Exponential {
  static constexpr const char* name = "exponential";

  Status check() const { return {}; }

  template <class T>
  SOFTTRICKS_FN T noise(Uniform<T> u) const {
    return exponential_from(u);
  }
  template <class N>
  SOFTTRICKS_FN N transform(N theta, N noise) const {
    return noise * exp(-theta);
  }
  /// dU / dtheta at fixed noise.
  template <class T>
  SOFTTRICKS_FN T transform_slope(T, T value) const {
    return -value;
  }
  template <class N>
  SOFTTRICKS_FN N log_prob(N theta, N value) const {
    return exponential_log_prob(theta, value);
  }
  template <class N>
  SOFTTRICKS_FN N kl(N theta, N other) const {
    return exp_excess(theta - other);
  }
};

}  // namespace softtricks
