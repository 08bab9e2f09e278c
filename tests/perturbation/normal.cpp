#include "softtricks/perturbation/normal.hpp"

#include "../laws/perturbation.hpp"

namespace softtricks::laws {
namespace {

double distribution(double theta, double u) { return std::erfc((theta - u) / std::sqrt(2.0)) / 2; }

const bool enrolled = [] {
  perturbation_subjects().push_back({"normal", distribution, 0.0, 1.0, -11.0, 11.0});
  return true;
}();

TEST(Normal, IsFiniteForEveryBitPattern) {
  expect_finite_for_extreme_bits<Normal, float>();
  expect_finite_for_extreme_bits<Normal, double>();
}

}  // namespace
}  // namespace softtricks::laws
