#pragma once
/// Trains several tasks side by side, each in a process of its own: on a few cores that is faster
/// than one after another on all of them, and a crash of one leaves the others alone.
#include <functional>
#include <string>
#include <vector>

#include "common/progress.hpp"

namespace experiments {

struct PoolPlan {
  std::size_t jobs;  // processes at a time
  int threads;       // of each
};

/// A handful of tasks all start at once, even beyond the number of cores: they share them evenly
/// and finish together, where a queue would leave cores idle behind its last task. `jobs` and
/// `threads` are what the user asked for, 0 for what is best; `alone`: one process at a time,
/// unless asked for otherwise.
PoolPlan plan_pool(std::int64_t jobs, std::int64_t threads, bool alone, std::size_t tasks,
                   std::size_t cores);

/// Runs work(i, progress) for every task i in forked processes and shows their progress; returns
/// the messages of those that failed. Must be called before the first LibTorch call.
std::vector<std::string> run_pool(const std::vector<std::string>& names,
                                  const std::vector<bool>& skip, const PoolPlan& plan,
                                  const Display::Words& words,
                                  const std::function<void(std::size_t, Progress&)>& work);

}  // namespace experiments
