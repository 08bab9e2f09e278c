/// `registry_json`: what the library offers, for front ends that make their classes from it.
#include <algorithm>

#include "softtricks/registry.hpp"

namespace softtricks {
namespace {

std::string json_list(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const std::string& name : names) {
    text += (text.size() > 1 ? ", \"" : "\"") + name + "\"";
  }
  return text + "]";
}

/// The defaults of a structure's fields, null where there is none.
std::string json_defaults(const StructureInfo& structure) {
  std::string text = "[";
  for (const auto& value : structure.defaults) {
    text += (text.size() > 1 ? ", " : "") + (value ? std::to_string(*value) : "null");
  }
  return text + "]";
}

/// What each verb returns for an instance.
std::string json_results() {
  std::string text;
  for (const VerbInfo& verb : verbs()) {
    const char* result = verb.result == Result::entries  ? "entries"
                         : verb.result == Result::number ? "number"
                                                         : "members";
    text += (text.empty() ? "\"" : ", \"") + verb.name + "\": \"" + result + "\"";
  }
  return text;
}

/// [{"name": "normal", "parameters": {"scale": 1.000000}, "verbs": ["sample", ...]}, ...]
std::string json_perturbations() {
  std::string all;
  for (const PerturbationInfo& law : perturbations()) {
    std::string parameters;
    for (std::size_t i = 0; i < law.parameters.size(); ++i) {
      parameters +=
          (i > 0 ? ", \"" : "\"") + law.parameters[i] + "\": " + std::to_string(law.defaults[i]);
    }
    all += (all.empty() ? "" : ", ") + ("{\"name\": \"" + law.name) + "\", \"parameters\": {" +
           parameters + "}, \"verbs\": " + json_list(law.verbs) + "}";
  }
  return "[" + all + "]";
}

}  // namespace

std::string registry_json() {
  std::string text;
  for (const StructureInfo& structure : structures()) {
    const std::vector<std::string> all = regularizers();
    std::vector<std::string> offered;
    for (const VerbInfo& verb : verbs()) {
      if (std::any_of(all.begin(), all.end(), [&](const std::string& regularizer) {
            return offers(structure.name, verb.name, regularizer);
          })) {
        offered.push_back(verb.name);
      }
    }
    std::vector<std::string> relaxations;
    for (const std::string& regularizer : all) {
      if (offers(structure.name, "relax", regularizer)) relaxations.push_back(regularizer);
    }
    text += (text.empty() ? "" : ", ") + ("{\"name\": \"" + structure.name) +
            "\", \"fields\": " + json_list(structure.fields) +
            ", \"defaults\": " + json_defaults(structure) + ", \"verbs\": " + json_list(offered) +
            ", \"regularizers\": " + json_list(relaxations) + "}";
  }
  return "{\"structures\": [" + text + "], \"results\": {" + json_results() +
         "}, \"perturbations\": " + json_perturbations() + ", \"instruction_set\": \"" +
         instruction_set() + "\"}";
}

}  // namespace softtricks
