#pragma once
/// What a run leaves for its readers, put together from the folders of its tasks. No LibTorch here:
/// the parent process of the trainings calls it.
#include <string>
#include <vector>

#include "graph_layout/options.hpp"

namespace graph_layout {

void write_config(const Options& options, const std::vector<std::string>& arguments);

/// summary.json and picture.json from the tasks that are done.
void write_summary(const Options& options, const std::vector<std::string>& arguments);

/// The tasks, for a program that hands them out (common/task_list.hpp).
nlohmann::json task_list(const Options& options);

}  // namespace graph_layout
