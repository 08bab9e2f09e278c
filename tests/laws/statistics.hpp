#pragma once
/// Tests of counts against probabilities, and how many draws they take.
#include <cmath>
#include <vector>

namespace softtricks::laws {

/// Sanitizers look for other mistakes than statistics do, and take ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// The standard normal deviate that is as unlikely as a chi-square statistic (Wilson, Hilferty
/// 1931). Cells that expect fewer than 5 are put together.
inline double chi_square_deviate(const std::vector<double>& counts,
                                 const std::vector<double>& expected) {
  double statistic = 0, pooled_count = 0, pooled_expected = 0;
  int cells = 0;
  const auto add = [&](double count, double expectation) {
    statistic += (count - expectation) * (count - expectation) / expectation;
    ++cells;
  };
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (expected[i] >= 5) {
      add(counts[i], expected[i]);
    } else {
      pooled_count += counts[i];
      pooled_expected += expected[i];
    }
  }
  if (pooled_expected > 0.5) add(pooled_count, pooled_expected);
  if (cells < 2) return 0;
  const double freedom = cells - 1, spread = 2 / (9 * freedom);
  return (std::cbrt(statistic / freedom) - (1 - spread)) / std::sqrt(spread);
}

/// Exceeded by chance about once in a million draws.
inline constexpr double one_in_a_million = 4.75;

}  // namespace softtricks::laws
