#include "common/task_list.hpp"

#include <algorithm>

namespace experiments {

using Json = nlohmann::json;

TaskList::TaskList(const std::string& experiment, const Score& score, const Json& settings)
    : list_({{"experiment", experiment},
             {"score", {{"name", score.name}, {"goal", score.greatest ? "maximize" : "minimize"}}},
             {"settings", settings},
             {"parameters", Json::object()},
             {"tasks", Json::array()}}) {}

void TaskList::add_choices(const std::string& parameter, const std::vector<std::string>& choices) {
  list_["parameters"][parameter] = choices;
}

void TaskList::add_ranges(const std::map<std::string, Range>& ranges) {
  for (const auto& [name, range] : ranges) {
    if (!range.single()) widen(name, range.least, range.most);
  }
}

void TaskList::add(TaskEntry task, const std::map<std::string, double>& numbers) {
  for (const auto& [name, number] : numbers) {
    if (list_["parameters"].contains(name)) task.parameters[name] = number;
  }
  for (const auto& [name, value] : task.parameters.items()) {
    if (value.is_number()) widen(name, value, value);
  }
  list_["tasks"].push_back({{"name", task.name},
                            {"group", task.group},
                            {"done", task.done},
                            {"arguments", task.arguments},
                            {"parameters", task.parameters}});
}

void TaskList::widen(const std::string& parameter, const Json& least, const Json& most) {
  Json& bounds = list_["parameters"][parameter];
  if (bounds.is_null()) bounds = {least, most};
  bounds[0] = std::min(bounds[0], least);
  bounds[1] = std::max(bounds[1], most);
}

}  // namespace experiments
