#include "softtricks/perturbation/logistic.hpp"

#include "../laws/perturbation.hpp"

namespace softtricks::laws {
namespace {

double distribution(double theta, double u) { return 1 / (1 + std::exp(theta - u)); }

const bool enrolled = [] {
  perturbation_subjects().push_back(
      {"logistic", distribution, 0.0, 3.2898681336964529, -32.0, 32.0});
  return true;
}();

TEST(Logistic, NoiseIsQuantiles) {
  expect_quantiles<Logistic, float>(distribution);
  expect_quantiles<Logistic, double>(distribution);
}

}  // namespace
}  // namespace softtricks::laws
