#include "graph_layout/pool.hpp"

#include <algorithm>
#include <cstring>
#include <iostream>
#include <map>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"

namespace graph_layout {
namespace {

using experiments::Progress;

volatile sig_atomic_t interrupted = 0;

/// The child's whole life.
[[noreturn]] void live(const Task& task, Progress& progress, pid_t parent,
                       const std::function<void(const Task&, Progress&)>& work) {
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  // A killed parent takes its children along, so that a second start finds the folder free.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  int code = 0;
  try {
    work(task, progress);
    progress.state = Progress::done;
  } catch (const experiments::UserError& error) {
    progress.fail(error.what());
    code = 2;
  } catch (const std::exception& error) {
    progress.fail(task.name() + ": " + error.what());
    code = 1;
  }
  ::_exit(code);  // neither the parent's buffers nor its destructors are this process's business
}

void note_death(const Task& task, Progress& progress, int status) {
  if (progress.state == Progress::done || progress.state == Progress::failed) return;
  std::string text = task.name() + " was ended";
  if (WIFSIGNALED(status)) {
    text += std::string(" by the signal '") + ::strsignal(WTERMSIG(status)) + "'";
    if (WTERMSIG(status) == SIGKILL) text += " (out of memory?)";
  }
  progress.fail(text + "; the same command continues it from its last checkpoint");
}

}  // namespace

PoolPlan plan_pool(const Options& options, std::size_t tasks, std::size_t cores) {
  std::size_t jobs = static_cast<std::size_t>(options.jobs);
  if (jobs == 0) jobs = tasks <= 2 * cores ? tasks : cores;
  if (options.jobs == 0 && options.device != "cpu") jobs = 1;
  jobs = std::max<std::size_t>(1, std::min(jobs, tasks));
  int threads = static_cast<int>(options.threads);
  if (threads == 0) threads = static_cast<int>(std::max<std::size_t>(1, cores / jobs));
  return {jobs, threads};
}

std::vector<std::string> run_pool(const std::vector<Task>& tasks, const std::vector<bool>& skip,
                                  const PoolPlan& plan,
                                  const std::function<void(const Task&, Progress&)>& work) {
  Progress* const progress = experiments::shared_progress(tasks.size());
  std::vector<std::string> names;
  for (const Task& task : tasks) names.push_back(task.name());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (skip[i]) progress[i].state = Progress::skipped;
  }
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);

  const pid_t parent = ::getpid();
  experiments::Display display(names, progress);
  std::map<pid_t, std::size_t> children;
  std::size_t next = 0;
  while (!interrupted) {
    while (next < tasks.size() && skip[next]) ++next;
    if (next == tasks.size() && children.empty()) break;
    if (next < tasks.size() && children.size() < plan.jobs) {
      const pid_t child = ::fork();
      if (child < 0) throw experiments::UserError("no further process could be started");
      if (child == 0) live(tasks[next], progress[next], parent, work);
      children[child] = next++;
      continue;
    }
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    const auto found = children.find(ended);
    if (found != children.end()) {
      note_death(tasks[found->second], progress[found->second], status);
      children.erase(found);
    } else {
      display.show();
      ::usleep(200000);
    }
  }
  for (const auto& [child, which] : children) ::kill(child, SIGKILL);
  for (const auto& [child, which] : children) ::waitpid(child, nullptr, 0);
  display.show(true);
  if (interrupted) {
    std::cerr << "Stopped. The same command goes on from the last checkpoint.\n";
    std::exit(130);
  }
  std::vector<std::string> failures;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (progress[i].state == Progress::failed) failures.emplace_back(progress[i].message);
  }
  return failures;
}

}  // namespace graph_layout
