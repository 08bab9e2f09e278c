#pragma once
/// Reading and checking the values of options. All throw UserError with a message that names the
/// option and what it accepts.
#include <cstdint>
#include <string>
#include <vector>

namespace experiments {

/// The words between commas, empty ones left out.
std::vector<std::string> split(const std::string& text);

[[noreturn]] void reject(const std::string& option, const std::string& value,
                         const std::string& accepted);

void one_of(const std::string& option, const std::string& value,
            const std::vector<std::string>& accepted);

/// A finite number.
double number(const std::string& text, const std::string& option);

/// A list of whole numbers from `least` to 10^9, separated by commas; FIRST..LAST stands for all
/// between.
std::vector<std::int64_t> whole_numbers(const std::string& text, const std::string& option,
                                        std::int64_t least);

/// What a search draws a number from: a range above 0, or a single number of any sign.
struct Range {
  double least = 0, most = 0;

  bool single() const { return least == most; }
  /// Evenly on a logarithmic scale; `part` in [0, 1).
  double at(double part) const;
};

/// The number or range LEAST..MOST that `text`, one for all rows or ROW=... for some, gives for
/// `row`; `fallback` where it names only other rows.
Range range_for(const std::string& text, const std::string& row,
                const std::vector<std::string>& rows, const std::string& option, double fallback);

struct Bound {
  const char* option;
  double value, least;
};
void require_least(const std::vector<Bound>& bounds);

/// An option's value before the command line is parsed: others' defaults may depend on it.
std::string find_option(int count, char** arguments, const std::string& name,
                        const std::string& fallback);

}  // namespace experiments
