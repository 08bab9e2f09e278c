#include "softtricks/perturbation/negative_exponential.hpp"

#include "../laws/perturbation.hpp"

namespace softtricks::laws {
namespace {

double distribution(double theta, double u) {
  return u < 0 ? std::exp(u / std::log1p(std::exp(theta))) : 1.0;
}

const bool enrolled = [] {
  const double mean = std::log(2.0);
  perturbation_subjects().push_back(
      {"negative_exponential", distribution, -mean, mean * mean, -60.0, 0.0});
  return true;
}();

}  // namespace
}  // namespace softtricks::laws
