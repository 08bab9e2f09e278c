#include "launch.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "error.hpp"
#include "names.hpp"
#include "options.hpp"

namespace softtricks::cli {
namespace {

namespace fs = std::filesystem;

/// `train NAME` starts the program softtricks-NAME.
const std::vector<std::string> experiments{"aspect-ratings", "graph-layout"};

/// The folder in which this program lies.
fs::path own_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : self.parent_path();
}

/// The first of the files that exists; none is an error that lists where they were looked for.
fs::path first_existing(const std::vector<fs::path>& files, const std::string& what,
                        const std::string& remedy) {
  std::vector<std::string> looked;
  for (const fs::path& file : files) {
    std::error_code error;
    if (fs::is_regular_file(file, error)) return file;
    looked.push_back(file.lexically_normal().string());
  }
  fail(what + " is not there; looked for " + joined(looked) + "; " + remedy);
}

/// Becomes another program.
[[noreturn]] void become(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  fail("cannot start " + quoted(command[0]) + ": " + std::strerror(errno));
}

fs::path experiment_program(const std::string& name) {
  const std::string program = "softtricks-" + name;
  std::string folder = name;
  for (char& c : folder) c = c == '-' ? '_' : c;
  const fs::path here = own_folder();
  return first_existing({here / program, here / ".." / "experiments" / folder / program,
                         here / ".." / "libexec" / "softtricks" / program},
                        "the program of 'train " + name + "'",
                        "it is built where LibTorch is: run ./quickstart, or see README.md");
}

fs::path script(const std::string& name) {
  const fs::path here = own_folder();
  return first_existing(
      {fs::path(SOFTTRICKS_SOURCE_DIR) / "tools" / name, here / ".." / ".." / "tools" / name,
       here / ".." / "share" / "softtricks" / name},
      "tools/" + name, "it comes with the sources");
}

/// The Python that has the scripts' packages: the user's choice, the project's own, any.
std::string python(const fs::path& file) {
  if (const char* const chosen = std::getenv("SOFTTRICKS_PYTHON"); chosen && *chosen) return chosen;
  const fs::path own = file.parent_path().parent_path() / ".venv" / "bin" / "python";
  std::error_code error;
  return fs::exists(own, error) ? own.string() : "python3";
}

struct ReportRequest {
  std::string folder, out;
};

void report(const ReportRequest& request) {
  const fs::path file = script("report.py");
  std::vector<std::string> command{python(file), file.string(), request.folder};
  if (!request.out.empty()) command.insert(command.end(), {"--out", request.out});
  become(command);
}

/// A command that start_experiment() has started already where EXPERIMENT was given.
void add_experiment_command(CLI::App& app, const std::string& name,
                            const std::string& description) {
  CLI::App* const command =
      add_command(app, name, description, "softtricks " + name + " aspect-ratings --help");
  const auto experiment = std::make_shared<std::string>();
  command->add_option("EXPERIMENT", *experiment, "one of " + joined(experiments))
      ->required()
      ->option_text(" ");
}

}  // namespace

void start_experiment(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments[1].starts_with("-")) return;
  if (arguments[0] != "train" && arguments[0] != "sweep") return;
  const std::string& name = arguments[1];
  expect_one_of("EXPERIMENT", name, experiments);
  std::vector<std::string> command{experiment_program(name).string()};
  if (arguments[0] == "sweep") {
    const fs::path file = script("sweep.py");
    command.insert(command.begin(), {python(file), file.string()});
  }
  command.insert(command.end(), arguments.begin() + 2, arguments.end());
  become(command);
}

void add_train(CLI::App& app) {
  add_experiment_command(
      app, "train", "Trainings of the experiments; all further arguments go to the experiment");
}

void add_sweep(CLI::App& app) {
  add_experiment_command(app, "sweep",
                         "The same trainings, handed out to workers on any number of machines");
}

void add_report(CLI::App& app) {
  CLI::App* const command =
      add_command(app, "report", "Writes report.html from the run folder of a training",
                  "softtricks report runs/graph-layout");
  const auto request = std::make_shared<ReportRequest>();
  command->add_option("RUN_FOLDER", request->folder, "the folder that a training wrote")
      ->required()
      ->option_text(" ");
  command->add_option("--out", request->out, "the page (default: RUN_FOLDER/report.html)")
      ->option_text("FILE");
  command->callback([request] { report(*request); });
}

}  // namespace softtricks::cli
