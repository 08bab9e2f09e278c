#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"

namespace softtricks {

/// Gumbel law with location theta and scale 1: U = theta - log E, E ~ Exponential(1).
///
/// Density   exp(-z - exp(-z)), z = u - theta.
/// kl        d + exp(-d) - 1, d = theta - other.
struct Gumbel {
  static constexpr const char* name = "gumbel";

  /// Finite for every bit pattern: in [-3.2, 22.9] in float, [-3.8, 45.1] in double.
  template <class T>
  SOFTTRICKS_FN static T noise(Uniform<T> u) {
    return -log_of_normal(exponential_from(u));
  }
  template <class T>
  SOFTTRICKS_FN static T transform(T theta, T noise) {
    return theta + noise;
  }
  /// dU / dtheta at fixed noise.
  template <class T>
  SOFTTRICKS_FN static T transform_slope(T, T) {
    return T(1);
  }
  template <class N>
  SOFTTRICKS_FN static N log_prob(N theta, N value) {
    const N z = value - theta;
    return -z - exp(-z);
  }
  template <class N>
  SOFTTRICKS_FN static N kl(N theta, N other) {
    return exp_excess(theta - other);
  }
};

}  // namespace softtricks
