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
/// log_prob  A series of positive terms [Moschopoulos 1985], O(terms^2 x) at x scales above the end
///           of the support; errors of some roundings of theta and u, which weigh most near that
///           end, and of 1e-8 of the value beyond 1000 scales.
/// kl        Not offered.
struct SumOfGamma {
  double k = 1;
  double scale = 1;
  double terms = 10;

  static constexpr const char* name = "sum_of_gamma";
  static constexpr const char* parameter_names[] = {"k", "scale", "terms"};
  static constexpr const char* why_absent =
      "the divergence is infinite wherever theta < theta0, because the support of the law starts "
      "at theta - scale log(terms) / k";

  Status check() const {
    Status k_status = check_parameter(name, "k", k, k >= 1 && k <= 1e6, "from 1 to 1000000");
    if (!k_status) return k_status;
    const bool whole = terms >= 1 && terms <= most_terms && terms == static_cast<int>(terms);
    const Status terms_status =
        check_parameter(name, "terms", terms, whole, "a whole number from 1 to 1000");
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
  template <class N>
  SOFTTRICKS_FN N log_prob(N theta, N value) const {
    const N x = (value - theta) * N(1 / scale) + N(std::log(terms) / k);
    return log_density(x) - N(std::log(scale));
  }

 private:
  static constexpr int most_terms = 1000;

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

  template <class T>
  SOFTTRICKS_FN T log_density(T x) const {
    return density_and_slope(x).value;
  }
  template <class T>
  SOFTTRICKS_FN Dual<T> log_density(Dual<T> x) const {
    const Dual<T> at = density_and_slope(x.value);
    return {at.value, at.tangent * x.tangent};
  }

  /// The log density of (G_1 + ... + G_terms) / k at x, and its derivative by x.
  template <class T>
  SOFTTRICKS_FN Dual<T> density_and_slope(T x) const {
    constexpr double far = 1000;
    const T least(std::numeric_limits<ScalarOf<T>>::min());
    const T inside = min(max(x, least), T(far)), y = inside * T(terms), shape(terms / k);
    const Series<T> series = sum_series(y);
    const T near = (shape - T(1)) * log(y) - y + series.log_sum + T(log_constant());
    const T near_slope = (shape - T(1) + series.lead) / inside;
    // The tail, exp(-x) x^(1/k - 1) (1 + c / x + ...), relative to its value at `far`.
    const double power = 1 / k - 1;
    double c = 0;
    for (int i = 1; i < static_cast<int>(terms); ++i) c -= power / (k * i);
    const T outside = max(x, T(far)), inverse = T(1) / outside;
    const T gain = T(power) * log(outside * T(1 / far)) + T(c) * (inverse - T(1 / far));
    const T slope = select(x > T(far), (T(power) - T(c) * inverse) * inverse - T(1), near_slope);
    const T value = select(x > T(0), near - (outside - T(far)) + gain, T(-infinity<T>));
    return {select(x == x, value, x), select(x > T(0), slope, T(0))};
  }

  template <class T>
  struct Series {
    T log_sum;
    T lead;  // the mean of j - y, each weighted by its term
  };
  /// The sum over j of d_j y^j / (shape (shape + 1) ... (shape + j - 1)), where the d_j are the
  /// coefficients of the product over i of (1 - (1 - i / terms) z)^(-1 / k).
  template <class T>
  SOFTTRICKS_FN Series<T> sum_series(T y) const {
    const int count = static_cast<int>(terms);
    const T enough(ScalarOf<T>(epsilon<T> / 4 / terms));
    // For each i the sum over l of (1 - i / terms)^l d_(j-l), relative to d_j.
    double share[most_terms] = {};
    T term(1), sum(1), moment = T(0) - y, shift(0);
    for (int j = 0;; ++j) {
      const auto open = (T(j) < y) | (term > enough * sum);
      if (!any(open)) break;
      double total = 0;
      for (int i = 0; i < count; ++i) {
        share[i] = (1 - (i + 1) / terms) * (share[i] + 1);
        total += share[i];
      }
      if (total == 0) break;  // a single term: all later ones are 0
      const double growth = total / (k * (j + 1));
      for (int i = 0; i < count; ++i) share[i] /= growth;
      term = select(open, term * y * T(growth / (terms / k + j)), T(0));
      sum = sum + term;
      moment = mul_add(T(j + 1) - y, term, moment);
      const auto large = sum > T(1e15);
      const T down = select(large, T(1e-15), T(1));
      term = term * down;
      sum = sum * down;
      moment = moment * down;
      shift = select(large, shift + T(std::log(1e15)), shift);
    }
    return {log(sum) + shift, moment / sum};
  }

  /// log of terms (terms! / terms^terms)^(1 / k) / Gamma(terms / k).
  SOFTTRICKS_FN double log_constant() const {
    double sum = std::log(terms);
    for (int i = 1; i <= static_cast<int>(terms); ++i) sum += std::log(i / terms) / k;
    double shape = terms / k;
    for (; shape < 20; shape += 1) sum += std::log(shape);
    const double inverse = 1 / shape, square = inverse * inverse;  // Stirling's series
    return sum - (shape - 0.5) * std::log(shape) + shape - 0.9189385332046727 -
           inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
  }

  static constexpr std::uint32_t last_pair = 0x7FFFFFFFu;
};

}  // namespace softtricks
