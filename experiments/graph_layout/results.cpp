#include "graph_layout/results.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include <spawn.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/files.hpp"
#include "graph_layout/train.hpp"

extern char** environ;

namespace graph_layout {
namespace {

using experiments::Path;
using Json = nlohmann::json;

std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\n\"'\\$&|;<>()*?[]#~`") == std::string::npos) {
    return word;
  }
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string joined(const std::vector<std::string>& arguments) {
  std::string text = "softtricks train graph-layout";
  for (const std::string& word : arguments) text += ' ' + quoted(word);
  return text;
}

/// The command that makes one row alone.
std::string row_command(const std::vector<std::string>& arguments, const std::string& row) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with("--rows=")) continue;
    if (arguments[i] == "--rows") {
      ++i;
      continue;
    }
    kept.push_back(arguments[i]);
  }
  kept.insert(kept.end(), {"--rows", row});
  return joined(kept);
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  utsname name{};
  return ::uname(&name) == 0 ? name.machine : "unknown";
}

std::string today() {
  const std::chrono::year_month_day day{
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now())};
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text;
}

Json machine() {
  return {{"processor", processor()},
          {"cores", std::thread::hardware_concurrency()},
          {"torch", GRAPH_LAYOUT_TORCH_VERSION},
          {"compiler", __VERSION__}};
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Standard deviation over seeds; null for a single one.
Json deviation(const std::vector<double>& values) {
  if (values.size() < 2) return nullptr;
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

Json summary_of(const std::vector<Json>& results, const std::string& command) {
  Json row = {{"name", results[0].at("name")}, {"command", command}};
  for (const char* key : {"elbo", "edge_precision", "edge_recall", "nll", "kl", "seconds"}) {
    std::vector<double> values;
    for (const Json& result : results) values.push_back(result.at(key));
    row[key] = mean(values);
    row[std::string(key) + "_std"] = deviation(values);
  }
  for (const Json& result : results) row["seeds"].push_back(result.at("seed"));
  row["updates"] = results[0].at("updates");
  return row;
}

Json read_json(const Path& path, const char* what) {
  return Json::parse(experiments::read_file(path, what));
}

void write_json(const Path& path, const Json& json, const char* what) {
  experiments::write_atomically(path, json.dump(1) + "\n", what);
}

/// Puts one row's samples beside what is there of the same layouts.
void add_picture(Json& picture, const Json& samples, const std::string& row) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Json& sample = samples[i];
    if (picture["samples"].size() <= i) {
      picture["samples"].push_back({{"truth", sample.at("truth")},
                                    {"positions", sample.at("positions")},
                                    {"rows", Json::object()}});
    }
    picture["samples"][i]["rows"][row] = {{"edges", sample.at("edges")},
                                          {"soft", sample.at("soft")}};
  }
}

struct ReportProgram {
  Path python, script;
};

/// In the source tree this program was built from, or beside the folder it was installed into.
ReportProgram find_report() {
  std::error_code error;
  const Path source = GRAPH_LAYOUT_SOURCE_DIR;
  const Path program = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const Path& root :
       {source / "tools", program.parent_path().parent_path() / "share" / "softtricks"}) {
    if (!std::filesystem::exists(root / "report.py", error)) continue;
    const char* chosen = std::getenv("SOFTTRICKS_PYTHON");
    const Path own = source / ".venv" / "bin" / "python";
    const Path python = chosen != nullptr                     ? Path(chosen)
                        : std::filesystem::exists(own, error) ? own
                                                              : Path("python3");
    return {python, root / "report.py"};
  }
  return {};
}

}  // namespace

std::string command_line(int count, char** arguments) {
  return joined(std::vector<std::string>(arguments + 1, arguments + count));
}

void write_config(const Options& options, const std::string& command) {
  Json config = to_json(options);
  config["command"] = command;
  config["task"] = "graph-layout";
  write_json(Path(options.out) / "config.json", config, "configuration file");
}

void write_summary(const Options& options, const std::vector<std::string>& arguments) {
  Json rows = Json::array(), picture = {{"samples", Json::array()}}, nearest;
  std::vector<Json> results;
  const std::vector<Task> all = tasks(options);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const TaskFolder folder = folder_of(options, all[i]);
    if (std::filesystem::exists(folder.result())) {
      if (results.empty() && std::filesystem::exists(folder.picture())) {
        add_picture(picture, read_json(folder.picture(), "picture file"), all[i].row);
      }
      results.push_back(read_json(folder.result(), "result file"));
      nearest = results.back().value("nearest_tree_precision", nearest);
    }
    const bool last_of_row = i + 1 == all.size() || all[i + 1].row != all[i].row;
    if (last_of_row && !results.empty()) {
      rows.push_back(summary_of(results, row_command(arguments, all[i].row)));
      results.clear();
    }
  }
  write_json(Path(options.out) / "picture.json", picture, "picture file");
  const Json summary = {
      {"task", "graph-layout"}, {"preset", options.preset},          {"command", joined(arguments)},
      {"rows", rows},           {"nearest_tree_precision", nearest}, {"date", today()},
      {"machine", machine()}};
  write_json(Path(options.out) / "summary.json", summary, "summary");
}

bool write_report(const Options& options) {
  const ReportProgram report = find_report();
  if (report.script.empty()) {
    std::cerr
        << "No report: tools/report.py is neither in " << GRAPH_LAYOUT_SOURCE_DIR
        << " nor beside this program. The results are kept; report.py makes the page later.\n";
    return false;
  }
  const std::string python = report.python, script = report.script, folder = options.out;
  std::vector<char*> words;
  for (const std::string* word : {&python, &script, &folder}) {
    words.push_back(const_cast<char*>(word->c_str()));
  }
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  // The page's path is printed by this program, once.
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
  pid_t child = 0;
  const int failure =
      ::posix_spawnp(&child, python.c_str(), &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  if (failure == 0) ::waitpid(child, &status, 0);
  if (failure == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  std::cerr << "The report could not be made. The results are kept; try: " << quoted(python) << ' '
            << quoted(script) << ' ' << quoted(folder) << '\n';
  return false;
}

}  // namespace graph_layout
