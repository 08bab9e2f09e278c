#include "common/arguments.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>

#include "common/error.hpp"

namespace experiments {
namespace {

Range read_range(const std::string& word, const std::string& option) {
  const std::size_t dots = word.find("..");
  const double least = number(word.substr(0, dots), option);
  if (dots == std::string::npos) return {least, least};
  const double most = number(word.substr(dots + 2), option);
  if (!(0 < least && least <= most)) reject(option, word, "LEAST..MOST with 0 < LEAST <= MOST");
  return {least, most};
}

}  // namespace

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  std::stringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

void reject(const std::string& option, const std::string& value, const std::string& accepted) {
  throw UserError("--" + option + ": '" + value + "' is not accepted; give " + accepted);
}

void one_of(const std::string& option, const std::string& value,
            const std::vector<std::string>& accepted) {
  if (std::ranges::count(accepted, value)) return;
  std::string list;
  for (const std::string& word : accepted) list += (list.empty() ? "" : ", ") + word;
  reject(option, value, "one of " + list);
}

double number(const std::string& text, const std::string& option) {
  std::size_t used = 0;
  double value = NAN;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
  }
  if (used != text.size() || !std::isfinite(value)) {
    reject(option, text, "a finite number, or ROW=NUMBER,... with rows among those of --help");
  }
  return value;
}

std::vector<std::int64_t> whole_numbers(const std::string& text, const std::string& option,
                                        std::int64_t least) {
  const auto whole = [&](const std::string& word) {
    const double value = number(word, option);
    if (value < static_cast<double>(least) || value != std::floor(value) || value > 1e9) {
      reject(option, word, "whole numbers from " + std::to_string(least) + " to 1000000000");
    }
    return static_cast<std::int64_t>(value);
  };
  std::vector<std::int64_t> all;
  for (const std::string& word : split(text)) {
    const std::size_t dots = word.find("..");
    const std::int64_t first = whole(word.substr(0, dots));
    const std::int64_t last = dots == std::string::npos ? first : whole(word.substr(dots + 2));
    if (last < first || last - first >= 100000) reject(option, word, "FIRST..LAST, FIRST no more");
    for (std::int64_t value = first; value <= last; ++value) all.push_back(value);
  }
  if (all.empty()) reject(option, text, "at least one number");
  return all;
}

double Range::at(double part) const {
  return single() ? least : std::min(most, least * std::pow(most / least, part));
}

Range range_for(const std::string& text, const std::string& row,
                const std::vector<std::string>& rows, const std::string& option, double fallback) {
  Range value{fallback, fallback};
  bool exact = false;
  for (const std::string& word : split(text)) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      const Range given = read_range(word, option);
      if (!exact) value = given;
    } else {
      const std::string name = word.substr(0, equals);
      if (!std::ranges::count(rows, name)) reject(option, word, "a row of --help before the '='");
      const Range given = read_range(word.substr(equals + 1), option);
      if (name == row) {
        value = given;
        exact = true;
      }
    }
  }
  return value;
}

void require_least(const std::vector<Bound>& bounds) {
  for (const Bound& bound : bounds) {
    if (bound.value >= bound.least) continue;  // so NaN is refused too
    std::ostringstream value, least;
    value << bound.value;
    least << "a number of at least " << bound.least;
    reject(bound.option, value.str(), least.str());
  }
}

std::string find_option(int count, char** arguments, const std::string& name,
                        const std::string& fallback) {
  const std::string option = "--" + name;
  for (int i = 1; i < count; ++i) {
    const std::string text = arguments[i];
    if (text.starts_with(option + "=")) return text.substr(option.size() + 1);
    if (text == option && i + 1 < count) return arguments[i + 1];
  }
  return fallback;
}

}  // namespace experiments
