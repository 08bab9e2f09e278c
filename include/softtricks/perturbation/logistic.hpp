#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/parameters.hpp"
#include "softtricks/base/random.hpp"

namespace softtricks {

/// Logistic law with location theta: U = theta + scale log(u / (1 - u)), u uniform.
///
/// Density   exp(-z) / (1 + exp(-z))^2 / scale, z = (u - theta) / scale.
/// kl        d coth(d / 2) - 2, d = (theta - other) / scale.
struct Logistic {
  double scale = 1;

  static constexpr const char* name = "logistic";
  static constexpr const char* parameter_names[] = {"scale"};

  Status check() const { return check_scale(name, scale); }

  template <class T>
  SOFTTRICKS_FN T noise(Uniform<T> u) const {
    return log(u.below) - log(u.above);
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
    return -z - (softplus(-z) + softplus(-z)) - N(log(T(scale)));
  }
  template <class N>
  SOFTTRICKS_FN N kl(N theta, N other) const {
    using T = decltype(value_of(theta));
    using Scalar = ScalarOf<T>;
    const N d = (theta - other) * N(1 / scale), square = d * d;
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
