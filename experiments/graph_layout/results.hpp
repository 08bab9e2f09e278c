#pragma once
/// What a run leaves for its readers, put together from the folders of its tasks. No LibTorch here:
/// the parent process of the trainings calls it.
#include <string>
#include <vector>

#include "graph_layout/options.hpp"

namespace graph_layout {

/// "softtricks train graph-layout ARGUMENTS".
std::string command_line(int count, char** arguments);

void write_config(const Options& options, const std::string& command);

/// summary.json and picture.json from the tasks that are done.
void write_summary(const Options& options, const std::vector<std::string>& arguments);

/// Runs tools/report.py on the folder; false, with a message on standard error, where that fails.
bool write_report(const Options& options);

}  // namespace graph_layout
