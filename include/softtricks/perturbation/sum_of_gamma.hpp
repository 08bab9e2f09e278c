#pragma once
#include "softtricks/base/dual.hpp"
#include "softtricks/base/parameters.hpp"
#include "softtricks/base/random.hpp"

namespace softtricks {

/// Sum-of-Gamma law: U = theta + scale (G_1 + ... + G_terms - log terms) / k, G_i independent,
/// Gamma with shape 1 / k and scale k / i. The sum of k such numbers tends to a Gumbel number of
/// the same scale as `terms` grows. [Niepert et al. 2021]
///
/// noise     Exact, O(terms / k) expected steps: a Gamma number of shape terms / k by rejection
///           [Cheng 1977], and a Poisson number of jumps.
/// kl        Not offered.
struct SumOfGamma {
  double k = 1;
  double scale = 1;
  double terms = 10;

  static constexpr const char* name = "sum_of_gamma";
  static constexpr const char* parameter_names[] = {"k", "scale", "terms"};
  static constexpr const char* why_absent =
      "the support of the law starts at theta - scale log(terms) / k, so that the divergence is "
      "infinite wherever theta < theta0, and the density has no closed form";

  Status check() const {
    const Status k_status = check_parameter(name, "k", k, k >= 1 && k <= 1e6, "from 1 to 1000000");
    if (!k_status) return k_status;
    const bool whole = terms >= 1 && terms <= 10000 && terms == static_cast<int>(terms);
    const Status terms_status =
        check_parameter(name, "terms", terms, whole, "a whole number from 1 to 10000");
    return terms_status ? check_scale(name, scale) : terms_status;
  }

  template <class T>
  SOFTTRICKS_FN T noise(const EntryStream<T>& stream) const {
    const T sum = gamma(stream) * T(1 / terms) + jumps(stream);
    return sum - T(std::log(terms) / k);
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

 private:
  /// A Gamma number of shape terms / k and scale 1. Shapes below 1 are raised by 1 first; the power
  /// of a uniform number makes up for it.
  template <class T>
  SOFTTRICKS_FN T gamma(const EntryStream<T>& stream) const {
    const double wanted = terms / k, shape = wanted < 1 ? wanted + 1 : wanted;
    const double root = std::sqrt(2 * shape - 1);
    T accepted(0);
    auto open = accepted == T(0);
    for (std::uint32_t attempt = 0; any(open); attempt += 2) {
      const auto [place, height] = stream.pair(attempt);
      const T log_place = log_of_normal(place.below);
      const T v = (log_place - log_of_normal(place.above)) * T(1 / root);
      const T x = T(shape) * exp(v);
      accepted = select(open, x, accepted);
      const T bound = T(shape - std::log(4.0)) + T(shape + root) * v - x;
      open = open & (bound < log_place + log_place + log_of_normal(height.below));
    }
    if (wanted >= 1) return accepted;
    const T power = log_of_normal(stream.pair(last_pair).first.below) * T(1 / wanted);
    return accepted * exp(power);
  }

  /// What the sum exceeds that Gamma number by. A Gamma number of rate i < terms is one of rate
  /// `terms` and jumps, Exponential with rate y each, where y is a Poisson process on (i, terms) of
  /// intensity 1 / (k y). All of them together have intensity floor(y) / (k y): a process of
  /// intensity 1 / k, of which y stays with chance floor(y) / y.
  template <class T>
  SOFTTRICKS_FN T jumps(const EntryStream<T>& stream) const {
    T y(1), sum(0);
    for (std::uint32_t place = 1;; place += 2) {
      const auto [gap, chance] = stream.pair(place);
      y = y + exponential_from(gap) * T(k);
      const auto inside = y < T(terms);
      if (!any(inside)) return sum;
      // Where y stays, its uniform number over that chance is one again.
      const T inverse = floor_of(y) / (chance.below * y);
      sum = sum + select(inside & (inverse > T(1)), log_of_normal(inverse) / y, T(0));
    }
  }

  /// The largest integer <= y, for 0 <= y < 2^22.
  template <class T>
  SOFTTRICKS_FN static T floor_of(T y) {
    const T magic(ScalarOf<T>(1.5) *
                  ScalarOf<T>(std::uint64_t{1} << Ieee<ScalarOf<T>>::mantissa_bits));
    const T near = (y + magic) - magic;
    return select(near > y, near - T(1), near);
  }

  static constexpr std::uint32_t last_pair = 0x7FFFFFFFu;
};

}  // namespace softtricks
