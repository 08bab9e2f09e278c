#include "softtricks/perturbation/exponential.hpp"

#include <algorithm>

#include "../laws/perturbation.hpp"
#include "../laws/statistics.hpp"
#include "softtricks/registry.hpp"

namespace softtricks::laws {
namespace {

double distribution(double theta, double u) {
  return u > 0 ? -std::expm1(-u * std::exp(theta)) : 0.0;
}

const bool enrolled = [] {
  perturbation_subjects().push_back({"exponential", distribution, 1.0, 1.0, 0.0, 210.0});
  return true;
}();

TEST(Exponential, NoiseIsQuantiles) {
  expect_quantiles<Exponential, float>(distribution);
  expect_quantiles<Exponential, double>(distribution);
}

std::vector<double> draws(const char* law, const std::vector<double>& theta, std::int64_t batch) {
  std::vector<double> out(theta.size());
  PerturbationCall call;
  call.verb = "sample";
  call.perturbation = law;
  call.dtype = Dtype::float64;
  call.batch = batch;
  call.size = static_cast<std::int64_t>(theta.size()) / batch;
  call.theta = theta.data();
  call.seed = 8;
  call.out = out.data();
  EXPECT_TRUE(run(call).ok());
  return out;
}

/// -log of an Exponential utility is the Gumbel utility of the same theta and seed.
TEST(Exponential, IsGumbelBehindALogarithm) {
  std::vector<double> theta(300);
  for (std::size_t i = 0; i < theta.size(); ++i) theta[i] = 3 * std::sin(double(i));
  const auto exponential = draws("exponential", theta, 1), gumbel = draws("gumbel", theta, 1);
  for (std::size_t i = 0; i < theta.size(); ++i) {
    EXPECT_NEAR(-std::log(exponential[i]), gumbel[i], 1e-14 * (10 + std::fabs(gumbel[i])));
  }
}

/// The least of Exponential utilities is at i with chance softmax(theta)_i.
TEST(Exponential, RacesHaveTheLawSoftmax) {
  const std::vector<double> theta{0.3, -1.2, 1.0, 0.0, -0.4};
  const std::size_t races = 100000, runners = theta.size();
  std::vector<double> all, expected(runners), counts(runners);
  double total = 0;
  for (const double t : theta) total += std::exp(t);
  for (std::size_t i = 0; i < runners; ++i) expected[i] = races * std::exp(theta[i]) / total;
  for (std::size_t race = 0; race < races; ++race)
    all.insert(all.end(), theta.begin(), theta.end());
  const auto times = draws("exponential", all, races);
  for (auto start = times.begin(); start != times.end(); start += std::ptrdiff_t(runners)) {
    ++counts[static_cast<std::size_t>(std::min_element(start, start + std::ptrdiff_t(runners)) -
                                      start)];
  }
  EXPECT_LT(chi_square_deviate(counts, expected), one_in_a_million);
}

}  // namespace
}  // namespace softtricks::laws
