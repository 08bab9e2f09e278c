#pragma once
#include <string>

#include "array.hpp"

namespace softtricks::cli {

/// "-" names standard input in reading and standard output in writing.
inline constexpr const char* standard_stream = "-";

/// An array from a .npy file or a table of numbers; which, its content tells. `argument` is the
/// command line's name for it.
Array read_array(const std::string& path, const std::string& argument, bool integers_too = false);

/// Replaces the file at once or, where that fails, not at all.
void write_file(const std::string& path, const std::string& bytes);

}  // namespace softtricks::cli
