#pragma once
#include <string>
#include <string_view>

#include "array.hpp"

namespace softtricks::cli {

/// Rows of numbers, separated by commas, tabs, semicolons or blanks (the first of these that the
/// first row has). Empty lines and lines that begin with # are passed over. -> float64 [rows,
/// columns]. `name` is the argument that the text came from.
Array parse_table(std::string_view text, const std::string& name);

/// One line for every instance: the array's last dimension, or one number where `scalar`.
std::string table_text(const Array& array, bool scalar, char separator);

}  // namespace softtricks::cli
