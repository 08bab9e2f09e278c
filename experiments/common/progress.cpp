#include "common/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>
#include <stdexcept>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace experiments {
namespace {

std::string duration(double seconds) {
  char text[32];
  const auto whole = static_cast<long>(std::max(seconds, 0.0) + 0.5);
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%ldh%02ldm", whole / 3600, whole / 60 % 60);
  } else {
    std::snprintf(text, sizeof text, "%ldm%02lds", whole / 60, whole % 60);
  }
  return text;
}

std::string bar(double part, int width) {
  std::string text = "[";
  for (int i = 0; i < width; ++i) text += i < part * width ? '#' : '.';
  return text + "]";
}

int terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

void Progress::fail(const std::string& text) {
  std::strncpy(message, text.c_str(), sizeof message - 1);
  state = failed;
}

Progress* shared_progress(std::size_t count) {
  void* memory = ::mmap(nullptr, std::max<std::size_t>(count, 1) * sizeof(Progress),
                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  auto* records = static_cast<Progress*>(memory);
  for (std::size_t i = 0; i < count; ++i) new (records + i) Progress;
  return records;
}

Display::Display(std::vector<std::string> names, const Progress* progress, const Words& words)
    : names_(std::move(names)),
      progress_(progress),
      words_(words),
      terminal_(::isatty(STDERR_FILENO) == 1),
      reported_(names_.size(), Progress::waiting) {}

std::string Display::line(std::size_t which, int width) const {
  const Progress& p = progress_[which];
  static const char* const words[] = {"waiting", "", "testing", "done", "done before", "failed"};
  char text[256];
  const std::int64_t update = p.update, updates = std::max<std::int64_t>(p.updates, 1);
  const double part = static_cast<double>(update) / static_cast<double>(updates);
  const int state = p.state;
  std::string result;
  std::snprintf(text, sizeof text, "%-24s ", names_[which].c_str());
  result += text;
  if (state == Progress::waiting || state == Progress::skipped || state == Progress::failed) {
    return result + words[state];
  }
  if (width > 0) result += bar(part, std::clamp(width - 98, 0, 30)) + ' ';
  const auto add = [&](const char* format, double value) {
    std::snprintf(text, sizeof text, format, value);
    result += text;
  };
  add("%3.0f%% ", 100 * part);
  add(words_.loss, p.loss);
  if (p.evaluated) {
    result += "  ";
    add(words_.score, p.score);
    add("  precision %5.1f%%", 100 * p.precision);
  }
  const double speed = p.updates_per_second;
  if (state == Progress::running && speed > 0) {
    std::snprintf(text, sizeof text, "  %5.1f/s  %s left", speed,
                  duration(static_cast<double>(updates - update) / speed).c_str());
    result += text;
  } else {
    result += "  ";
    result += words[state];
  }
  return result;
}

void Display::show(bool last) {
  if (terminal_) {
    show_terminal(last);
  } else {
    show_plain(last);
  }
}

void Display::show_terminal(bool last) {
  const int width = terminal_width();
  std::string text;
  if (shown_ > 0) text += "\033[" + std::to_string(shown_) + "A";
  std::vector<std::size_t> lines;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    // With many trainings only those that move are shown, until the end.
    if (last || names_.size() <= 8 || progress_[i].state == Progress::running ||
        progress_[i].state == Progress::testing) {
      lines.push_back(i);
    }
  }
  for (const std::size_t i : lines) {
    std::string one = line(i, width);
    if (one.size() >= static_cast<std::size_t>(width))
      one.resize(static_cast<std::size_t>(width) - 1);
    text += "\r\033[K" + one + "\n";
  }
  for (std::size_t i = lines.size(); i < shown_; ++i) text += "\r\033[K\n";
  shown_ = std::max(shown_, lines.size());
  std::cerr << text << std::flush;
}

void Display::show_plain(bool last) {
  constexpr auto pause = std::chrono::seconds(5);
  const auto now = Clock::now();
  const bool due = now >= next_plain_;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const int state = progress_[i].state;
    const bool moving = state == Progress::running || state == Progress::testing;
    if ((due && moving && progress_[i].update > 0) ||
        (state != reported_[i] && state > Progress::testing)) {
      std::cerr << line(i, 0) << '\n';
    }
    reported_[i] = state;
  }
  if (due) next_plain_ = now + pause;
  if (last) std::cerr << std::flush;
}

}  // namespace experiments
