#include "softtricks/perturbation/gumbel.hpp"

#include "../laws/perturbation.hpp"

namespace softtricks::laws {
namespace {

double distribution(double theta, double u) { return std::exp(-std::exp(theta - u)); }
double narrow(double theta, double u) { return distribution(theta / 0.7, u / 0.7); }

const bool enrolled = [] {
  perturbation_subjects().push_back(
      {"gumbel", distribution, 0.57721566490153286, 1.6449340668482264, -7.0, 32.0});
  perturbation_subjects().push_back(
      {"gumbel", narrow, 0.7 * 0.57721566490153286, 0.49 * 1.6449340668482264, -5.0, 23.0, {0.7}});
  return true;
}();

TEST(Gumbel, NoiseIsQuantiles) {
  expect_quantiles<Gumbel, float>(distribution);
  expect_quantiles<Gumbel, double>(distribution);
}

}  // namespace
}  // namespace softtricks::laws
