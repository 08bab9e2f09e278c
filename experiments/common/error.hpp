#pragma once
/// Errors a user can mend: they end a program with a message and exit code 2.
#include <stdexcept>
#include <string>

namespace experiments {

class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace experiments
