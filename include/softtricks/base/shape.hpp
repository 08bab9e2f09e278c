#pragma once
/// A structure's fields by number: what the front ends know as its shape.
#include <cstdint>
#include <limits>
#include <utility>

#include "softtricks/base/config.hpp"

namespace softtricks {

/// In `field_defaults` of a structure: the field has none. Fields with defaults come last.
inline constexpr std::int64_t required_field = std::numeric_limits<std::int64_t>::min();

/// What field f of structure S is where the shape leaves it out, or required_field.
template <class S>
constexpr std::int64_t field_default(int f) {
  if constexpr (requires { S::field_defaults; }) return S::field_defaults[f];
  return required_field;
}

/// The structure of a complete shape.
template <class S>
SOFTTRICKS_FN S make_structure(const std::int64_t* shape) {
  return [shape]<int... f>(std::integer_sequence<int, f...>) {
    return S{static_cast<int>(shape[f])...};
  }
  (std::make_integer_sequence<int, S::fields>());
}

}  // namespace softtricks
