#include "softtricks/perturbation/normal.hpp"

#include "../laws/perturbation.hpp"

namespace softtricks::laws {
namespace {

double distribution(double theta, double u) { return std::erfc((theta - u) / std::sqrt(2.0)) / 2; }
double wide(double theta, double u) { return distribution(theta / 2, u / 2); }

const bool enrolled = [] {
  perturbation_subjects().push_back({"normal", distribution, 0.0, 1.0, -11.0, 11.0});
  perturbation_subjects().push_back({"normal", wide, 0.0, 4.0, -18.0, 18.0, {2.0}});
  return true;
}();

TEST(Normal, NoiseIsQuantiles) {
  expect_quantiles<Normal, float>(distribution);
  expect_quantiles<Normal, double>(distribution);
}

}  // namespace
}  // namespace softtricks::laws
