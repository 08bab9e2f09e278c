#pragma once
/// What a perturbation's test file says about it; the laws are in perturbations.cpp.
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "softtricks/base/random.hpp"

namespace softtricks::laws {

/// What the test file knows of a law by itself.
struct PerturbationSubject {
  std::string name;
  double (*distribution)(double theta, double u);  // P(U <= u)
  double mean, variance;                           // at theta = 0
  double low, high;  // holds all but 1e-12 of the mass at |theta| <= 2
  std::vector<double> parameters = {};
  bool low_follows_theta = false;  // the support starts at theta + low
};

inline void PrintTo(const PerturbationSubject& subject, std::ostream* out) {
  *out << subject.name;
  for (const double parameter : subject.parameters) *out << " " << parameter;
}

/// The subjects of all perturbations; a perturbation's test file adds itself before main.
inline std::vector<PerturbationSubject>& perturbation_subjects() {
  static std::vector<PerturbationSubject> all;
  return all;
}

/// Noise of the law is finite for every bit pattern, and turns a uniform number u
/// into the u- or (1-u)-quantile of the law at theta = 0.
template <class Law, class T>
void expect_quantiles(double (*distribution)(double theta, double u)) {
  std::vector<std::uint32_t> words{0u,          1u,          2u,          0xFFFFFFFFu, 0xFFFFFFFEu,
                                   0x7FFFFFFFu, 0x80000000u, 0x80000001u, 0xFFFFFF00u, 0xFFu};
  for (std::uint32_t i = 0; i < 60; ++i) words.push_back(i * 0x04444445u);
  for (const std::uint32_t high : words) {
    for (const std::uint32_t low : words) {
      const auto u = uniform_from_words<T>(high, low);
      EXPECT_GT(u.below, 0);
      EXPECT_GT(u.above, 0);
      const T noise = Law().template noise<T>(u);
      EXPECT_TRUE(std::isfinite(noise)) << high << " " << low << ": " << noise;
      const double rank = distribution(0, noise), tolerance = 32 * epsilon<T>;
      const double near = std::min(std::fabs(rank - u.below), std::fabs(rank - u.above));
      EXPECT_LT(near, tolerance) << high << " " << low;
    }
  }
}

}  // namespace softtricks::laws
