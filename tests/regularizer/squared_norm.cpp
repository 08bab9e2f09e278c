#include "../laws/subject.hpp"

namespace softtricks::laws {
namespace {

/// f(x) = |x|^2 / 2
const bool enrolled = [] {
  regularizer_subjects().push_back(
      {"squared_norm", [](double x) { return x; }, [](double x) { return x; }});
  return true;
}();

}  // namespace
}  // namespace softtricks::laws
