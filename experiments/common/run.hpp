#pragma once
/// What every experiment writes around its trainings: commands, the machine, summaries, the report.
/// No LibTorch here: the parent process of the trainings calls it.
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/files.hpp"

namespace experiments {

/// "softtricks train EXPERIMENT ARGUMENTS", as a shell reads it.
std::string command_line(const std::string& experiment, const std::vector<std::string>& arguments);

/// The arguments without the option `--name` and its value.
std::vector<std::string> without_option(const std::vector<std::string>& arguments,
                                        const std::string& name);

/// Processor, cores, compiler and the version of LibTorch it was built with.
nlohmann::json machine();

/// The date as YYYY-MM-DD, UTC.
std::string today();

nlohmann::json read_json(const Path& path, const char* what);
void write_json(const Path& path, const nlohmann::json& json, const char* what);

/// Is the task finished whose folder holds `result` and `checkpoint`, made under the options
/// `wanted`? Throws UserError if it was made with others. `made_with` reads a checkpoint's options.
bool finished(const Path& result, const Path& checkpoint, const nlohmann::json& wanted,
              nlohmann::json (*made_with)(const Path& checkpoint));

/// Runs tools/report.py on the folder; false, with a message on standard error, where that fails.
bool write_report(const std::string& folder);

}  // namespace experiments
