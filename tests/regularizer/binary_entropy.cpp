#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

/// f(x) = sum of x log x + (1 - x) log(1 - x); x = 1 - something small is rounded to that of 1.
const bool enrolled = [] {
  regularizer_subjects().push_back({"binary_entropy",
                                    [](double x) { return std::log(x) - std::log1p(-x); },
                                    [](double x) { return 1 / (1 - x); }});
  return true;
}();

}  // namespace
}  // namespace softtricks::laws
