#include "softtricks/perturbation/logistic.hpp"

#include "../laws/perturbation.hpp"

namespace softtricks::laws {
namespace {

double distribution(double theta, double u) { return 1 / (1 + std::exp(theta - u)); }
double wide(double theta, double u) { return distribution(theta / 1.5, u / 1.5); }

const bool enrolled = [] {
  perturbation_subjects().push_back(
      {"logistic", distribution, 0.0, 3.2898681336964529, -32.0, 32.0});
  perturbation_subjects().push_back(
      {"logistic", wide, 0.0, 2.25 * 3.2898681336964529, -45.0, 45.0, {1.5}});
  return true;
}();

TEST(Logistic, NoiseIsQuantiles) {
  expect_quantiles<Logistic, float>(distribution);
  expect_quantiles<Logistic, double>(distribution);
}

}  // namespace
}  // namespace softtricks::laws
