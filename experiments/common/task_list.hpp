#pragma once
/// What a program's command `tasks` prints, for one that hands tasks out to many machines
/// (tools/sweep.py): one JSON object
///
///   {"experiment": "aspect-ratings",       the name of `softtricks train`
///    "score": {"name": "validation_mse", "goal": "minimize"},    of result.json
///    "settings": {...},                    options that decide all results
///    "parameters": {"row": ["l2x", ...], "k": [3, 15], "lr": [0.0005, 0.01]},
///    "tasks": [{"name": "gibbs-k5-seed3", "group": "gibbs-k5", "done": false,
///               "arguments": {"rows": "gibbs", "k": "5", "seeds": "3"},
///               "parameters": {"row": "gibbs", "k": 5, "lr": 0.0031}}]}
///
/// parameters: all choices of a word; bounds of a number, of those only that are searched for.
#include <map>
#include <string>
#include <vector>

#include "common/search.hpp"

namespace experiments {

struct TaskEntry {
  std::string name, group;
  bool done = false;                             // --out holds its result
  std::map<std::string, std::string> arguments;  // select this task on the command line
  nlohmann::json parameters;
};

class TaskList {
 public:
  TaskList(const std::string& experiment, const Score& score, const nlohmann::json& settings);

  void add_choices(const std::string& parameter, const std::vector<std::string>& choices);
  /// What the numbers of a row are drawn from.
  void add_ranges(const std::map<std::string, Range>& ranges);
  /// `numbers` by their names; those without a range are left out. After all choices and ranges.
  void add(TaskEntry task, const std::map<std::string, double>& numbers);

  const nlohmann::json& json() const { return list_; }

 private:
  void widen(const std::string& parameter, const nlohmann::json& least, const nlohmann::json& most);

  nlohmann::json list_;
};

}  // namespace experiments
