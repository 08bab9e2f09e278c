/// The command line of softtricks: one subcommand a job, each in its own file under cli/.
#include <cstdio>
#include <new>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/bench_command.hpp"
#include "cli/error.hpp"
#include "cli/launch.hpp"
#include "cli/list.hpp"
#include "cli/names.hpp"
#include "cli/solve.hpp"

namespace softtricks::cli {
namespace {

int complain(std::string message, int exit_code) {
  for (char& c : message) c = c == '\n' ? ' ' : c;
  std::fprintf(stderr, "softtricks: %s\n", message.c_str());
  return exit_code;
}

void add_commands(CLI::App& app) {
  app.set_version_flag("--version", "softtricks " SOFTTRICKS_VERSION);
  app.footer(
      "Example:\n  printf '3 1 2\\n' | softtricks solve argmax one_hot\n"
      "softtricks COMMAND --help tells more about a command.");
  app.require_subcommand(1);
  add_list(app);
  add_solve(app);
  add_sample(app);
  add_relax(app);
  add_train(app);
  add_sweep(app);
  add_report(app);
  add_bench(app);
}

void expect_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
  if (arguments.empty()) refuse("COMMAND", "is missing; accepted: " + joined(commands));
  if (!arguments[0].starts_with("-")) expect_one_of("COMMAND", arguments[0], commands);
}

int run_command(int count, char** arguments) {
  CLI::App app{"Structured gradient estimators with stochastic softmax tricks", "softtricks"};
  try {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    start_experiment(words);
    add_commands(app);
    expect_command(app, words);
    app.parse(count, arguments);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return complain(error.what(), 2);
  } catch (const Error& error) {
    return complain(error.what(), error.exit_code);
  } catch (const std::bad_alloc&) {
    return complain("there is not enough memory for this input", 1);
  } catch (const std::exception& error) {
    return complain(error.what(), 1);
  }
}

}  // namespace
}  // namespace softtricks::cli

int main(int count, char** arguments) {
  try {
    return softtricks::cli::run_command(count, arguments);
  } catch (...) {  // not even a message could be made
    return 1;
  }
}
