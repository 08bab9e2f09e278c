#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"

namespace softtricks {

/// Logistic law with location theta and scale 1: U = theta + log(u / (1 - u)), u uniform.
///
/// Density   exp(-z) / (1 + exp(-z))^2, z = u - theta.
/// kl        d coth(d / 2) - 2, d = theta - other.
struct Logistic {
  static constexpr const char* name = "logistic";

  template <class T>
  SOFTTRICKS_FN static T noise(Uniform<T> u) {
    return log(u.below) - log(u.above);
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
    return -z - (softplus(-z) + softplus(-z));
  }
  template <class N>
  SOFTTRICKS_FN static N kl(N theta, N other) {
    using T = decltype(value_of(theta));
    using Scalar = ScalarOf<T>;
    const N d = theta - other, square = d * d;
    // Near 0 the closed form is a difference of nearly equal numbers: Bernoulli's series instead.
    const auto coefficient = [](double x) { return N(T(Scalar(x))); };
    N series = coefficient(1.0 / 23950080);
    series = mul_add(series, square, coefficient(-1.0 / 604800));
    series = mul_add(series, square, coefficient(1.0 / 15120));
    series = mul_add(series, square, coefficient(-1.0 / 360));
    series = mul_add(series, square, coefficient(1.0 / 6)) * square;
    const auto small = abs(value_of(d)) < T(Scalar(0.25));
    const N away = select(value_of(d) < T(0), -d, d);
    const N safe = select(small, N(1), away);
    const N e = exp(-safe);
    const N closed = safe * (N(1) + e) / (N(1) - e) - N(2);
    return select(small, series, closed);
  }
};

}  // namespace softtricks
