#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

/// f(x) = sum of x log x
const bool enrolled = [] {
  regularizer_subjects().push_back(
      {"shannon_entropy", [](double x) { return std::log(x) + 1; }, [](double) { return 1.0; }});
  return true;
}();

}  // namespace
}  // namespace softtricks::laws
