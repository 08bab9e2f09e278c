#pragma once
/// Trains several tasks side by side, each in a process of its own: on a few cores that is faster
/// than one after another on all of them, and a crash of one leaves the others alone.
#include <functional>
#include <string>
#include <vector>

#include "common/progress.hpp"
#include "graph_layout/options.hpp"

namespace graph_layout {

struct PoolPlan {
  std::size_t jobs;  // processes at a time
  int threads;       // of each
};

/// A handful of tasks all start at once, even beyond the number of cores: they share them evenly
/// and finish together, where a queue would leave cores idle behind its last task.
PoolPlan plan_pool(const Options& options, std::size_t tasks, std::size_t cores);

/// Runs `work` for every task in forked processes and shows their progress; returns the messages of
/// those that failed. Must be called before the first LibTorch call.
std::vector<std::string> run_pool(
    const std::vector<Task>& tasks, const std::vector<bool>& skip, const PoolPlan& plan,
    const std::function<void(const Task&, experiments::Progress&)>& work);

}  // namespace graph_layout
