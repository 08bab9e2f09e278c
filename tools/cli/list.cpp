#include "list.hpp"

#include "files.hpp"
#include "json.hpp"
#include "names.hpp"
#include "numbers.hpp"
#include "options.hpp"

namespace softtricks::cli {
namespace {

/// The regularizers that matter to a verb; none where it uses none.
std::vector<std::string> choices(const std::string& structure, const std::string& verb) {
  if (!needs_of(verb).relaxation) return {};
  return offered_regularizers(structure, verb);
}

template <class Visit>
void for_each_offer(Visit visit) {
  for (const auto& structure : structures()) {
    for (const auto& verb : verb_names()) {
      if (!offered_regularizers(structure.name, verb).empty()) visit(structure, verb);
    }
  }
}

std::string table() {
  std::string text = "structure\tshape\tverb\tregularizers\n";
  for_each_offer([&](const StructureInfo& structure, const std::string& verb) {
    text += structure.name + "\t" + joined(structure.fields, ",") + "\t" + verb + "\t" +
            joined(choices(structure.name, verb), ",") + "\n";
  });
  text += "# perturbations\t" + joined(perturbation_names(), ",") + "\n";
  for (const auto& law : perturbations()) {
    if (law.parameters.empty()) continue;
    text += "# parameters of " + law.name;
    for (std::size_t i = 0; i < law.parameters.size(); ++i) {
      text += (i == 0 ? "\t" : ",") + law.parameters[i] + "=" + number_text(law.defaults[i]);
    }
    text += "\n";
  }
  return text + "# instruction set\t" + instruction_set() + "\n";
}

/// {"normal": {"parameters": {"scale": 1.0}, "verbs": ["sample", ...]}, ...}
Json perturbations_json() {
  Json all = Json::object();
  for (const auto& law : perturbations()) {
    Json parameters = Json::object();
    for (std::size_t i = 0; i < law.parameters.size(); ++i) {
      parameters[law.parameters[i]] = law.defaults[i];
    }
    all[law.name] = {{"parameters", parameters}, {"verbs", law.verbs}};
  }
  return all;
}

std::string document() {
  Json all = Json::array();
  for (const auto& structure : structures()) {
    Json defaults = Json::object();
    for (std::size_t f = 0; f < structure.fields.size(); ++f) {
      if (structure.defaults[f]) defaults[structure.fields[f]] = *structure.defaults[f];
    }
    all.push_back({{"name", structure.name},
                   {"shape", structure.fields},
                   {"defaults", defaults},
                   {"verbs", Json::object()}});
  }
  for_each_offer([&](const StructureInfo& structure, const std::string& verb) {
    for (auto& entry : all) {
      if (entry["name"] == structure.name) {
        entry["verbs"][verb] = {{"regularizers", choices(structure.name, verb)}};
      }
    }
  });
  return Json{{"structures", all},
              {"perturbations", perturbations_json()},
              {"instruction_set", instruction_set()}}
             .dump() +
         "\n";
}

}  // namespace

void add_list(CLI::App& app) {
  CLI::App* const command =
      add_command(app, "list", "What is offered: structures, their shapes, verbs and regularizers",
                  "softtricks list | grep marginals");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "JSON instead of tab-separated lines");
  command->callback([json] { write_file(standard_stream, *json ? document() : table()); });
}

}  // namespace softtricks::cli
