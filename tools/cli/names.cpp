#include "names.hpp"

#include <algorithm>
#include <numeric>

#include "error.hpp"

namespace softtricks::cli {
namespace {

/// The number of letters to insert, delete or exchange to get from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

template <class Infos>
std::vector<std::string> names_of(const Infos& infos) {
  std::vector<std::string> names;
  names.reserve(infos.size());
  for (const auto& info : infos) names.push_back(info.name);
  return names;
}

}  // namespace

std::string joined(const std::vector<std::string>& names, const std::string& between) {
  std::string text;
  for (const auto& name : names) text += name + between;
  if (!names.empty()) text.resize(text.size() - between.size());
  return text;
}

void expect_one_of(const std::string& argument, const std::string& value,
                   const std::vector<std::string>& accepted) {
  if (std::find(accepted.begin(), accepted.end(), value) != accepted.end()) return;
  const auto nearest = std::min_element(accepted.begin(), accepted.end(),
                                        [&](const std::string& a, const std::string& b) {
                                          return edit_distance(value, a) < edit_distance(value, b);
                                        });
  const bool near =
      nearest != accepted.end() && edit_distance(value, *nearest) <= 1 + value.size() / 4;
  refuse(argument, "unknown " + quoted(value) +
                       (near ? "; did you mean " + quoted(*nearest) + "?" : "") +
                       " (accepted: " + joined(accepted) + ")");
}

std::vector<std::string> structure_names() { return names_of(structures()); }
std::vector<std::string> verb_names() { return names_of(verbs()); }
std::vector<std::string> perturbation_names() { return names_of(perturbations()); }

const StructureInfo& find_structure(const std::string& name) {
  static const std::vector<StructureInfo> all = structures();
  expect_one_of("STRUCTURE", name, names_of(all));
  return *std::find_if(all.begin(), all.end(), [&](const auto& info) { return info.name == name; });
}

VerbInfo find_verb(const std::string& name) {
  expect_one_of("VERB", name, verb_names());
  for (const VerbInfo& info : verbs()) {
    if (info.name == name) return info;
  }
  return {};
}

std::vector<std::string> offered_regularizers(const std::string& structure,
                                              const std::string& verb) {
  std::vector<std::string> offered;
  for (const auto& regularizer : regularizers()) {
    if (offers(structure, verb, regularizer)) offered.push_back(regularizer);
  }
  return offered;
}

void expect_offered(const std::string& structure, const std::string& verb,
                    const std::string& regularizer) {
  find_verb(verb);
  find_structure(structure);
  if (offers(structure, verb, regularizer)) return;
  const auto with = offered_regularizers(structure, verb);
  if (!with.empty()) {
    refuse("--regularizer", structure + " offers " + verb + " not with " + quoted(regularizer) +
                                " but with: " + joined(with));
  }
  std::vector<std::string> offered = verb_names();
  std::erase_if(offered, [&](const auto& v) { return offered_regularizers(structure, v).empty(); });
  refuse("VERB", structure + " does not offer " + quoted(verb) + " but: " + joined(offered));
}

Needs needs_of(std::string_view verb) {
  const bool cotangent = verb.ends_with("_vjp"), relaxes = verb.starts_with("relax");
  return {.member = verb == "log_prob",
          .soft_sample = relaxes && cotangent,
          .cotangent = cotangent,
          .seed = verb == "sample",
          .relaxation = relaxes || verb == "active_set",
          .other = verb == "cross_entropy" || verb == "kl",
          .members = find_verb(std::string(verb)).result == Result::members};
}

}  // namespace softtricks::cli
