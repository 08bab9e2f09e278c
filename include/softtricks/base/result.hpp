#pragma once
#include "softtricks/base/config.hpp"

namespace softtricks {

/// What a verb returns for an instance.
enum class Result {
  entries,  // [size]
  number,   // one
  members,  // [members, size], and [members] numbers that go with them
};

/// How many numbers that is, without those that go with members.
SOFTTRICKS_FN constexpr int results_of(Result result, int size, int members) {
  return result == Result::members ? members * size : result == Result::number ? 1 : size;
}

}  // namespace softtricks
