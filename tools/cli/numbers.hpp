#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace softtricks::cli {

/// The shortest text from which the same number can be read again.
std::string number_text(float number);
std::string number_text(double number);

/// The number that is the whole text; none if it is anything else or out of range.
std::optional<double> parse_number(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace softtricks::cli
