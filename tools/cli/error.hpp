#pragma once
#include <stdexcept>
#include <string>

namespace softtricks::cli {

/// Ends the program with one line on stderr and this exit code: 2 where the user's arguments or
/// data are wrong, 1 where something else failed.
struct Error : std::runtime_error {
  Error(int code, const std::string& message) : std::runtime_error(message), exit_code(code) {}
  int exit_code;
};

/// The argument `name` can't be used; `why` tells the value and what is accepted.
[[noreturn]] inline void refuse(const std::string& name, const std::string& why) {
  throw Error(2, name + ": " + why);
}

[[noreturn]] inline void fail(const std::string& why) { throw Error(1, why); }

inline std::string quoted(const std::string& value) { return "'" + value + "'"; }

}  // namespace softtricks::cli
