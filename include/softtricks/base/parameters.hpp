#pragma once
/// A perturbation's parameters by number. They are its members, all doubles, with defaults, in the
/// order of its `parameter_names`; a law that has none lacks these names.
#include <array>
#include <bit>
#include <iterator>
#include <string>
#include <utility>

#include "softtricks/base/config.hpp"
#include "softtricks/base/status.hpp"

namespace softtricks {

template <class P>
constexpr int parameter_count() {
  if constexpr (requires { P::parameter_names; }) return std::size(P::parameter_names);
  return 0;
}

/// What parameter i is where it is left out.
template <class P>
double parameter_default(std::size_t i) {
  return std::bit_cast<std::array<double, sizeof(P) / sizeof(double)>>(P{})[i];
}

/// The perturbation with these parameters, all of them.
template <class P>
SOFTTRICKS_FN P make_perturbation([[maybe_unused]] const double* parameters) {
  return [=]<int... i>(std::integer_sequence<int, i...>) { return P{parameters[i]...}; }
  (std::make_integer_sequence<int, parameter_count<P>()>());
}

inline Status check_parameter(const char* law, const char* name, double value, bool accepted,
                              const char* range) {
  if (accepted) return {};
  return Status::error(std::string(law) + ": " + name + " must be " + range + ", got " +
                       std::to_string(value));
}

/// Scales keep away from the ends of a float's range.
inline Status check_scale(const char* law, double scale) {
  return check_parameter(law, "scale", scale, scale >= 1e-30 && scale <= 1e30,
                         "from 1e-30 to 1e30");
}

}  // namespace softtricks
