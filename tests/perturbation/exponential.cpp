#include "softtricks/perturbation/exponential.hpp"

#include "../laws/perturbation.hpp"

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

}  // namespace
}  // namespace softtricks::laws
