#pragma once
/// The library's loops on XLA's own threads.
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "softtricks/base/executor.hpp"
#include "xla/ffi/api/ffi.h"

namespace softtricks {

/// A loop that several threads take pieces of. It outlives the call: a task that XLA gets to after
/// everything is done finds no piece left.
class SharedLoop {
 public:
  SharedLoop(std::int64_t count, std::int64_t piece, Executor::Body body, void* state)
      : count_(count), piece_(piece), body_(body), state_(state) {}

  void work() {
    std::unique_lock lock(mutex_);
    while (next_ < count_) {
      const std::int64_t begin = next_, end = std::min(begin + piece_, count_);
      next_ = end;
      lock.unlock();
      body_(state_, begin, end);
      lock.lock();
      done_ += end - begin;
    }
    if (done_ == count_) all_done_.notify_all();
  }
  /// Returns when the pieces that other threads took are done, too.
  void wait() {
    std::unique_lock lock(mutex_);
    all_done_.wait(lock, [this] { return done_ == count_; });
  }

 private:
  const std::int64_t count_, piece_;
  const Executor::Body body_;
  void* const state_;
  std::mutex mutex_;
  std::condition_variable all_done_;
  std::int64_t next_ = 0, done_ = 0;
};

/// The calling thread works too, and waits for nobody who has not begun: a pool that is busy, even
/// with calls like this one, can't lock up.
inline Executor xla_threads(xla::ffi::ThreadPool& pool) {
  const auto run = [](void* of, std::int64_t count, std::int64_t grain, Executor::Body body,
                      void* state) {
    if (count <= 0) return;
    auto& threads = *static_cast<xla::ffi::ThreadPool*>(of);
    const std::int64_t piece =
        piece_length(count, grain, std::max<std::int64_t>(threads.num_threads(), 1));
    const std::int64_t helpers = std::min(threads.num_threads(), (count + piece - 1) / piece) - 1;
    if (helpers < 1) return body(state, 0, count);
    const auto loop = std::make_shared<SharedLoop>(count, piece, body, state);
    for (std::int64_t i = 0; i < helpers; ++i) threads.Schedule([loop] { loop->work(); });
    loop->work();
    loop->wait();
  };
  return {run, &pool};
}

}  // namespace softtricks
