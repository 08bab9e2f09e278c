#pragma once
#include <cstdint>

#include "softtricks/base/random.hpp"

namespace experiments {

/// The seed of one draw: a function of a run's seed, what the draw is for and a counter.
inline std::int64_t seed_for(std::int64_t seed, std::uint32_t purpose, std::int64_t counter) {
  const auto words = softtricks::philox(static_cast<std::uint32_t>(counter),
                                        static_cast<std::uint32_t>(counter >> 32), purpose, 0u,
                                        static_cast<std::uint64_t>(seed));
  return (static_cast<std::int64_t>(words.word[0] & 0x7fffffffu) << 32) | words.word[1];
}

}  // namespace experiments
