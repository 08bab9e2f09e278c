#pragma once
#include <string>
#include <string_view>

#include "array.hpp"

namespace softtricks::cli {

/// NumPy's .npy format: versions 1 to 3, little-endian, C or Fortran order.
bool looks_like_npy(std::string_view bytes);

/// `name` is the argument that the bytes came from. `integers_too`: int32 and int64 are read as
/// float64 instead of being refused.
Array parse_npy(std::string_view bytes, const std::string& name, bool integers_too);

std::string npy_bytes(const Array& array);

}  // namespace softtricks::cli
