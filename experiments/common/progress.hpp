#pragma once
/// Progress of several trainings that run in processes of their own: each writes numbers into
/// memory shared with the parent, which shows them: on a terminal as one line a training, rewritten
/// in place; elsewhere as plain lines every few seconds.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace experiments {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Shared between two processes, so no pointers; a number may be one update older than its
/// neighbour.
struct Progress {
  enum State : int { waiting, running, testing, done, skipped, failed };
  std::atomic<int> state{waiting};
  std::atomic<std::int64_t> update{0}, updates{0};
  std::atomic<double> loss{0}, score{0}, precision{0}, updates_per_second{0};
  std::atomic<bool> evaluated{false};
  char message[2048] = {};  // written before `state` becomes failed

  void fail(const std::string& text);
};

/// `count` Progress records that stay shared across fork(). Never freed: they live as long as the
/// program.
Progress* shared_progress(std::size_t count);

class Display {
 public:
  /// How numbers are written, as formats of one double.
  struct Words {
    const char* loss = "loss %8.1f";
    const char* score = "score %8.1f";
  };
  Display(std::vector<std::string> names, const Progress* progress, const Words& words);

  /// Shows the present state; `last` ends the block on a terminal.
  void show(bool last = false);

 private:
  std::string line(std::size_t which, int width) const;
  void show_terminal(bool last);
  void show_plain(bool last);

  std::vector<std::string> names_;
  const Progress* progress_;
  Words words_;
  bool terminal_;
  std::size_t shown_ = 0;
  std::vector<int> reported_;
  Clock::time_point next_plain_ = Clock::now();
};

}  // namespace experiments
