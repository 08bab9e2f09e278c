#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/parameters.hpp"
#include "softtricks/base/random.hpp"

namespace softtricks {

/// Gumbel law with location theta: U = theta - scale log E, E ~ Exponential(1).
///
/// Density   exp(-z - exp(-z)) / scale, z = (u - theta) / scale.
/// kl        d + exp(-d) - 1, d = (theta - other) / scale.
struct Gumbel {
  double scale = 1;

  static constexpr const char* name = "gumbel";
  static constexpr const char* parameter_names[] = {"scale"};

  Status check() const { return check_scale(name, scale); }

  /// Finite for every bit pattern: in [-3.2, 22.9] in float, [-3.8, 45.1] in double.
  template <class T>
  SOFTTRICKS_FN T noise(Uniform<T> u) const {
    return -log_of_normal(exponential_from(u));
  }
  template <class N>
  SOFTTRICKS_FN N transform(N theta, N noise) const {
    return mul_add(noise, N(scale), theta);
  }
  /// dU / dtheta at fixed noise.
  template <class T>
  SOFTTRICKS_FN T transform_slope(T, T) const {
    return T(1);
  }
  template <class N>
  SOFTTRICKS_FN N log_prob(N theta, N value) const {
    using T = decltype(value_of(theta));
    const N z = (value - theta) * N(1 / scale);
    return -z - exp(-z) - N(log(T(scale)));
  }
  template <class N>
  SOFTTRICKS_FN N kl(N theta, N other) const {
    return exp_excess((theta - other) * N(1 / scale));
  }
};

}  // namespace softtricks
