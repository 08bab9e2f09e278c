#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/random.hpp"
#include "softtricks/base/status.hpp"

namespace softtricks {

/// Negative Exponential law with mean -m, m = softplus(theta) = log(1 + exp(theta)): U = -m E,
/// E ~ Exponential(1); U < 0. [Paulus et al. 2020]
///
/// Density   exp(u / m) / m, u <= 0.
/// kl        d + exp(-d) - 1, d = log m(other) - log m(theta).
struct NegativeExponential {
  static constexpr const char* name = "negative_exponential";

  Status check() const { return {}; }

  template <class T>
  SOFTTRICKS_FN T noise(Uniform<T> u) const {
    return exponential_from(u);
  }
  template <class N>
  SOFTTRICKS_FN N transform(N theta, N noise) const {
    return -(softplus(theta) * noise);
  }
  /// dU / dtheta at fixed noise.
  template <class T>
  SOFTTRICKS_FN T transform_slope(T theta, T value) const {
    return value * log_mean_slope(theta);
  }
  template <class N>
  SOFTTRICKS_FN N log_prob(N theta, N value) const {
    return exponential_log_prob(-log_mean(theta), -value);
  }
  template <class N>
  SOFTTRICKS_FN N kl(N theta, N other) const {
    return exp_excess(log_ratio(other, theta));
  }

 private:
  /// From here downwards m = exp(theta) to rounding.
  template <class T>
  SOFTTRICKS_FN static auto is_low(T theta) {
    return theta < T(-40);
  }

  template <class T>
  SOFTTRICKS_FN static T log_mean(T theta) {
    return select(is_low(theta), theta, log(softplus(theta)));
  }
  template <class T>
  SOFTTRICKS_FN static T log_mean_slope(T theta) {
    return select(is_low(theta), T(1), sigmoid(theta) / softplus(theta));
  }
  template <class T>
  SOFTTRICKS_FN static Dual<T> log_mean(Dual<T> theta) {
    return {log_mean(theta.value), log_mean_slope(theta.value) * theta.tangent};
  }

  /// log m(a) - log m(b), with relative accuracy also where a and b are close.
  template <class T>
  SOFTTRICKS_FN static T log_ratio(T a, T b) {
    const T high = max(a, b), low = min(a, b), gap = high - low;
    const T drop = gap - exp_excess(gap);               // 1 - exp(-gap)
    const T rise = T(0) - log1m(sigmoid(high) * drop);  // m(high) - m(low)
    const T share = select(is_low(high), drop, rise / softplus(high));
    const T size = select(gap < T(1), T(0) - log1m(share), log_mean(high) - log_mean(low));
    return select(a < b, -size, size);
  }
  template <class T>
  SOFTTRICKS_FN static Dual<T> log_ratio(Dual<T> a, Dual<T> b) {
    return {log_ratio(a.value, b.value),
            log_mean_slope(a.value) * a.tangent - log_mean_slope(b.value) * b.tangent};
  }
};

}  // namespace softtricks
