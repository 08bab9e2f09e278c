#pragma once
#include <string>
#include <utility>

namespace softtricks {

/// What went wrong, in words for the caller; empty when nothing did. Host only.
class Status {
 public:
  Status() = default;
  static Status error(std::string message) {
    Status status;
    status.message_ = std::move(message);
    return status;
  }

  bool ok() const { return message_.empty(); }
  explicit operator bool() const { return ok(); }
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

}  // namespace softtricks
