#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/parameters.hpp"
#include "softtricks/base/random.hpp"

namespace softtricks {

/// Normal law with mean theta and standard deviation `scale`.
///
/// noise     Inverse distribution function by rational approximations, algorithm AS 241 [Wichura
///           1988], from whichever tail is known with relative accuracy.
/// kl        d^2 / 2, d = (theta - other) / scale.
struct Normal {
  double scale = 1;

  static constexpr const char* name = "normal";
  static constexpr const char* parameter_names[] = {"scale"};

  Status check() const { return check_scale(name, scale); }

  template <class T>
  SOFTTRICKS_FN T noise(Uniform<T> u) const {
    const T half(ScalarOf<T>(0.5));
    const auto lower = u.below < u.above;
    const T tail = select(lower, u.below, u.above);
    const T q = half - tail;  // distance from the middle
    const T r = sqrt(-log(tail));
    const T far = ratio(r - T(ScalarOf<T>(5)), far_top(), far_bottom());
    const T near = ratio(r - T(ScalarOf<T>(1.6)), near_top(), near_bottom());
    const T middle = q * ratio(T(ScalarOf<T>(0.180625)) - q * q, middle_top(), middle_bottom());
    const T outside = select(r > T(ScalarOf<T>(5)), far, near);
    const T size = select(q <= T(ScalarOf<T>(0.425)), middle, outside);
    return select(lower, -size, size);
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
    return -(z * z * N(0.5) + N(T(ScalarOf<T>(0.9189385332046727)) + log(T(scale))));
  }
  template <class N>
  SOFTTRICKS_FN N kl(N theta, N other) const {
    const N d = (theta - other) * N(1 / scale);
    return d * d * N(0.5);
  }

 private:
  struct Polynomial {
    double coefficient[8];
  };

  template <class T>
  SOFTTRICKS_FN static T evaluate(T x, const Polynomial& p) {
    T sum(ScalarOf<T>(p.coefficient[7]));
    for (int i = 6; i >= 0; --i) sum = mul_add(sum, x, T(ScalarOf<T>(p.coefficient[i])));
    return sum;
  }
  template <class T>
  SOFTTRICKS_FN static T ratio(T x, const Polynomial& top, const Polynomial& bottom) {
    return evaluate(x, top) / evaluate(x, bottom);
  }

  SOFTTRICKS_FN static constexpr Polynomial middle_top() {
    return {{3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
             1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
             3.3430575583588128105e+4, 2.5090809287301226727e+3}};
  }
  SOFTTRICKS_FN static constexpr Polynomial middle_bottom() {
    return {{1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
             2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
             5.2264952788528545610e+3}};
  }
  SOFTTRICKS_FN static constexpr Polynomial near_top() {
    return {{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
             3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
             2.27238449892691845833e-2, 7.74545014278341407640e-4}};
  }
  SOFTTRICKS_FN static constexpr Polynomial near_bottom() {
    return {{1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
             1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
             1.05075007164441684324e-9}};
  }
  SOFTTRICKS_FN static constexpr Polynomial far_top() {
    return {{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
             2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
             2.71155556874348757815e-5, 2.01033439929228813265e-7}};
  }
  SOFTTRICKS_FN static constexpr Polynomial far_bottom() {
    return {{1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
             7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
             2.04426310338993978564e-15}};
  }
};

}  // namespace softtricks
