#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"

namespace softtricks {

/// Exponential law with rate exp(theta): U = E exp(-theta), E ~ Exponential(1); U > 0.
///
/// Density   exp(theta - exp(theta) u), u >= 0.
/// kl        d + exp(-d) - 1, d = theta - other.
struct Exponential {
  static constexpr const char* name = "exponential";

  template <class T>
  SOFTTRICKS_FN static T noise(Uniform<T> u) {
    return exponential_from(u);
  }
  template <class T>
  SOFTTRICKS_FN static T transform(T theta, T noise) {
    return noise * exp(-theta);
  }
  /// dU / dtheta at fixed noise.
  template <class T>
  SOFTTRICKS_FN static T transform_slope(T, T value) {
    return -value;
  }
  template <class N>
  SOFTTRICKS_FN static N log_prob(N theta, N value) {
    const N inside = theta - exp(theta) * value;
    using T = decltype(value_of(value));
    return select(value_of(value) >= T(0), inside, N(-infinity<T>));
  }
  template <class N>
  SOFTTRICKS_FN static N kl(N theta, N other) {
    return exp_excess(theta - other);
  }
};

}  // namespace softtricks
