#include "softtricks/perturbation/sum_of_gamma.hpp"

#include <algorithm>
#include <complex>
#include <numbers>

#include "../laws/perturbation.hpp"
#include "../laws/statistics.hpp"
#include "softtricks/registry.hpp"

namespace softtricks::laws {
namespace {

/// P(U <= u) at theta = 0 by inverting the Laplace transform of G_1 / k + ..., the product of
/// (1 + z / i)^(-1 / k), along Talbot's contour with the constants of Trefethen, Weideman and
/// Schmelzer (2006).
double inverted(const SumOfGamma& law, double u) {
  using Real = long double;
  using Complex = std::complex<Real>;
  const Real x = u / Real(law.scale) + std::log(Real(law.terms)) / Real(law.k);
  if (x <= 0) return 0;
  const int nodes = 28;
  Complex sum = 0;
  for (int node = 0; node < nodes / 2; ++node) {  // the other half are their conjugates
    const Real angle = (2 * node + 1) * std::numbers::pi_v<Real> / nodes, a = 0.6407L * angle;
    const Real cotangent = 1 / std::tan(a), sine = std::sin(a);
    const Complex z = Real(nodes) * Complex(0.5017L * angle * cotangent - 0.6122L, 0.2645L * angle);
    const Complex slope = Real(nodes) * Complex(0.5017L * (cotangent - a / (sine * sine)), 0.2645L);
    Complex exponent = z;
    for (int i = 1; i <= int(law.terms); ++i) {
      exponent -= std::log(Real(1) + z / (x * Real(i))) / Real(law.k);
    }
    sum += std::exp(exponent) / z * slope;
  }
  return double(2 * sum.imag() / nodes);
}

template <int k, int terms>
double distribution(double theta, double u) {
  return inverted({k, 1, terms}, u - theta);
}

/// One Gumbel-like number: the largest of ten Exponential numbers.
double largest_of_ten(double theta, double u) {
  const double x = u - theta + std::log(10.0);
  return x > 0 ? std::pow(-std::expm1(-x), 10) : 0.0;
}

double wide(double theta, double u) { return inverted({4, 2.5, 30}, u - theta); }

PerturbationSubject subject(double (*distribution)(double, double), const SumOfGamma& law) {
  double mean = -std::log(law.terms), variance = 0;
  for (int i = 1; i <= int(law.terms); ++i) {
    mean += 1.0 / i;
    variance += 1.0 / i / i;
  }
  return {law.name,
          distribution,
          law.scale * mean / law.k,
          law.scale * law.scale * variance / law.k,
          -law.scale * std::log(law.terms) / law.k,
          2 + 29 * law.scale,
          {law.k, law.scale, law.terms},
          true};
}

const bool enrolled = [] {
  auto& all = perturbation_subjects();
  all.push_back(subject(largest_of_ten, {1, 1, 10}));
  all.push_back(subject(distribution<10, 10>, {10, 1, 10}));
  all.push_back(subject(distribution<3, 50>, {3, 1, 50}));
  all.push_back(subject(wide, {4, 2.5, 30}));
  return true;
}();

TEST(SumOfGamma, TheReferenceIsRight) {
  for (double u = -2.3; u < 30; u += 0.17) {
    EXPECT_NEAR((distribution<1, 10>(0, u)), largest_of_ten(0, u), 1e-12);
  }
}

std::vector<double> draws(const std::vector<double>& parameters, std::size_t count, Dtype dtype) {
  const std::vector<double> theta(count);
  std::vector<double> out(count);
  std::vector<float> narrow(count);
  const bool single = dtype == Dtype::float32;
  PerturbationCall call;
  call.verb = "noise";
  call.perturbation = "sum_of_gamma";
  call.parameters = parameters;
  call.dtype = dtype;
  call.batch = 1;
  call.size = static_cast<std::int64_t>(count);
  call.seed = 3;
  call.out = single ? static_cast<void*>(narrow.data()) : out.data();
  EXPECT_TRUE(run(call).ok());
  if (single) out.assign(narrow.begin(), narrow.end());
  return out;
}

/// The sum of k such numbers has the law (1 - exp(-u) / s)^s, which is near Gumbel's.
TEST(SumOfGamma, SumsOfKAreNearlyGumbel) {
  const std::size_t sums = 40000, cells = 40;
  for (const auto& [k, terms] : {std::pair{2, 10}, {7, 10}, {30, 10}, {5, 1000}, {1, 1}}) {
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const auto x =
          draws({double(k), 1, double(terms)}, sums * static_cast<std::size_t>(k), dtype);
      std::vector<double> counts(cells), expected(cells, double(sums) / cells), gumbel(cells);
      for (std::size_t i = 0; i < sums; ++i) {
        double u = 0;
        for (int j = 0; j < k; ++j) u += x[i + sums * static_cast<std::size_t>(j)];
        const double rank = std::pow(std::max(0.0, 1 - std::exp(-u) / terms), terms);
        const double limit = std::exp(-std::exp(-u));
        ++counts[static_cast<std::size_t>(std::min(rank, 0.999999) * cells)];
        EXPECT_NEAR(rank, limit, 0.4 / terms);
      }
      EXPECT_LT(chi_square_deviate(counts, expected), one_in_a_million) << k << " " << terms;
    }
  }
}

/// With k = 1 the density is that of the largest of ten; also far beyond where draws lie.
TEST(SumOfGamma, DensitiesAreAccurate) {
  const SumOfGamma law;
  for (const double x : {0.5, 1.0, 2.0, 5.0, 9.0, 20.0, 60.0, 400.0, 999.0, 1001.0, 1e5}) {
    const double exact = std::log(10.0) - x + 9 * std::log1p(-std::exp(-x));
    const double slope = 9 * std::exp(-x) / -std::expm1(-x) - 1, u = x - std::log(10.0);
    const Dual<double> got = law.log_prob(Dual<double>(0), Dual<double>(u, 1));
    EXPECT_NEAR(got.value, exact, 1e-12 * (1 + x));
    EXPECT_NEAR(got.tangent, slope, 1e-12 * (1 + 1 / x));
    EXPECT_NEAR(law.log_prob(0.0f, static_cast<float>(u)), exact, 2e-5 * (1 + x)) << "x = " << x;
  }
  EXPECT_EQ(law.log_prob(0.0, -2.31), -infinity<double>) << "below the support";
  EXPECT_TRUE(std::isnan(law.log_prob(0.0, not_a_number<double>)));
}

/// Where the tail goes over into its expansion.
TEST(SumOfGamma, TheTailIsContinued) {
  for (const SumOfGamma& law : {SumOfGamma{4, 1, 20}, SumOfGamma{30, 1, 10}, SumOfGamma{2, 1, 3}}) {
    const double start = -std::log(law.terms) / law.k, step = 1e-3;
    const auto at = [&](double x) { return law.log_prob(0.0, start + x); };
    const double before = (at(1000 - step) - at(1000 - 2 * step)) / step;
    EXPECT_NEAR((at(1000 + 2 * step) - at(1000 + step)) / step, before, 1e-6);
    EXPECT_NEAR(at(1000 + step) - at(1000 - step), 2 * step * before, 1e-8);
  }
}

/// Tails where an error of the size of a float's rounding would show: the largest of many draws.
TEST(SumOfGamma, TailsAreThere) {
  const std::size_t count = 4000000;
  const auto x = draws({10, 1, 10}, count, Dtype::float32);
  for (const double u : {4.0, 6.0, 8.0, 10.0}) {
    const double expected = count * (1 - distribution<10, 10>(0, u));
    const auto beyond =
        static_cast<double>(std::ranges::count_if(x, [=](double v) { return v > u; }));
    EXPECT_NEAR(beyond, expected, 5 * std::sqrt(expected) + 1) << "u = " << u;
  }
}

}  // namespace
}  // namespace softtricks::laws
