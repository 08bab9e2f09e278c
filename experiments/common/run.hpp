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

/// <out>/<task>: what a task writes and reads.
struct TaskFolder {
  Path folder;

  Path metrics() const { return folder / "metrics.jsonl"; }
  Path last() const { return folder / "last.safetensors"; }
  Path best() const { return folder / "best.safetensors"; }
  Path result() const { return folder / "result.json"; }
  Path picture() const { return folder / "picture.json"; }
};

/// Is the task of this folder finished, made under the options `wanted`? Throws UserError if it was
/// made with others. `made_with` reads a checkpoint's options.
bool finished(const TaskFolder& folder, const nlohmann::json& wanted,
              nlohmann::json (*made_with)(const Path& checkpoint));

/// config.json: the options and the command.
void write_config(const Path& out, nlohmann::json options, const std::string& experiment,
                  const std::vector<std::string>& arguments);

/// Makes the report, where asked to, and says where the results are and what failed. Returns the
/// program's exit status.
int end_run(const std::string& out, bool report, const std::vector<std::string>& failures);

}  // namespace experiments
