#pragma once
/// What a run leaves for its readers, put together from the folders of its tasks. No LibTorch here:
/// the parent process of the trainings calls it.
#include <string>
#include <vector>

#include "learning_to_explain/options.hpp"

namespace learning_to_explain {

void write_config(const Options& options, const std::vector<std::string>& arguments);

/// summary.json and picture.json from the tasks that are done; returns the summary.
nlohmann::json write_summary(const Options& options, const std::vector<std::string>& arguments);

/// The tasks, for a program that hands them out (common/task_list.hpp).
nlohmann::json task_list(const Options& options);

/// The table of a summary, for a terminal.
std::string table(const nlohmann::json& summary);

}  // namespace learning_to_explain
