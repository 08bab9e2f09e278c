#pragma once
#include <algorithm>
#include <cstdint>

namespace softtricks {

/// Runs a loop on somebody's threads: PyTorch's, XLA's, or `thread_pool` of src/threads.cpp. The
/// default runs it on the calling thread.
struct Executor {
  using Body = void (*)(void* state, std::int64_t begin, std::int64_t end);

  /// Cuts [0, count) into pieces of at least `grain` and calls body(state, begin, end) for each.
  void (*run)(void* pool, std::int64_t count, std::int64_t grain, Body body, void* state) = nullptr;
  void* pool = nullptr;

  template <class F>
  void for_each_range(std::int64_t count, std::int64_t grain, F& f) const {
    if (run == nullptr) {
      if (count > 0) f(std::int64_t{0}, count);
      return;
    }
    run(
        pool, count, grain,
        [](void* state, std::int64_t begin, std::int64_t end) {
          (*static_cast<F*>(state))(begin, end);
        },
        &f);
  }
};

/// How long the pieces are that threads take of a loop over [0, count): a few for each even out
/// unequal speeds, multiples of `grain` keep them worth their while.
inline std::int64_t piece_length(std::int64_t count, std::int64_t grain, std::int64_t threads) {
  const std::int64_t even = (count + 4 * threads - 1) / (4 * threads);
  return (std::max(grain, even) + grain - 1) / grain * grain;
}

}  // namespace softtricks
