/// A small pool for programs without one: `thread_pool`.
#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "softtricks/registry.hpp"

namespace softtricks {
namespace {

/// Workers wait for a loop; the caller works too. Pieces are handed out by a counter, and which
/// thread takes a piece never shows in a result. A pool lives until the process ends.
class Pool {
 public:
  explicit Pool(int threads) {
    for (int t = 1; t < threads; ++t) workers_.emplace_back([this] { serve(); });
  }
  void run(std::int64_t count, std::int64_t grain, Executor::Body body, void* state) {
    if (count <= 0) return;
    const std::int64_t threads = static_cast<std::int64_t>(workers_.size()) + 1;
    const std::int64_t piece = piece_length(count, grain, threads);
    if (threads == 1 || count <= piece) return body(state, 0, count);
    const std::lock_guard one_loop_at_a_time(entry_);
    {
      const std::lock_guard lock(mutex_);
      loop_ = {count, piece, 0, body, state};
      busy_ = static_cast<int>(workers_.size());
      ++round_;
    }
    wake_.notify_all();
    work();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  struct Loop {
    std::int64_t count = 0, piece = 1, next = 0;
    Executor::Body body = nullptr;
    void* state = nullptr;
  };

  void work() {
    while (true) {
      Loop loop;
      {
        const std::lock_guard lock(mutex_);
        if (loop_.next >= loop_.count) return;
        loop = loop_;
        loop_.next += loop_.piece;
      }
      loop.body(loop.state, loop.next, std::min(loop.next + loop.piece, loop.count));
    }
  }

  void serve() {
    std::uint64_t seen = 0;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return round_ != seen; });
        seen = round_;
      }
      work();
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex entry_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  Loop loop_;
  int busy_ = 0;
  std::uint64_t round_ = 0;
};

}  // namespace

Executor thread_pool(int threads) {
  static std::mutex mutex;
  // A forked child has its parent's pools without their workers: it needs its own, and could not
  // destroy those.
  static auto& pools = *new std::map<std::pair<pid_t, int>, Pool*>;
  if (threads <= 1) return {};
  const std::lock_guard lock(mutex);
  Pool*& pool = pools[{getpid(), threads}];
  if (!pool) pool = new Pool(threads);
  return {[](void* p, std::int64_t count, std::int64_t grain, Executor::Body body, void* state) {
            static_cast<Pool*>(p)->run(count, grain, body, state);
          },
          pool};
}

}  // namespace softtricks
