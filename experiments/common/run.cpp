#include "common/run.hpp"

#include <chrono>
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

#include "common/error.hpp"

extern char** environ;

namespace experiments {
namespace {

using Json = nlohmann::json;

std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\n\"'\\$&|;<>()*?[]#~`") == std::string::npos) {
    return word;
  }
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  utsname name{};
  return ::uname(&name) == 0 ? name.machine : "unknown";
}

void require_same(const Json& found, const Json& wanted, const Path& folder) {
  std::string differences;
  for (const auto& [name, value] : wanted.items()) {
    if (found.contains(name) && found[name] == value) continue;
    differences += " --" + name + " " + (found.contains(name) ? found[name].dump() : "(unknown)") +
                   " (now " + value.dump() + ")";
  }
  if (differences.empty()) return;
  throw UserError("--out: '" + folder.string() + "' holds a training with other options:" +
                  differences + "; give those again, another --out, or delete that folder");
}

struct ReportProgram {
  Path python, script;
};

/// In the source tree this program was built from, or beside the folder it was installed into.
ReportProgram find_report() {
  std::error_code error;
  const Path source = EXPERIMENTS_SOURCE_DIR;
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

/// Runs tools/report.py on the folder; false, with a message on standard error, where that fails.
bool write_report(const std::string& folder) {
  const ReportProgram report = find_report();
  if (report.script.empty()) {
    std::cerr
        << "No report: tools/report.py is neither in " << EXPERIMENTS_SOURCE_DIR
        << " nor beside this program. The results are kept; report.py makes the page later.\n";
    return false;
  }
  const std::string python = report.python, script = report.script;
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

}  // namespace

std::string command_line(const std::string& experiment, const std::vector<std::string>& arguments) {
  std::string text = "softtricks train " + experiment;
  for (const std::string& word : arguments) text += ' ' + quoted(word);
  return text;
}

std::vector<std::string> without_option(const std::vector<std::string>& arguments,
                                        const std::string& name) {
  const std::string option = "--" + name;
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with(option + "=")) continue;
    if (arguments[i] == option) {
      ++i;
      continue;
    }
    kept.push_back(arguments[i]);
  }
  return kept;
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
          {"torch", EXPERIMENTS_TORCH_VERSION},
          {"compiler", __VERSION__}};
}

Json read_json(const Path& path, const char* what) { return Json::parse(read_file(path, what)); }

void write_json(const Path& path, const Json& json, const char* what) {
  write_atomically(path, json.dump(1) + "\n", what);
}

bool finished(const TaskFolder& folder, const Json& wanted,
              Json (*made_with)(const Path& checkpoint)) {
  const Path result = folder.result(), checkpoint = folder.last();
  if (std::filesystem::exists(result)) {
    const Json found = Json::parse(read_file(result, "result file"), nullptr, false);
    if (!found.is_object() || !found.contains("identity")) {
      throw UserError("result file '" + result.string() +
                      "' is damaged; delete it, and the row will be tested again");
    }
    require_same(found["identity"], wanted, folder.folder);
    return true;
  }
  if (std::filesystem::exists(checkpoint)) {
    require_same(made_with(checkpoint), wanted, folder.folder);
  }
  return false;
}

void write_config(const Path& out, Json options, const std::string& experiment,
                  const std::vector<std::string>& arguments) {
  options["command"] = command_line(experiment, arguments);
  options["task"] = experiment;
  write_json(out / "config.json", options, "configuration file");
}

int end_run(const std::string& out, bool report, const std::vector<std::string>& failures) {
  if (report && write_report(out)) std::cout << (Path(out) / "report.html").string() << '\n';
  std::cout << (Path(out) / "summary.json").string() << '\n';
  for (const std::string& failure : failures) std::cerr << "error: " << failure << '\n';
  return failures.empty() ? 0 : 2;
}

}  // namespace experiments
