#include "common/pool.hpp"

#include <algorithm>
#include <cstring>
#include <iostream>
#include <map>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"

namespace experiments {
namespace {

volatile sig_atomic_t interrupted = 0;

/// The child's whole life.
[[noreturn]] void live(const std::string& name, Progress& progress, pid_t parent,
                       const std::function<void(Progress&)>& work) {
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  // A killed parent takes its children along, so that a second start finds the folder free.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  int code = 0;
  try {
    work(progress);
    progress.state = Progress::done;
  } catch (const UserError& error) {
    progress.fail(error.what());
    code = 2;
  } catch (const std::exception& error) {
    progress.fail(name + ": " + error.what());
    code = 1;
  }
  ::_exit(code);  // neither the parent's buffers nor its destructors are this process's business
}

void note_death(const std::string& name, Progress& progress, int status) {
  if (progress.state == Progress::done || progress.state == Progress::failed) return;
  std::string text = name + " was ended";
  if (WIFSIGNALED(status)) {
    text += std::string(" by the signal '") + ::strsignal(WTERMSIG(status)) + "'";
    if (WTERMSIG(status) == SIGKILL) text += " (out of memory?)";
  }
  progress.fail(text + "; the same command continues it from its last checkpoint");
}

}  // namespace

PoolPlan plan_pool(std::int64_t jobs, std::int64_t threads, bool alone, std::size_t tasks,
                   std::size_t cores) {
  if (jobs == 0) jobs = static_cast<std::int64_t>(alone ? 1 : tasks <= 2 * cores ? tasks : cores);
  const std::size_t used =
      std::max<std::size_t>(1, std::min(static_cast<std::size_t>(jobs), tasks));
  if (threads == 0) threads = static_cast<std::int64_t>(std::max<std::size_t>(1, cores / used));
  return {used, static_cast<int>(threads)};
}

std::vector<std::string> run_pool(const std::vector<std::string>& names,
                                  const std::vector<bool>& skip, const PoolPlan& plan,
                                  const Display::Words& words,
                                  const std::function<void(std::size_t, Progress&)>& work) {
  const std::size_t tasks = names.size();
  Progress* const progress = shared_progress(tasks);
  for (std::size_t i = 0; i < tasks; ++i) {
    if (skip[i]) progress[i].state = Progress::skipped;
  }
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);

  const pid_t parent = ::getpid();
  Display display(names, progress, words);
  std::map<pid_t, std::size_t> children;
  std::size_t next = 0;
  while (!interrupted) {
    while (next < tasks && skip[next]) ++next;
    if (next == tasks && children.empty()) break;
    if (next < tasks && children.size() < plan.jobs) {
      const pid_t child = ::fork();
      if (child < 0) throw UserError("no further process could be started");
      if (child == 0) {
        live(names[next], progress[next], parent, [&](Progress& own) { work(next, own); });
      }
      children[child] = next++;
      continue;
    }
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    const auto found = children.find(ended);
    if (found != children.end()) {
      note_death(names[found->second], progress[found->second], status);
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
  for (std::size_t i = 0; i < tasks; ++i) {
    if (progress[i].state == Progress::failed) failures.emplace_back(progress[i].message);
  }
  return failures;
}

}  // namespace experiments
