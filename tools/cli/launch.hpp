#pragma once
#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace softtricks::cli {

/// `train EXPERIMENT ...` becomes the experiment's program, `sweep EXPERIMENT ...` the script that
/// hands its trainings out. They get all other arguments, --help too; so this must see them before
/// the parser does. Returns where there is nothing to start.
void start_experiment(const std::vector<std::string>& arguments);

void add_train(CLI::App& app);
void add_sweep(CLI::App& app);
void add_report(CLI::App& app);

}  // namespace softtricks::cli
