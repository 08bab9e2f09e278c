#include "numbers.hpp"

#include <charconv>
#include <cmath>

namespace softtricks::cli {
namespace {

template <class T>
std::string shortest(T number) {
  if (std::isnan(number)) return "nan";  // to_chars would tell the sign of a NaN, too
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

template <class T>
std::optional<T> parse(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace

std::string number_text(float number) { return shortest(number); }
std::string number_text(double number) { return shortest(number); }
std::optional<double> parse_number(std::string_view text) { return parse<double>(text); }
std::optional<std::int64_t> parse_integer(std::string_view text) {
  return parse<std::int64_t>(text);
}

}  // namespace softtricks::cli
